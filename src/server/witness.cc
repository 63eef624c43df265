#include "server/witness.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/background_thread.h"
#include "base/log.h"
#include "journal/tree_file.h"

namespace halocline {
namespace {

constexpr std::int64_t kLookEvery = 1'000'000'000;   // ns, at the journal, so that the work comes in small pieces
constexpr std::uint64_t kMostAtTheEnd = 4'000'000;   // records that a stop still reads; what is beyond is for the next start
constexpr int kNiceness = 10;

// Whether trying again would sign what must not be signed, or could not help; else the disk may be well again later.
bool for_good(const Status& status) { return !status.ok() && status.code() != Code::kIo && status.code() != Code::kResourceExhausted; }

Status lost(const HeadLogPaths& paths, Seq signed_seq, Seq last) {
  return Status(Code::kDataLoss,
                "the journal ends at seq " + std::to_string(last) + ", and " + paths.witness + " has a signed head of seq " +
                    std::to_string(signed_seq) + ": what follows was lost or put back; `halocline audit verify` says more. Nothing is "
                    "signed until that file is moved away (keep it: it is the evidence)");
}

}  // namespace

HeadLogPaths head_log_paths(const Config& config) {
  const std::string directory = config.server.data_directory + "/audit";
  return {directory, config.audit.witness.empty() ? directory + "/witness" : config.audit.witness};
}

Witness::Witness(Disk& disk, const Clock& clock, WitnessOptions options)
    : disk_(disk), clock_(clock), options_(std::move(options)), tree_path_(options_.paths.directory + "/tree") {}

Witness::~Witness() { stop(); }

void Witness::open() {
  Result<std::unique_ptr<HeadLog>> opened = HeadLog::open(disk_, options_.paths, options_.journal, clock_.wall());
  if (opened.ok()) log_ = opened.take();
  else failure_ = opened.status();
  if (!failure_.ok()) log_line(LogLevel::kError, "audit.failed", {{"why", failure_.message()}});
}

void Witness::start(Core& core) {
  core_ = &core;
  if (log_ == nullptr) return core_->count("audit_failures", 1);
  thread_ = std::thread([this] { run(); });
}

void Witness::stop() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ending_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Witness::wait(std::int64_t nanoseconds) {
  std::unique_lock lock(mutex_);
  return !ending_.wait_for(lock, std::chrono::nanoseconds(nanoseconds), [this] { return end_.load(); });
}

void Witness::run() {
  work_in_background("witness", kNiceness);
  signed_at_ = saved_at_ = clock_.monotonic();
  for (bool last = false;; last = !wait(std::min(kLookEvery, options_.head_interval))) {
    Status status = resumed_ ? ok_status() : resume();
    if (status.ok()) status = advance(last);
    failed(status);
    if (last || for_good(status)) return;
  }
}

// Told once, until it is another or gone.
void Witness::failed(const Status& status) {
  if (!status.ok()) core_->count("audit_failures", 1);
  if (!status.ok() && status.message() != failure_.message()) log_line(LogLevel::kError, "audit.failed", {{"why", status.message()}});
  failure_ = status;
}

// From where the tree stood at the last head, or from the beginning of the journal.
Status Witness::resume() {
  const std::map<std::uint64_t, Digest>& recent = log_->recent();
  Result<MerkleTree> saved = load_tree(disk_, tree_path_, options_.journal);
  if (saved.ok()) {
    const auto head = recent.find(saved.value().size());
    if (head != recent.end() && head->second == saved.value().root()) tree_ = saved.take();
  }
  signed_seq_ = recent.empty() ? 0 : recent.rbegin()->first;
  const Seq durable = core_->report().durable_seq;
  if (signed_seq_ > durable) return lost(options_.paths, signed_seq_, durable);
  if (Status status = open_journal(); !status.ok()) return status;
  core_->count("audit_seq", signed_seq_);
  resumed_ = true;
  return ok_status();
}

Status Witness::open_journal() {
  Result<std::unique_ptr<JournalReader>> reader = JournalReader::open(disk_, options_.journal_directory, tree_.size() + 1, false);
  if (!reader.ok()) return reader.status();
  reader_ = reader.take();
  return ok_status();
}

Status Witness::take_over(bool last) {
  std::optional<MerkleTree> told = log_->told_tree();
  // The heads of earlier starts are held against the journal first.
  const bool checked = log_->recent().empty() || tree_.size() >= log_->recent().rbegin()->first;
  if (!told || told->size() <= signed_seq_ || !checked) return ok_status();
  core_->count("audit_seq", told->size() - signed_seq_);
  signed_seq_ = told->size(), signed_at_ = clock_.monotonic();
  others_sign_ = true;
  Status saved = last || signed_at_ - saved_at_ >= options_.head_interval ? save(*told) : ok_status();
  if (told->size() > tree_.size()) {  // else it has read on before it knew
    tree_ = *std::move(told);
    reader_.reset();
  }
  return saved;
}

Status Witness::advance(bool last) {
  if (Status status = take_over(last); !status.ok()) return status;
  const Seq durable = core_->report().durable_seq;
  const bool others_late = clock_.monotonic() - signed_at_ >= options_.head_interval || durable >= signed_seq_ + options_.head_records;
  if (others_sign_ && !last && !others_late) return ok_status();
  if (reader_ == nullptr) {
    if (Status status = open_journal(); !status.ok()) return status;
  }
  reader_->stop_after(durable);
  const Seq most = last ? tree_.size() + kMostAtTheEnd : durable;
  while (tree_.size() < most && (last || !end_)) {
    Result<std::optional<BlockView>> block = reader_->next();
    if (!block.ok()) return block.status();
    if (!block.value().has_value()) break;
    if (Status status = take(*block.value()); !status.ok()) return status;
    if (tree_.size() >= signed_seq_ + options_.head_records) {
      if (Status status = sign(); !status.ok()) return status;
    }
  }
  const bool first = signed_seq_ == 0;  // what is new is signed at once, so that there is something to check
  const bool due = first || last || clock_.monotonic() - signed_at_ >= options_.head_interval;
  return due && tree_.size() > signed_seq_ ? sign() : ok_status();
}

Status Witness::take(const BlockView& block) {
  leaves_.add(block, tree_);
  const auto head = log_->recent().find(tree_.size());
  if (head == log_->recent().end() || head->second == tree_.root()) return ok_status();
  return Status(Code::kDataLoss, "the first " + std::to_string(tree_.size()) + " records of the journal are not those that " +
                                     options_.paths.witness + " has a signed head of: `halocline audit verify` says more");
}

Status Witness::sign() {
  TreeHead head;
  head.size = tree_.size();
  head.root = tree_.root();
  head.chain = reader_->chain();
  head.time = clock_.wall();
  Result<std::string> line = log_->sign(head);
  if (!line.ok()) return line.status();
  if (Status status = log_->append(line.value()); !status.ok()) return status;
  core_->count("audit_heads", 1);
  core_->count("audit_seq", tree_.size() - signed_seq_);
  signed_seq_ = tree_.size();
  signed_at_ = clock_.monotonic();
  others_sign_ = false;
  return save(tree_);
}

Status Witness::save(const MerkleTree& of_a_head) {
  saved_at_ = clock_.monotonic();
  return save_tree(disk_, tree_path_, options_.journal, of_a_head);
}

}  // namespace halocline
