#include "server/replay.h"

#include <algorithm>

#include "base/log.h"
#include "command/codec.h"
#include "engine/lookahead.h"
#include "engine/queries/live_queries.h"

namespace halocline {
namespace {

constexpr std::int64_t kLineEvery = 2'000'000'000;

}  // namespace

Replay::Replay(Engine& engine, Clock& clock, std::uint64_t total_bytes)
    : engine_(engine), clock_(clock), total_bytes_(total_bytes), begun_(clock.monotonic()), last_line_(begun_),
      applied_(engine.last_seq()) {
  for (Batch& batch : batches_) {
    batch.bytes.reserve(kFullAt + limits::kMaxBlockBytes);
    free_.push(&batch);
  }
  applier_ = std::thread([this] { apply_all(); });
}

Replay::~Replay() { finish(); }

BlockHandler Replay::handler() {
  return [this](const BlockView& block) { return take(block); };
}

Status Replay::take(const BlockView& block) {
  if (batch_ == nullptr) {
    reader_bell_.wait([&] { return !free_.empty(); });
    CHECK(free_.try_pop(batch_));
  }
  const std::size_t begin = batch_->bytes.size();
  CHECK(begin + block.payload.size() <= batch_->bytes.capacity());
  batch_->bytes.insert(batch_->bytes.end(), block.payload.begin(), block.payload.end());
  const std::span<const std::byte> payload(batch_->bytes.data() + begin, block.payload.size());
  for (const Record record : Records(payload, block.first_seq)) {
    if (record.seq <= applied_) continue;
    ++records_;
    Entry& entry = batch_->entries.emplace_back();
    entry.seq = record.seq;
    entry.time = block.time;
    entry.type = static_cast<CommandType>(record.type);
    entry.payload = record.payload;
    Command other;
    const bool decodes = entry.type == CommandType::kTrade ? decode_trade(record.payload, entry.trade)
                                                           : decode(entry.type, record.payload, other);
    if (!decodes) {
      return Status(Code::kUnsupported, "the journal's record " + std::to_string(record.seq) + " of type " + std::to_string(record.type) +
                                            " is no command this program knows; it was written by a newer one: start that one");
    }
  }
  bytes_ += block.payload.size();
  if (batch_->bytes.size() >= kFullAt) hand_over();
  progress();
  return ok_status();
}

void Replay::hand_over() {
  full_.push(batch_);
  batch_ = nullptr;
  applier_bell_.ring();
}

void Replay::progress() {
  const std::int64_t now = clock_.monotonic();
  if (now - last_line_ < kLineEvery) return;
  const double seconds = static_cast<double>(now - last_line_) / 1e9;
  const double percent = total_bytes_ == 0 ? 0 : std::min(99.0, 100.0 * static_cast<double>(bytes_) / static_cast<double>(total_bytes_));
  log_line(LogLevel::kInfo, "recovery.progress",
           {{"records", records_}, {"percent", static_cast<int>(percent)},
            {"records_per_s", static_cast<std::int64_t>(static_cast<double>(records_ - records_at_last_line_) / seconds)}});
  last_line_ = now;
  records_at_last_line_ = records_;
}

void Replay::finish() {
  if (finished_) return;
  finished_ = true;
  if (batch_ != nullptr) hand_over();
  full_.push(nullptr);
  applier_bell_.ring();
  applier_.join();
  elapsed_ = clock_.monotonic() - begun_;
}

void Replay::apply_all() {
  std::vector<AlertEvent> events;
  while (true) {
    applier_bell_.wait([&] { return !full_.empty(); });
    Batch* batch = nullptr;
    CHECK(full_.try_pop(batch));
    if (batch == nullptr) return;
    const std::vector<Entry>& entries = batch->entries;
    const auto trade_at = [&](std::size_t i) { return entries[i].type == CommandType::kTrade ? &entries[i].trade : nullptr; };
    apply_ahead(engine_, entries.size(), trade_at, [&](std::size_t i, const TradeHint& hint) {
      const Entry& entry = entries[i];
      if (entry.type == CommandType::kTrade) {
        engine_.apply(entry.seq, entry.time, entry.trade, hint, events);
      } else {
        engine_.apply(entry.seq, entry.time, entry.type, entry.payload, events);
      }
      events.clear();
    });
    static_cast<void>(engine_.queries().take());  // queries with names have changed; nobody watches them yet
    static_cast<void>(engine_.take_dropped_queries());
    batch->bytes.clear(), batch->entries.clear();
    free_.push(batch);
    reader_bell_.ring();
  }
}

}  // namespace halocline
