#include "server/audit.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/merkle.h"
#include "base/private_file.h"
#include "journal/record_leaf.h"
#include "journal/recovery.h"
#include "journal/tree_file.h"
#include "server/audit_tables.h"

namespace halocline {
namespace {

constexpr std::uint64_t kProgressEvery = 100'000;  // records

std::string seq_text(Seq seq) { return "seq " + std::to_string(seq); }

std::string where(const Claim& claim) { return claim.file + (claim.place.empty() ? "" : ", " + claim.place); }

// Compares the claims with the journal as its records go by.
class JournalAudit {
 public:
  // `trees`: what some of the first records' tree may be; one counts when a signed head says so.
  JournalAudit(const AuditOptions& options, std::vector<Claim> claims, std::vector<MerkleTree> trees, bool beginning_removed,
               std::uint64_t about)
      : options_(options), about_(about), beginning_removed_(beginning_removed), trees_(std::move(trees)) {
    std::stable_sort(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) { return a.head.size < b.head.size; });
    claims_ = std::move(claims);
  }

  JournalVisitor visitor() {
    JournalVisitor visitor;
    visitor.on_segment = [this](const SegmentHeader& segment) {
      if (std::exchange(beginning_removed_, false)) begin_later(segment);
    };
    visitor.on_block = [this](const BlockInfo& block) { begin_block(block); };
    visitor.on_record = [this](const BlockInfo& block, const Record& record) { take(block, record); };
    return visitor;
  }

  // After the last record.
  void finish(const std::string& directory, AuditReport& report) {
    end_block();
    report.heads = next_ - removed_;
    report.heads_unchecked = removed_;
    const Seq last = report.journal.last_seq;
    if (broken_at_ == 0) tell_mismatches(directory, report);
    while (next_ < claims_.size() && claims_[next_].head.size <= last) ++next_, ++report.heads_unchecked;
    if (next_ == claims_.size()) return;
    // The largest head says how much is missing.
    const Claim& claim = claims_.back();
    report.problems.push_back({directory, seq_text(last + 1),
                               "the journal ends at " + seq_text(last) + ", and " + where(claim) + " has a head of " +
                                   seq_text(claim.head.size) + ": the tail was cut off, records before it were left out, or the "
                                   "directory was put back to an earlier state"});
  }

 private:
  // What was before this segment was removed.
  void begin_later(const SegmentHeader& segment) {
    rooted_ = false;
    at_ = segment.first_seq - 1;
    chain_ = segment.previous_chain;
    while (next_ < claims_.size() && claims_[next_].head.size < at_) ++next_;
    removed_ = next_;
  }

  // The tree that a signed head of this place proves.
  void find_tree() {
    for (const MerkleTree& tree : trees_) {
      if (rooted_ || tree.size() != at_) continue;
      rooted_ = std::any_of(claims_.begin(), claims_.end(), [&](const Claim& claim) {
        return claim.is_signed && claim.head.size == at_ && claim.head.chain == chain_ && claim.head.root == tree.root();
      });
      if (rooted_) tree_ = tree, root_known_ = false;
    }
  }

  void begin_block(const BlockInfo& block) {
    if (block.header.kind != BlockKind::kRecords) return;
    end_block();
    chain_ = block.header.chain;
    segment_ = block.segment;
  }

  // Claims about a block's end: the chain too.
  void end_block() {
    if (broken_at_ != 0) return;
    if (!rooted_) find_tree();
    for (; next_ < claims_.size() && claims_[next_].head.size == at_; ++next_) {
      const TreeHead& head = claims_[next_].head;
      const bool same_root = !rooted_ || head.root == root();
      if (head.size > 0 && same_root && head.chain == chain_) good_ = claims_[next_].is_signed ? head.size : good_;
      else if (head.size > 0) bad_.push_back({next_, segment_, good_, rooted_ && same_root});
    }
  }

  void take(const BlockInfo& block, const Record& record) {
    if (broken_at_ != 0) return;
    if (record.seq != at_ + 1) {
      broken_at_ = record.seq;  // what the walk skipped is among its problems
      return;
    }
    // A claim that ends within a block was never made by us.
    for (; next_ < claims_.size() && claims_[next_].head.size < record.seq && !at_block_start(block, record); ++next_) {
      bad_.push_back({next_, block.segment, good_, false});
    }
    at_ = record.seq;
    if (rooted_) leaves_.add(record, block.view.time, tree_);
    root_known_ = false;
    if (options_.progress && record.seq % kProgressEvery == 0) options_.progress("journal", record.seq, about_);
  }

  static bool at_block_start(const BlockInfo& block, const Record& record) { return record.seq == block.view.first_seq; }

  const Digest& root() {
    if (!root_known_) leaves_.flush(tree_), root_ = tree_.root();
    root_known_ = true;
    return root_;
  }

  struct Bad {
    std::size_t claim = 0;
    std::uint32_t segment = 0;
    std::uint64_t good = 0;     // the largest size before it that fitted
    bool records_fit = false;   // only the chain does not
  };

  // One problem for a change of the journal, not one for each head behind it; a head that does not fit while a later one does is itself
  // wrong.
  void tell_mismatches(const std::string& directory, AuditReport& report) {
    std::uint64_t last_good = good_, told_after = UINT64_MAX, more = 0;
    std::size_t told = 0;
    for (const Bad& bad : bad_) {
      const Claim& claim = claims_[bad.claim];
      if (claim.head.size <= last_good) {
        report.problems.push_back({claim.file, claim.place, "forged: it is no head of this journal, whose first " +
                                                                std::to_string(claim.head.size) + " records are signed otherwise"});
        continue;
      }
      if (told_after == bad.good) {
        ++more;
        continue;
      }
      told_after = bad.good;
      told = report.problems.size();
      const std::string what = bad.records_fit
                                   ? "the records are those that were signed, in other blocks: the journal was written anew"
                                   : "these records are not those that were signed: altered, left out, added or in another order";
      report.problems.push_back({directory + "/" + segment_name(bad.segment),
                                 seq_text(bad.good + 1) + " to " + std::to_string(claim.head.size),
                                 what + ", says the head at " + where(claim)});
    }
    if (more > 0) report.problems[told].text += " (and " + std::to_string(more) + " later ones)";
  }

  const AuditOptions& options_;
  const std::uint64_t about_;
  bool beginning_removed_;     // until the first segment comes
  std::vector<Claim> claims_;  // by size
  std::size_t next_ = 0;       // … of those not reached yet
  std::size_t removed_ = 0;    // … and of those whose records were removed
  const std::vector<MerkleTree> trees_;
  Seq at_ = 0;                 // the last record that was taken
  MerkleTree tree_;            // of all up to there …
  bool rooted_ = true;         // … if that is known
  Digest root_{}, chain_{};
  bool root_known_ = false;
  std::uint32_t segment_ = 0;
  std::uint64_t good_ = 0;
  Seq broken_at_ = 0;
  std::vector<Bad> bad_;
  RecordLeaves leaves_;        // … but for those that wait here
};

// The private key beside the witness file: nobody's but its owner's, and the one that signs.
void check_key(const std::string& data_directory, const HeadClaims& claims, std::vector<AuditProblem>& problems) {
  const std::string path = data_directory + "/audit/key.pem";
  const Result<std::string> pem = read_private_file(path);
  if (!pem.ok()) {
    if (pem.status().code() == Code::kFailedPrecondition) problems.push_back({path, "", pem.status().message()});
    return;  // an auditor may have no key and no right to read it
  }
  const Result<SigningKey> key = SigningKey::from_pem(pem.value());
  if (!key.ok()) return problems.push_back({path, "", key.status().message()});
  if (!claims.keys().empty() && key.value().public_key() != claims.keys().back()) {
    problems.push_back({path, "", "a foreign key: " + hex(key.value().public_key()) + " is not the one that signs, " +
                                      hex(claims.keys().back())});
  }
}

// What the witness files say.
Status take_witnesses(Disk& disk, const AuditOptions& options, HeadClaims& claims) {
  std::vector<std::string> paths = {audit_witness(options.data_directory)};
  for (const std::string& path : options.witnesses) {
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const Result<std::unique_ptr<WitnessText>> text = read_witness(disk, paths[i]);
    if (i == 0 && text.status().code() == Code::kNotFound) continue;  // it may lie elsewhere
    if (!text.ok()) return text.status();
    claims.take_witness(paths[i], *text.value());
  }
  return ok_status();
}

// Whether the first segments are missing and may be: the first that is left was begun before `time`, and so all of them were full.
Result<bool> beginning_removed(Disk& disk, const std::string& directory, Nanos time) {
  const Result<std::vector<std::uint32_t>> numbers = list_segments(disk, directory);
  if (!numbers.ok()) return numbers.status();
  if (numbers.value().empty() || numbers.value().front() == 1) return false;
  Result<std::unique_ptr<File>> file = disk.open(directory + "/" + segment_name(numbers.value().front()), Access::kRead);
  if (!file.ok()) return file.status();
  const Result<std::optional<SegmentHeader>> header = read_segment_header(*file.value(), numbers.value().front());
  return header.ok() && header.value().has_value() && header.value()->created < time;  // one that is broken is told by the walk
}

// What must be signed at all.
void check_signed(const AuditOptions& options, const HeadClaims& claims, AuditReport& report) {
  if (const Claim* newest = claims.newest()) report.signed_seq = newest->head.size, report.signed_time = newest->head.time;
  const std::vector<PublicKey>& keys = claims.keys();
  const bool known = !options.key.has_value() || std::find(keys.begin(), keys.end(), *options.key) != keys.end();
  if (!known) {
    report.problems.push_back({audit_witness(options.data_directory), "", "a foreign key: nothing here is signed by " + hex(*options.key)});
  } else if (claims.newest() == nullptr && report.journal.records > 0) {
    report.problems.push_back({audit_witness(options.data_directory), "",
                               "there is no signed head: the witness file was removed, lies elsewhere (--witness), or audit.enabled is "
                               "false"});
  }
}

}  // namespace

std::string audit_journal(const std::string& data_directory) { return data_directory + "/journal"; }
std::string audit_witness(const std::string& data_directory) { return data_directory + "/audit/witness"; }

Result<AuditReport> audit(Disk& disk, const AuditOptions& options) {
  const std::string directory = audit_journal(options.data_directory);
  const Result<JournalId> id = journal_id(disk, directory);
  if (!id.ok()) return id.status();
  AuditReport report;
  // The claims first: beside a running server the journal then has at least what they speak of.
  HeadClaims claims(id.value(), options.key);
  if (Status status = take_witnesses(disk, options, claims); !status.ok()) return status;
  std::unique_ptr<TablesAudit> tables;
  if (options.tables) {
    Result<std::unique_ptr<TablesAudit>> opened = TablesAudit::open(disk, options);
    const Code code = opened.status().code();
    if (opened.ok()) tables = opened.take();
    else if (code == Code::kDataLoss) report.problems.push_back({"the tables", "", opened.status().message()});
    else if (code != Code::kNotFound && code != Code::kUnsupported) return opened.status();
    if (!opened.ok()) report.tables_note = opened.status().message();
  } else {
    report.tables_note = "not asked for";
  }
  if (tables != nullptr) tables->claim(claims);
  report.keys = claims.keys();

  Result<bool> removed = beginning_removed(disk, directory, options.removed_before);
  if (!removed.ok()) return removed.status();
  std::vector<MerkleTree> trees = tables == nullptr ? std::vector<MerkleTree>() : tables->trees();
  // Of the last head of all; a server that keeps no history has that one only.
  Result<MerkleTree> tree = load_tree(disk, options.data_directory + "/audit/tree", id.value());
  if (tree.ok()) trees.push_back(tree.take());

  std::uint64_t bytes = 0;
  std::error_code no_size;
  for (const auto& entry : std::filesystem::directory_iterator(directory, no_size)) bytes += entry.file_size(no_size);
  JournalAudit comparing(options, claims.claims(), std::move(trees), removed.value(), bytes / 100);
  Result<JournalReport> walked = walk_journal(disk, directory, comparing.visitor(), removed.value());
  if (!walked.ok()) return walked.status();
  report.journal = walked.take();
  for (const JournalProblem& problem : report.journal.problems) {
    report.problems.push_back({problem.path, "offset " + std::to_string(problem.offset), problem.text});
  }
  comparing.finish(directory, report);
  check_signed(options, claims, report);
  for (AuditProblem& problem : claims.take_problems()) report.problems.push_back(std::move(problem));
  check_key(options.data_directory, claims, report.problems);

  if (tables == nullptr) return report;
  report.tables_seq = tables->committed();
  if (const Claim* claim = claims.newest_of_tables(); claim != nullptr && claim->head.size > report.tables_seq) {
    report.problems.push_back({"halocline.trade_events", seq_text(report.tables_seq + 1),
                               "the tables end at " + seq_text(report.tables_seq) + ", and " + where(*claim) + " says they were at " +
                                   seq_text(claim->head.size) + ": they were put back to an earlier state, or made anew"});
  }
  if (!report.journal.ok()) {
    report.tables_note = "the journal itself does not check";
    return report;
  }
  if (Status status = tables->compare(directory, report); !status.ok()) return status;
  return report;
}

}  // namespace halocline
