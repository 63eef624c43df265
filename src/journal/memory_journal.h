// The journal of the `memory` mode: keeps nothing, counts everything. For benches, and for who wants the hot half only.
#pragma once

#include <atomic>

#include "journal/journal.h"

namespace halocline {

class MemoryJournal final : public Journal {
 public:
  Status append(const BlockView& block) override;
  Result<Seq> commit() override { return next_seq_ - 1; }
  bool commit_waits() const override { return false; }
  Status close() override { return ok_status(); }
  Seq next_seq() const override { return next_seq_; }
  JournalStats stats() const override;

 private:
  Seq next_seq_ = 1;
  Nanos last_time_ = 0;
  std::atomic<std::uint64_t> records_{0};
  std::atomic<std::uint64_t> blocks_{0};
  std::atomic<std::uint64_t> bytes_{0};
};

// The CHECKs of Journal::append, for every implementation.
void check_appendable(const BlockView& block, Seq next_seq, Nanos last_time);

}  // namespace halocline
