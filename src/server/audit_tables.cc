#include "server/audit_tables.h"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/from_hex.h"
#include "engine/views.h"
#include "history/catalog/sqlite_catalog.h"
#include "history/s3/s3_warehouse.h"
#include "history/tables/follower.h"
#include "history/tables/follower_state.h"
#include "history/tables/table_compare.h"
#include "journal/checkpoint_file.h"
#include "journal/recovery.h"
#include "server/checkpoints.h"
#include "server/engine_books.h"
#include "server/lake.h"

namespace halocline {
namespace {

namespace fs = std::filesystem;

constexpr int kCopies = 20;                       // attempts to see all tables while nobody writes to them
constexpr char kSpace[] = "halocline";

// A folder of this audit alone, gone with it.
class Scratch {
 public:
  Status make(const std::string& parent) {
    std::string name = parent + "/halocline-audit-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) return errno_status(errno, "make a folder in " + parent);
    path_ = name;
    return ok_status();
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// When and how long a file is; the same before and after a copy means that nobody wrote meanwhile.
std::pair<fs::file_time_type, std::uintmax_t> stamp(const std::string& path) {
  std::error_code missing;
  return {fs::last_write_time(path, missing), fs::file_size(path, missing)};
}

// The database and its write-ahead log, as they are at one moment.
Status copy_database(const std::string& from, const std::string& to) {
  for (int i = 0; i < kCopies; ++i) {
    const auto before = std::pair(stamp(from), stamp(from + "-wal"));
    std::error_code error, no_log;
    fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
    if (error) return Status(Code::kIo, "cannot copy " + from + ": " + error.message());
    fs::remove(to + "-wal", no_log);
    fs::copy_file(from + "-wal", to + "-wal", no_log);
    if (before == std::pair(stamp(from), stamp(from + "-wal"))) return ok_status();
  }
  return Status(Code::kUnavailable, from + " is being written to all the time; try again");
}

class Tables final : public TablesAudit {
 public:
  Tables(Disk& disk, const AuditOptions& options) : disk_(disk), options_(options), definitions_(Follower::definitions()) {}

  Status open() {
    if (Status status = scratch_.make(options_.scratch); !status.ok()) return status;
    const bool remote = options_.server.has_value() && !options_.server->catalog.uri.empty();
    if (Status status = remote ? open_remote() : open_own(); !status.ok()) return status;
    return load_states();
  }

  std::vector<MerkleTree> trees() const override {
    std::vector<MerkleTree> trees;
    for (const FollowerState& state : states_) trees.push_back(state.tree);
    return trees;
  }

  void claim(HeadClaims& claims) override {
    for (const TableDefinition& definition : definitions_) {
      if (!tables_.contains(definition.name)) continue;
      const iceberg::TableMetadata& table = *tables_.at(definition.name);
      for (const iceberg::Snapshot& snapshot : table.snapshots) {
        const auto root = snapshot.summary.find(kMerkleRootKey), chain = snapshot.summary.find(kJournalChainKey);
        const std::string place = "snapshot " + std::to_string(snapshot.snapshot_id);
        const std::optional<Seq> last = last_seq(snapshot);
        if (root == snapshot.summary.end() || chain == snapshot.summary.end() || !last.has_value()) continue;  // somebody else's
        Claim claim{name_of(definition), place, {}, false};
        claim.head.size = *last;
        // What is no digest stays zero, and fits no journal.
        static_cast<void>(from_hex(root->second, claim.head.root) && from_hex(chain->second, claim.head.chain));
        claims.take_unsigned(std::move(claim));
        if (const auto head = snapshot.summary.find(kSignedHeadKey); head != snapshot.summary.end()) {
          claims.take_line(name_of(definition), place, head->second);
        }
      }
      const std::string head = table.property(kSignedHeadKey, "");
      if (!head.empty()) claims.take_line(name_of(definition), "property " + std::string(kSignedHeadKey), head);
    }
  }

  Seq committed() const override {
    if (!tables_.contains(definitions_.front().name)) return 0;
    const Result<std::int64_t> last = tables_.at(definitions_.front().name)->number_property(kLastSeqKey, 0);
    return last.ok() ? static_cast<Seq>(last.value()) : 0;
  }

  Status compare(const std::string& journal_directory, AuditReport& report) override {
    report.problems.insert(report.problems.end(), missing_.begin(), missing_.end());
    check_journal_id(report);
    if (committed() > report.journal.last_seq) return ok_status();  // told: the journal's tail is missing
    Result<bool> begun = begin(journal_directory, report);
    if (!begun.ok() || !begun.value()) return begun.status();
    Result<std::set<Seq>> commits = commit_points();
    if (!commits.ok()) return commits.status();
    if (Status status = rebuild(commits.value()); !status.ok()) return status;
    for (const TableDefinition& definition : definitions_) {
      if (!tables_.contains(definition.name)) continue;
      if (Status status = compare(definition, report); !status.ok()) return status;
    }
    return ok_status();
  }

 private:
  Status open_own() {
    const std::string database = options_.data_directory + "/catalog.db";
    std::error_code error;
    if (!fs::exists(database, error)) {
      return Status(Code::kNotFound, "there is no " + database + " (with catalog.uri, --config says where the tables are)");
    }
    if (Status status = copy_database(database, scratch_.path() + "/audited.db"); !status.ok()) return status;
    std::string place = options_.warehouse;
    if (place.empty() && options_.server.has_value()) place = options_.server->catalog.warehouse;
    if (place.empty()) place = options_.data_directory + "/warehouse";
    Result<std::unique_ptr<Warehouse>> warehouse = open_warehouse(disk_, place, {});
    if (!warehouse.ok()) return warehouse.status();
    own_warehouse_ = warehouse.take();
    warehouse_ = own_warehouse_.get();
    Result<std::unique_ptr<iceberg::TableCatalog>> catalog =
        iceberg::open_sqlite_catalog(scratch_.path() + "/audited.db", *warehouse_, clock_);
    if (!catalog.ok()) return Status(catalog.status().code(), "a copy of " + database + ": " + catalog.status().message());
    return load(*catalog.value(), database);
  }

  // Every commit of the history changes the ledger: while that stays as it is, the others are of the same commit.
  Status open_remote() {
    lake_.emplace(*options_.server, disk_, clock_);
    if (Status status = lake_->open(); !status.ok()) return status;
    warehouse_ = &lake_->warehouse();
    const std::string& uri = options_.server->catalog.uri;
    for (int i = 0; i < kCopies; ++i) {
      tables_.clear(), missing_.clear();
      if (Status status = load(lake_->catalog(), uri); !status.ok()) return status;
      const Seq before = committed();
      const Result<iceberg::LoadedTable> ledger = lake_->catalog().load_table({{kSpace}, definitions_.front().name});
      if (!ledger.ok()) return ledger.status();
      tables_[definitions_.front().name] = ledger.value().metadata;
      if (committed() == before) return ok_status();
    }
    return Status(Code::kUnavailable, "the tables at " + uri + " are being written to all the time; try again");
  }

  Status load(iceberg::WriterCatalog& catalog, const std::string& place) {
    for (const TableDefinition& definition : definitions_) {
      Result<iceberg::LoadedTable> table = catalog.load_table({{kSpace}, definition.name});
      const Code code = table.status().code();
      if (code == Code::kNotFound && &definition == &definitions_.front()) {
        return Status(Code::kNotFound, place + " knows no tables of the history");
      }
      if (code == Code::kIo || code == Code::kInvalidArgument) return table.status();  // another one's catalog does not answer
      if (table.ok()) tables_[definition.name] = table.take().metadata;
      else missing_.push_back({name_of(definition), "", table.status().message()});
    }
    return ok_status();
  }

  // What the history keeps for its next start, oldest first. One that is broken, or does not say the books it has, is none.
  Status load_states() {
    const Result<JournalId> journal = journal_id(disk_, audit_journal(options_.data_directory));
    if (!journal.ok()) return journal.status();
    Result<std::vector<Seq>> seqs = list_checkpoints(disk_, states());
    if (!seqs.ok()) return ok_status();  // no such directory
    for (auto seq = seqs.value().rbegin(); seq != seqs.value().rend(); ++seq) {
      Result<FollowerState> state = load_follower_state(disk_, states(), journal.value(), *seq);
      if (state.ok()) states_.push_back(state.take());
    }
    return ok_status();
  }
  std::string states() const { return options_.data_directory + "/history"; }

  static std::string name_of(const TableDefinition& definition) { return std::string(kSpace) + "." + definition.name; }

  static std::optional<Seq> last_seq(const iceberg::Snapshot& snapshot) {
    const auto text = snapshot.summary.find(kLastSeqKey);
    if (text == snapshot.summary.end()) return std::nullopt;
    return std::strtoull(text->second.c_str(), nullptr, 10);
  }

  void check_journal_id(AuditReport& report) {
    for (const TableDefinition& definition : definitions_) {
      if (!tables_.contains(definition.name)) continue;
      const std::string id = tables_.at(definition.name)->property(kJournalIdKey, "");
      if (id != report.journal.id) report.problems.push_back({name_of(definition), "", "it is of another journal, \"" + id + "\""});
    }
  }

  // Where the history was committed: the rows of `positions` and `nodes` say so, and what snapshots there still are.
  Result<std::set<Seq>> commit_points() {
    std::set<Seq> points = {committed()};
    for (const TableDefinition& definition : definitions_) {
      if (!tables_.contains(definition.name)) continue;
      const iceberg::TableMetadata& table = *tables_.at(definition.name);
      for (const iceberg::Snapshot& snapshot : table.snapshots) {
        if (const std::optional<Seq> last = last_seq(snapshot)) points.insert(*last);
      }
      if (definition.name != "positions" && definition.name != "nodes") continue;
      Result<std::set<Seq>> seqs = commit_seqs(definition, {*warehouse_, table});
      if (!seqs.ok()) return seqs;
      points.merge(seqs.value());
    }
    points.erase(points.begin(), points.upper_bound(begin_));
    points.erase(points.upper_bound(committed()), points.end());
    return points;
  }

  // The rebuilt tables, empty; or at the oldest state of which the journal still has all that follows. False: there is none, which the
  // report says.
  Result<bool> begin(const std::string& journal_directory, AuditReport& report) {
    rebuilt_.emplace(disk_, scratch_.path() + "/warehouse");
    Result<std::unique_ptr<iceberg::TableCatalog>> catalog =
        iceberg::open_sqlite_catalog(scratch_.path() + "/rebuilt.db", *rebuilt_, clock_);
    if (!catalog.ok()) return catalog.status();
    rebuilt_catalog_ = catalog.take();
    FollowerOptions options;
    options.journal_directory = journal_directory;
    Result<std::unique_ptr<Follower>> opened = Follower::open(disk_, books_, *rebuilt_catalog_, *rebuilt_, clock_, options);
    if (!opened.ok()) return opened.status();
    follower_ = opened.take();
    if (report.journal.first_seq <= 1) return true;
    for (const FollowerState& state : states_) {
      if (state.seq < report.journal.first_seq || state.seq > committed()) continue;
      const Result<LoadedCheckpoint> books = load_checkpoint(disk_, states() + "/" + checkpoint_name(state.seq));
      if (!books.ok() || views::state_digest(*books.value().books) != hex(books.value().header.state_digest)) continue;
      if (Status status = books_.resume(*books.value().books); !status.ok()) return status;
      if (Status status = follower_->resume(state); !status.ok()) return status;
      if (Status status = follower_->commit(); !status.ok()) return status;
      begin_ = state.seq;
      digests_[begin_] = books_.digest();
      report.tables_from = begin_ + 1;
      return true;
    }
    report.tables_note = "the journal begins with seq " + std::to_string(report.journal.first_seq) + ", and there is no state in " +
                         states() + " that the history goes on from";
    return false;
  }

  // The same tables, out of the journal alone.
  Status rebuild(const std::set<Seq>& commits) {
    Follower& follower = *follower_;
    for (const Seq commit : commits) {
      while (follower.read_seq() < commit) {
        const Seq before = follower.read_seq();
        if (Status status = follower.follow(commit); !status.ok()) return status;
        if (options_.progress) options_.progress("tables", follower.read_seq(), committed());
        if (follower.full()) {
          if (Status status = follower.commit(); !status.ok()) return status;
        } else if (follower.read_seq() == before) {
          break;
        }
      }
      if (follower.read_seq() != commit) continue;  // no block ends there: the rows of it will be told
      if (Status status = follower.commit(); !status.ok()) return status;
      digests_[commit] = books_.digest();
    }
    return ok_status();
  }

  Status compare(const TableDefinition& definition, AuditReport& report) {
    const iceberg::TableMetadata& table = *tables_.at(definition.name);
    Result<iceberg::LoadedTable> expected = rebuilt_catalog_->load_table({{kSpace}, definition.name});
    if (!expected.ok()) return expected.status();
    Result<TableComparison> compared =
        compare_rows(definition, {*warehouse_, table}, {*rebuilt_, *expected.value().metadata}, begin_ + 1);
    if (!compared.ok()) return compared.status();
    const TableComparison& found = compared.value();
    for (const RowDifference& difference : found.first) report.problems.push_back({name_of(definition), difference.place, difference.text});
    if (found.differences > found.first.size()) {
      report.problems.push_back({name_of(definition), "", std::to_string(found.differences - found.first.size()) + " more rows differ"});
    }
    for (const iceberg::Snapshot& snapshot : table.snapshots) {
      const auto digest = snapshot.summary.find(kStateDigestKey);
      const std::optional<Seq> last = last_seq(snapshot);
      if (digest == snapshot.summary.end() || !last.has_value() || *last < begin_) continue;
      const auto known = digests_.find(*last);
      if (known != digests_.end() && known->second == digest->second) continue;
      report.problems.push_back({name_of(definition), "snapshot " + std::to_string(snapshot.snapshot_id),
                                 "its state digest is not that of the books at seq " + std::to_string(*last)});
    }
    report.tables.push_back({definition.name, found.rows, found.files, table.snapshots.size(), found.differences});
    return ok_status();
  }

  Disk& disk_;
  const AuditOptions& options_;
  const std::vector<TableDefinition> definitions_;
  SystemClock clock_;
  Scratch scratch_;
  std::optional<Lake> lake_;  // of another one's catalog
  std::unique_ptr<Warehouse> own_warehouse_;
  Warehouse* warehouse_ = nullptr;  // with the tables
  std::vector<FollowerState> states_;
  std::optional<FolderWarehouse> rebuilt_;
  std::unique_ptr<iceberg::TableCatalog> rebuilt_catalog_;
  EngineBooks books_;
  std::unique_ptr<Follower> follower_;  // into the rebuilt tables
  Seq begin_ = 0;                       // … from here on
  std::map<std::string, std::shared_ptr<const iceberg::TableMetadata>> tables_;
  std::vector<AuditProblem> missing_;
  std::map<Seq, std::string> digests_;  // of the books, at the commits
};

}  // namespace

Result<std::unique_ptr<TablesAudit>> TablesAudit::open(Disk& disk, const AuditOptions& options) {
  auto tables = std::make_unique<Tables>(disk, options);
  if (Status status = tables->open(); !status.ok()) return status;
  return std::unique_ptr<TablesAudit>(std::move(tables));
}

}  // namespace halocline
