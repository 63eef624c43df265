// The tables of the history, committed together: one transaction at the catalog adds the rows of all of them and sets how far the journal
// is in them, so a commit happens once whatever becomes of it. Makes tables that are missing and lets those grow that lack a column.
//
//   TableSet tables(catalog, warehouse, clock, {"halocline", 2, journal_id});
//   tables.add(ledger), tables.add(trades);
//   Status status = tables.open();
//   …                                            // rows
//   status = tables.begin({seq, digest, chain});   // they are the commit's; those that come now are the next one's
//   status = tables.finish();                      // again after a failure, until it is ok
//
// One thread. All references outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "history/catalog/table_catalog.h"
#include "history/tables/history_table.h"
#include "history/warehouse.h"

namespace halocline {

// Properties of the first table, the last one of every table. The first six are also in each snapshot's summary.
inline constexpr char kFirstSeqKey[] = "halocline.first-seq";
inline constexpr char kLastSeqKey[] = "halocline.last-seq";
inline constexpr char kStateDigestKey[] = "halocline.state-digest";
inline constexpr char kJournalChainKey[] = "halocline.journal-chain";
inline constexpr char kMerkleRootKey[] = "halocline.merkle-root";
inline constexpr char kSignedHeadKey[] = "halocline.signed-head";
inline constexpr char kJournalIdKey[] = "halocline.journal-id";
// Of a table that has all rows up to the first one's kLastSeqKey: "true".
inline constexpr char kCompleteKey[] = "halocline.complete";

struct TableSetOptions {
  std::string space;
  int format_version = 2;  // of tables that are made
  std::string journal_id;
};

// Up to where a commit brings the tables.
struct CommitPoint {
  Seq seq = 0;
  std::string digest;  // state digest there, hexadecimal
  std::string chain;   // of the journal there
  std::string root;    // of its Merkle tree, hexadecimal
  std::string head;    // the same signed (journal/tree_head.h); empty: nobody signs
};

class TableSet {
 public:
  TableSet(iceberg::WriterCatalog& catalog, Warehouse& warehouse, const Clock& clock, TableSetOptions options);

  // Before open(). The first one is the ledger, which tells how far they all are.
  void add(HistoryTable& table);
  // kFailedPrecondition: they are of another journal, or one of them is no longer what it was.
  Status open();

  // The tables have everything up to it.
  Seq committed_seq() const { return committed_seq_; }
  // Whether a row of this command is missing in the table: one that is new wants all of them.
  bool wants(const HistoryTable& table, Seq seq) const { return seq > committed_seq_ || !complete(table); }
  bool complete(const HistoryTable& table) const;
  bool all_complete() const;

  std::int64_t open_rows() const;
  std::int64_t open_bytes() const;
  std::int64_t closed_rows() const;
  // The open rows go to the warehouse ahead of their commit.
  Status spill();

  bool committing() const { return point_.has_value(); }
  Status begin(CommitPoint point);
  // kUnavailable, kIo, kResourceExhausted …: nothing was lost, try again. kFailedPrecondition: somebody else writes this journal's
  // history.
  Status finish();

  // Commits a rewrite of one of the tables, while no other commit is under way. kFailedPrecondition: it does not fit any more.
  // kUnavailable: nobody knows. Anything else: it did not happen. Its files are the caller's, unless it is ok or kUnavailable.
  Status replace(const Rewrite& rewrite);
  // Since when a file is in the warehouse that is not committed.
  std::optional<Nanos> waiting_since() const { return waiting_since_; }

  std::uint64_t commits() const { return commits_; }                // since the start
  std::uint64_t committed_rows() const { return committed_rows_; }  // … with so many rows

 private:
  struct Entry {
    HistoryTable* table = nullptr;
    bool complete = false;
  };
  // An attempt at the commit, made upon the tables as they are.
  struct Attempt {
    std::vector<iceberg::TableCommit> commits;
    std::vector<HistoryTable*> tables;  // of the commits
    std::vector<std::optional<std::int64_t>> snapshots;  // … theirs with it
    std::vector<std::string> files;     // written for it
    bool unknown = false;               // it was sent and nobody knows: it may come yet, so its files stay
  };

  iceberg::TableName name_of(const HistoryTable& table) const;
  Result<iceberg::LoadedTable> load(const HistoryTable& table);
  Result<iceberg::LoadedTable> open_table(const TableDefinition& definition);
  Result<iceberg::LoadedTable> grow(const TableDefinition& definition, iceberg::LoadedTable table);
  Status write_files();
  Status prepare(Attempt& attempt);
  // Whether the commit is in the tables already.
  Result<bool> arrived();
  Result<iceberg::LoadedTable> try_replace(HistoryTable& into, const Rewrite& rewrite, std::vector<std::string>& written);
  // Those of an attempt that will not come.
  void remove_files(const Attempt& attempt);
  // `by`: the attempt that did it, when that is known.
  void committed(const Attempt* by);

  iceberg::WriterCatalog& catalog_;
  Warehouse& warehouse_;
  const Clock& clock_;
  const TableSetOptions options_;
  std::vector<Entry> entries_;
  Seq committed_seq_ = 0;
  std::optional<CommitPoint> point_;  // of the commit under way
  bool written_ = false;              // its files are in the warehouse
  std::optional<Attempt> sent_;       // … and what was sent of it that nobody knows of
  std::optional<Nanos> waiting_since_;
  std::uint64_t commits_ = 0, committed_rows_ = 0;
};

}  // namespace halocline
