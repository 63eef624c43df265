#include "journal/memory_journal.h"

#include "base/check.h"
#include "journal/block.h"

namespace halocline {

void check_appendable(const BlockView& block, Seq next_seq, Nanos last_time) {
  CHECK(block.first_seq == next_seq, "a block with seq %llu where %llu is next",
        static_cast<unsigned long long>(block.first_seq), static_cast<unsigned long long>(next_seq));
  CHECK(block.time >= last_time, "time runs backwards from %lld to %lld", static_cast<long long>(last_time),
        static_cast<long long>(block.time));
  CHECK(block.records > 0 && block.payload.size() <= limits::kMaxBlockBytes, "a block of %u records, %zu bytes",
        block.records, block.payload.size());
  const auto records = count_records(block.payload);
  CHECK(records.has_value() && *records == block.records, "a block of %u records holds %u", block.records,
        records.value_or(0));
}

Status MemoryJournal::append(const BlockView& block) {
  check_appendable(block, next_seq_, last_time_);
  next_seq_ += block.records;
  last_time_ = block.time;
  records_.fetch_add(block.records, std::memory_order_relaxed);
  blocks_.fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(block_bytes(block.payload.size()), std::memory_order_relaxed);
  return ok_status();
}

JournalStats MemoryJournal::stats() const {
  JournalStats stats;
  stats.records = records_.load(std::memory_order_relaxed);
  stats.blocks = blocks_.load(std::memory_order_relaxed);
  stats.bytes = bytes_.load(std::memory_order_relaxed);
  return stats;
}

}  // namespace halocline
