// When the history commits next, so that what is durable can be read in the tables within the interval: commits aim at five sixths of it,
// as one may take longer than the last, and begin earlier by as long as they took of late, the first as if they took half of the interval.
// What is read of the journal before a commit is not counted: counted, commits that came too often would keep it so, each with the more to
// read the more time the one before had taken.
//
//   CommitSchedule schedule(interval, clock.monotonic());
//   if (schedule.due(now)) { read_on(); const auto from = clock.monotonic(); commit(); schedule.committed(now, clock.monotonic() - from); }
//
// All times are monotonic, in ns. One thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace halocline {

class CommitSchedule {
 public:
  CommitSchedule(std::int64_t interval, std::int64_t now)
      : interval_(interval), takes_(interval / 2), late_from_(now + interval - interval / kSpare), next_(late_from_ - takes_) {}

  bool due(std::int64_t now) const { return now >= next_; }
  // How long until it is; 0: it is.
  std::int64_t left(std::int64_t now) const { return std::max<std::int64_t>(next_ - now, 0); }

  // When what has waited longest should be there: a commit that ends later is late.
  std::int64_t late_from() const { return late_from_; }

  // One, or an attempt, was due then, and took so long. What becomes durable from then on can be read when the next one has ended.
  void committed(std::int64_t began, std::int64_t took) {
    takes_ = std::max(took, takes_ - takes_ / kForgets);
    late_from_ = began + interval_ - interval_ / kSpare;
    next_ = late_from_ - std::min(takes_, interval_ / 2);
  }

 private:
  static constexpr std::int64_t kSpare = 6;    // of the interval, one part
  static constexpr std::int64_t kForgets = 4;  // one that took long counts a quarter less with each after it

  const std::int64_t interval_;
  std::int64_t takes_;
  std::int64_t late_from_;
  std::int64_t next_;
};

}  // namespace halocline
