// Follows the durable journal into the tables of the history: reads it, has the books say what became of each command, and
// commits rows of all tables in one transaction. Exactly once: the transaction also says how far the journal is in the tables
// (table_set.h), so whoever starts goes on behind what was committed, whatever happened to a commit.
//
//   Result<std::unique_ptr<Follower>> follower = Follower::open(disk, books, catalog, warehouse, clock, options);
//   Status status = follower.value()->follow(durable_seq);     // again and again
//   status = follower.value()->commit();                       // now and then
//   std::optional<FollowerState> state = follower.value()->state();    // … with which another one may resume()
//
// One thread. Memory is bounded by full(): then commit before following on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "base/merkle.h"
#include "base/status.h"
#include "command/alert.h"
#include "command/command.h"
#include "history/catalog/table_catalog.h"
#include "history/tables/append_table.h"
#include "history/tables/books.h"
#include "history/tables/follower_state.h"
#include "history/tables/limits.h"
#include "history/tables/reference.h"
#include "history/tables/table_set.h"
#include "history/tables/upsert_table.h"
#include "history/warehouse.h"
#include "journal/head_log.h"
#include "journal/journal_reader.h"
#include "journal/record_leaf.h"

namespace halocline {

struct FollowerOptions {
  std::string journal_directory;
  std::string space = "halocline";     // the namespace of the tables
  int format_version = 2;              // of tables that are made
  std::int64_t full_bytes = 64 << 20;  // rows that wait, about
  HeadLog* heads = nullptr;            // signs the head of the journal's tree at each commit; nullptr: nobody does
  bool resumable = false;              // state() will be asked for
};

class Follower {
 public:
  // Of the tables it keeps, the first one being the ledger.
  static std::vector<TableDefinition> definitions();

  // Makes the tables that are missing. `books` has applied nothing yet: unless resume() follows it is taken through the journal from its
  // beginning. All references outlive the follower. kFailedPrecondition: the tables are of another journal, or ahead of this one.
  static Result<std::unique_ptr<Follower>> open(Disk& disk, Books& books, iceberg::WriterCatalog& catalog, Warehouse& warehouse,
                                                const Clock& clock, FollowerOptions options);

  // Goes on behind a state, before anything was read: the books are there. Only when the tables are complete, and there or beyond; or
  // new, then the first commit is to be there, with all that is current in the books, and of what was before they have nothing.
  // kDataLoss: it holds what is no command.
  Status resume(const FollowerState& state);
  // Where the tables, the books and the reading are, when that is the same place, and one to go on from.
  std::optional<FollowerState> state() const;
  bool complete() const { return tables_.all_complete(); }

  // Reads on, up to `durable` or until full() (or beyond that, when told so), and no more than about a tenth of a second of work:
  // read_seq() says how far.
  // kDataLoss: the journal is damaged, or not the one of the state. kOutOfRange: its beginning is needed and was removed. kUnsupported: a
  // command that is not known. kFailedPrecondition: the tables are ahead of it.
  Status follow(Seq durable, bool beyond_full = false);
  // Whether rows must be committed before more is read.
  bool full() const;
  // Whether commit() goes on with one that did not come to its end, of what was read then.
  bool committing() const { return tables_.committing(); }
  // Commits what was read. kUnavailable, kIo, kResourceExhausted …: nothing was lost, try again. kFailedPrecondition: somebody
  // else writes this journal's history. kInternal: open another follower, with new books.
  Status commit();

  // Commits a rewrite of one of the tables (table_set.h). kResourceExhausted while a commit of rows is under way.
  Status replace(const Rewrite& rewrite);
  // Since when a file is in the warehouse that is not committed.
  std::optional<Nanos> waiting_since() const { return tables_.waiting_since(); }

  Seq read_seq() const { return read_seq_; }                         // the books are there
  Seq committed_seq() const { return tables_.committed_seq(); }      // the tables are there
  std::int64_t rows() const { return tables_.open_rows() + tables_.closed_rows(); }  // that wait
  std::uint64_t commits() const { return tables_.commits(); }        // since the start
  std::uint64_t committed_rows() const { return tables_.committed_rows(); }  // … with so many rows

 private:
  Follower(Disk& disk, Books& books, iceberg::WriterCatalog& catalog, Warehouse& warehouse, const Clock& clock, FollowerOptions options,
           std::string journal_id);

  // From behind read_seq_ on.
  Status open_journal();
  Status take(const BlockView& block);
  Status take(Seq seq, Nanos time, const Command& command, const Books::Effect& effect, std::span<const AlertEvent> events);
  // Where the books are, signed.
  CommitPoint point();
  // Rows that say how the books are now.
  Status take_books();
  // The books are where the tables are: what changed up to here is not to be told again.
  void forget_changes();

  Disk& disk_;
  Books& books_;
  const Clock& clock_;
  const FollowerOptions options_;
  std::unique_ptr<JournalReader> reader_;

  AppendTable trade_events_, prices_, alerts_, positions_, nodes_;
  UpsertTable trades_, limits_, reference_;
  LimitVersions limit_versions_;
  ReferenceVersions reference_versions_;
  TableSet tables_;  // of them

  Seq read_seq_ = 0;
  Nanos read_time_ = 0;
  Digest chain_{};                  // of the journal at read_seq_
  MerkleTree tree_;                 // … and its tree
  RecordLeaves leaves_;
  std::string head_;                // signed, of the commit under way
  MerkleTree head_tree_;            // … whose tree this is
  std::vector<KeptCommand> kept_;   // for state()
  bool changed_ = false;            // commands were read that no commit was made for
  std::vector<Command> commands_;   // of the block that is read
  std::vector<Record> records_;     // … which they are
  std::string fix_session_;         // the FIX message whose commands come now
  std::uint32_t fix_number_ = 0, fix_left_ = 0;
};

}  // namespace halocline
