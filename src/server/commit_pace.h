// When the journal's next commit may begin. On a machine that is nearly idle at once: then a pause would only be latency. On a busy one a
// pause is what makes blocks larger, so that fewer threads are woken for fewer messages, which is what kept it busy: with a commit that
// takes `c` and processors used to the part `u`, u / (1 - u) times c after the last one began, at most kLongest. That is no pause at all
// until they are half used, and grows as the queues before the processors do (an M/M/1 server's holds so many).
//
//   CommitPace pace(processors);
//   rest(pace.next() - now);
//   commit(); pace.committed(began, ended, processor_time);
//
// Times are monotonic, in ns; processor times are all threads' since the process began, in ns. One thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace halocline {

class CommitPace {
 public:
  static constexpr std::int64_t kLongest = 500'000;

  explicit CommitPace(unsigned processors) : processors_(std::max(1.0, static_cast<double>(processors))) {}

  std::int64_t next() const { return next_; }

  void committed(std::int64_t began, std::int64_t ended, std::int64_t processor_time) {
    takes_ += (static_cast<double>(ended - began) - takes_) / kForgets;
    if (ended - measured_at_ >= kWindow) measure(ended, processor_time);
    next_ = began + std::min(static_cast<std::int64_t>(takes_ * used_ / (1 - used_)), kLongest);
  }

 private:
  static constexpr std::int64_t kWindow = 50'000'000;  // as long as it takes to know how busy the machine is
  static constexpr double kForgets = 16;               // commits, until one that took long is half forgotten, or so
  static constexpr double kMostUsed = 0.95;

  void measure(std::int64_t now, std::int64_t processor_time) {
    const double used = static_cast<double>(processor_time - measured_) / (static_cast<double>(now - measured_at_) * processors_);
    used_ = std::clamp((used_ + used) / 2, 0.0, kMostUsed);
    measured_at_ = now;
    measured_ = processor_time;
  }

  const double processors_;
  double takes_ = 0;
  double used_ = 0;
  std::int64_t measured_at_ = 0, measured_ = 0;
  std::int64_t next_ = 0;
};

}  // namespace halocline
