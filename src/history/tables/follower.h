// Follows the durable journal into the tables of the history: reads it, has the books say what became of each command, and
// commits rows of all tables in one transaction. Exactly once: the transaction also sets, on the ledger `trade_events`, how far the
// journal is in the tables (`halocline.last-seq`), so whoever starts goes on behind what was committed, whatever happened to
// a commit.
//
//   Result<std::unique_ptr<Follower>> follower = Follower::open(disk, books, catalog, warehouse, clock, options);
//   Status status = follower.value()->follow(durable_seq);     // again and again
//   status = follower.value()->commit();                       // now and then
//
// One thread. Memory is bounded by full(): then commit before following on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "base/status.h"
#include "command/alert.h"
#include "history/catalog/table_catalog.h"
#include "history/tables/books.h"
#include "history/tables/table_writer.h"
#include "history/tables/trades.h"
#include "history/warehouse.h"
#include "journal/journal_reader.h"

namespace halocline {

struct FollowerOptions {
  std::string journal_directory;
  std::string space = "halocline";     // the namespace of the tables
  int format_version = 2;              // of tables that are made; `trades` is of 2 always
  std::int64_t full_bytes = 64 << 20;  // rows that wait, about
};

// Properties of the ledger and of each snapshot's summary.
inline constexpr char kFirstSeqKey[] = "halocline.first-seq";
inline constexpr char kLastSeqKey[] = "halocline.last-seq";
inline constexpr char kStateDigestKey[] = "halocline.state-digest";
inline constexpr char kJournalChainKey[] = "halocline.journal-chain";
inline constexpr char kJournalIdKey[] = "halocline.journal-id";

class Follower {
 public:
  // Makes the tables that are missing. `books` has applied nothing yet: it is taken through the journal from its beginning. All
  // references outlive the follower. kFailedPrecondition: the tables are of another journal, or ahead of this one.
  static Result<std::unique_ptr<Follower>> open(Disk& disk, Books& books, iceberg::TableCatalog& catalog, Warehouse& warehouse,
                                                const Clock& clock, FollowerOptions options);

  // Reads on, up to `durable` or until full(), and no more than about a tenth of a second of work: read_seq() says how far.
  // kDataLoss: the journal is damaged. kUnsupported: a command that is not known. kFailedPrecondition: the tables are ahead of it.
  Status follow(Seq durable);
  // Whether rows must be committed before more is read.
  bool full() const;
  // Commits what was read. kUnavailable, kIo, kResourceExhausted …: nothing was lost, try again. kFailedPrecondition: somebody
  // else writes this journal's history.
  Status commit();

  Seq read_seq() const { return read_seq_; }            // the books are there
  Seq committed_seq() const { return committed_seq_; }  // the tables are there
  std::int64_t rows() const;                            // that wait
  std::uint64_t commits() const { return commits_; }    // since the start
  std::uint64_t committed_rows() const { return committed_rows_; }  // … with so many rows

 private:
  // A table, its files that are not in the warehouse yet, and those that are and are not committed.
  struct Pending {
    TableWriter* writer = nullptr;
    std::vector<iceberg::ParquetFile> unwritten;
    std::vector<iceberg::DataFile> files;
  };

  Follower(Disk& disk, Books& books, iceberg::TableCatalog& catalog, Warehouse& warehouse, const Clock& clock, FollowerOptions options);

  Status open_tables();
  Result<iceberg::LoadedTable> open_table(const TableDefinition& definition, int format_version);
  Status read_journal_id();
  Status take(const BlockView& block);
  Status take(Seq seq, Nanos time, CommandType type, const Command& command, const Books::Effect& effect);
  Status take_rows();
  Status write_files();
  Status commit_files();
  // The commits of all tables, made upon what they are now; what was written for them is named in `files`.
  Status prepare(std::vector<iceberg::TableCommit>& commits, std::vector<std::string>& files);
  Status prepare(const iceberg::TableName& name, const iceberg::LoadedTable& table, iceberg::TableChange change,
                 std::vector<iceberg::TableCommit>& commits, std::vector<std::string>& files);
  Result<Seq> last_seq_in_tables();
  // `trades_snapshot`: what `trades` is at now, if that is known.
  void committed(std::optional<std::int64_t> trades_snapshot);
  iceberg::TableName name_of(const TableDefinition& definition) const;

  Disk& disk_;
  Books& books_;
  iceberg::TableCatalog& catalog_;
  Warehouse& warehouse_;
  const Clock& clock_;
  const FollowerOptions options_;
  std::string journal_id_;
  std::unique_ptr<JournalReader> reader_;

  TableWriter ledger_;
  std::vector<Pending> tables_;   // those that are only appended to
  TradesTable trades_;
  bool trades_may_differ_ = false;  // a command was read that may have changed trades
  bool trades_are_new_ = false;     // the table has nothing yet: it wants all trades

  Seq read_seq_ = 0;
  Seq committed_seq_ = 0;
  std::string chain_;             // of the journal at read_seq_
  std::vector<AlertEvent> events_;
  std::string fix_session_;       // the FIX message whose commands come now
  std::uint32_t fix_number_ = 0, fix_left_ = 0;

  // Of what commit() took, until it is committed.
  Seq taken_seq_ = 0;             // it goes up to here
  std::string digest_;            // the state digest there; empty: nothing was taken
  std::string written_chain_;     // … and the chain
  Seq written_seq_ = 0;           // taken_seq_ when all its files are in the warehouse, else 0
  std::int64_t written_rows_ = 0;
  std::uint64_t commits_ = 0, committed_rows_ = 0;
};

}  // namespace halocline
