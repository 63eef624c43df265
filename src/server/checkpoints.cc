#include "server/checkpoints.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include "base/background_thread.h"
#include "base/log.h"
#include "engine/checkpoint/state_codec.h"
#include "engine/views.h"

namespace halocline {
namespace {

constexpr int kNiceness = 15;
constexpr std::uint64_t kPatience = 2;  // of what a checkpoint is due after: then the engine takes the snapshot itself
constexpr std::chrono::milliseconds kLookAgain{10};

// Takes blocks one after the other, on as many threads as call it.
class Filling {
 public:
  Filling(CheckpointReader& reader, checkpoint::Loader& loader) : reader_(reader), loader_(loader) {}

  void run() {
    std::vector<std::byte> bytes;
    while (const std::optional<CheckpointBlock> block = next()) {
      Status status = unpack(*block, bytes);
      if (status.ok()) status = loader_.fill({block->part, block->first, block->count, bytes});
      if (!status.ok()) fail(status);
    }
  }
  Status result() const { return failure_; }

 private:
  std::optional<CheckpointBlock> next() {
    const std::lock_guard lock(mutex_);
    if (!failure_.ok()) return std::nullopt;
    Result<std::optional<CheckpointBlock>> block = reader_.next();
    if (block.ok()) return block.take();
    failure_ = block.status();
    return std::nullopt;
  }
  void fail(const Status& status) {
    const std::lock_guard lock(mutex_);
    if (failure_.ok()) failure_ = status;
  }

  CheckpointReader& reader_;
  checkpoint::Loader& loader_;
  std::mutex mutex_;
  Status failure_;
};

}  // namespace

Result<LoadedCheckpoint> load_checkpoint(Disk& disk, const std::string& path) {
  Result<std::unique_ptr<CheckpointReader>> reader = CheckpointReader::open(disk, path);
  if (!reader.ok()) return reader.status();
  const Result<std::optional<CheckpointBlock>> first = reader.value()->next();
  if (!first.ok()) return first.status();
  if (!first.value() || first.value()->part != kOutlinePart) return Status(Code::kDataLoss, path + " does not begin with its outline");
  std::vector<std::byte> outline;
  if (Status status = unpack(*first.value(), outline); !status.ok()) return status;
  checkpoint::Loader loader;
  const Status begun = loader.begin({reinterpret_cast<const char*>(outline.data()), outline.size()}, reader.value()->header().blocks - 1);
  if (!begun.ok()) return Status(begun.code(), path + ": " + begun.message());
  Filling filling(*reader.value(), loader);
  const unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back([&] { filling.run(); });
  filling.run();
  for (std::thread& thread : others) thread.join();
  if (!filling.result().ok()) return filling.result();
  Result<Snapshot> books = loader.finish();
  if (!books.ok()) return Status(books.status().code(), path + ": " + books.status().message());
  const CheckpointHeader& header = reader.value()->header();
  if (views::seq_of(*books.value()) != header.seq) return Status(Code::kDataLoss, path + " holds the books of another seq than it says");
  return LoadedCheckpoint{header, books.take()};
}

std::optional<LoadedCheckpoint> newest_checkpoint(Disk& disk, const std::string& directory, const JournalId& journal, Seq most,
                                                  Status* refused) {
  const Result<std::vector<Seq>> seqs = list_checkpoints(disk, directory);
  if (!seqs.ok()) return std::nullopt;  // there is no such directory
  for (const Seq seq : seqs.value()) {
    if (seq > most) continue;
    const std::string path = directory + "/" + checkpoint_name(seq);
    Result<LoadedCheckpoint> loaded = load_checkpoint(disk, path);
    if (loaded.ok() && loaded.value().header.journal == journal) return loaded.take();
    const Status why = loaded.ok() ? Status(Code::kDataLoss, "it is of another journal") : loaded.status();
    log_line(LogLevel::kWarn, "checkpoint.not_used", {{"file", path}, {"why", why.message()}});
    if (refused != nullptr && refused->ok()) *refused = why;
  }
  return std::nullopt;
}

Checkpoints::Checkpoints(Disk& disk, CheckpointOptions options, JournalFiles journal, Seq last, std::function<Seq()> durable,
                         NamedCounters& counters, std::function<void(const Status&)> on_damage)
    : disk_(disk), options_(std::move(options)), journal_(std::move(journal)), durable_(std::move(durable)), counters_(counters),
      on_damage_(std::move(on_damage)), last_(last), newest_(last) {}

bool Checkpoints::wants(Seq applied, std::uint64_t block_bytes, std::uint64_t trades) {
  if (const Seq offered = offered_.load(std::memory_order_relaxed); offered > last_) last_ = offered, bytes_ = 0;
  bytes_ += block_bytes;
  if (!options_.offered) return due(applied - last_, trades, 1);
  offer_after_.store(due(applied - last_, trades, 1) ? last_ : kNoOffer, std::memory_order_relaxed);
  return due(applied - last_, trades, kPatience);
}

void Checkpoints::take(Snapshot books) {
  last_ = views::seq_of(*books);
  bytes_ = 0;
  hand_over({std::move(books), ""});
}

void Checkpoints::offer(Snapshot books, std::string digest) {
  offered_.store(views::seq_of(*books), std::memory_order_relaxed);
  offer_after_.store(kNoOffer, std::memory_order_relaxed);
  hand_over({std::move(books), std::move(digest)});
}

void Checkpoints::hand_over(Books books) {
  const std::lock_guard lock(mutex_);
  const Seq seq = views::seq_of(*books.books);
  if (stopping_ || seq <= newest_) return;
  newest_ = seq;
  next_ = std::move(books);  // one that still waits is left out: the newer one is better
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  changed_.notify_all();
}

void Checkpoints::verify(LoadedCheckpoint loaded) {
  const std::lock_guard lock(mutex_);
  unverified_ = std::move(loaded);
  thread_ = std::thread([this] { work(); });
}

void Checkpoints::work() {
  work_in_background("checkpoint", kNiceness);
  while (true) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return next_.books != nullptr || unverified_.has_value() || stopping_; });
    if (stopping_) return;
    if (const std::optional<LoadedCheckpoint> loaded = std::exchange(unverified_, std::nullopt)) {
      lock.unlock();
      const std::string digest = views::state_digest(*loaded->books, breathe);
      if (digest == hex(loaded->header.state_digest)) continue;
      on_damage_(Status(Code::kDataLoss, "the books of checkpoint " + checkpoint_name(loaded->header.seq) + " have the digest " + digest +
                                             ", it says " + hex(loaded->header.state_digest) + ": move it away and start again"));
      return;
    }
    const Books taken = std::exchange(next_, {});
    lock.unlock();
    const Status status = write(taken);
    if (status.ok() || status.code() == Code::kUnavailable) continue;
    counters_.add("checkpoints_failed", 1);
    log_line(LogLevel::kError, "checkpoint.failed", {{"seq", views::seq_of(*taken.books)}, {"why", status.message()}});
  }
}

Status write_checkpoint(Disk& disk, const std::string& directory, const State& books, std::string digest,
                        const std::function<bool()>& stopping, const std::function<Status(CheckpointHeader&)>& complete) {
  if (Status status = disk.make_directory(directory); !status.ok()) return status;
  Result<std::unique_ptr<CheckpointWriter>> writer = CheckpointWriter::create(disk, directory);
  if (!writer.ok()) return writer.status();
  const std::string outline = checkpoint::outline_of(books);
  Status status = writer.value()->add(kOutlinePart, 0, 0, std::as_bytes(std::span(outline)));
  if (!status.ok()) return status;
  status = checkpoint::each_piece(books, [&](const checkpoint::Piece& piece) {
    breathe();
    return stopping() ? Status(Code::kUnavailable, "stopping") : writer.value()->add(piece.part, piece.first, piece.count, piece.bytes);
  });
  if (!status.ok()) return status;
  CheckpointHeader header;
  header.seq = views::seq_of(books);
  header.time = views::time_of(books);
  if (digest.empty()) digest = views::state_digest(books, breathe);
  for (std::size_t i = 0; i < header.state_digest.size(); ++i) {
    header.state_digest[i] = static_cast<std::byte>(std::stoi(digest.substr(2 * i, 2), nullptr, 16));
  }
  if (status = complete(header); !status.ok()) return status;
  return writer.value()->finish(header);
}

Status Checkpoints::write(const Books& taken) {
  const auto begun = std::chrono::steady_clock::now();
  const Seq seq = views::seq_of(*taken.books);
  const auto stops = [this] { return stopping(); };
  Status status = write_checkpoint(disk_, options_.directory, *taken.books, taken.digest, stops, [&](CheckpointHeader& header) {
    header.synced = options_.synced;
    if (!wait_until_durable(seq)) return Status(Code::kUnavailable, "stopping");
    Result<std::unique_ptr<JournalReader>> reader = journal_.open(seq);
    if (!reader.ok()) return reader.status();
    reader.value()->stop_after(seq);
    const Result<std::optional<BlockView>> block = reader.value()->next();
    if (!block.ok()) return block.status();
    if (!block.value() || block.value()->last_seq() != seq) {
      return Status(Code::kInternal, "seq " + std::to_string(seq) + " is not the end of a block");
    }
    header.chain = reader.value()->chain();
    header.journal = reader.value()->id();
    return ok_status();
  });
  if (status.ok()) status = prune_checkpoints(disk_, options_.directory, options_.keep);
  if (!status.ok()) return status;
  counters_.add("checkpoints", 1);
  if (options_.on_taken) options_.on_taken();
  log_line(LogLevel::kInfo, "checkpoint.taken",
           {{"seq", seq},
            {"seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count()}});
  return ok_status();
}

bool Checkpoints::wait_until_durable(Seq seq) {
  std::unique_lock lock(mutex_);
  while (!stopping_ && durable_() < seq) changed_.wait_for(lock, kLookAgain);
  return !stopping_;
}

bool Checkpoints::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Checkpoints::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace halocline
