// What the pipeline counts about itself. Each histogram and each outcome counter has one writing thread (said beside
// it); all may be read on any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/histogram.h"
#include "command/outcome.h"
#include "command/port.h"

namespace halocline {

// Counters by name, at most kMaxNames of them; more names count together as "other". Any thread.
class NamedCounters {
 public:
  static constexpr std::size_t kMaxNames = 128;
  void add(const char* name, std::uint64_t add);
  void append_to(std::vector<CounterRow>& rows) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> values_;
};

// Time from one stage to the next, per submission.
struct Metrics {
  Histogram received_sequenced;   // sequencer
  Histogram sequenced_durable;    // sequencer
  Histogram sequenced_applied;    // engine
  Histogram durable_published;    // publisher
  Histogram received_published;   // publisher
  std::array<std::atomic<std::uint64_t>, kOutcomeCount> outcomes{};  // engine
  std::atomic<std::uint64_t> alert_events{0};                        // engine
  std::atomic<std::uint64_t> timers{0};                              // sequencer
  std::atomic<std::uint64_t> submissions{0};                         // sequencer
  NamedCounters named;

  std::vector<LatencyRow> latencies() const;
  std::vector<CounterRow> counters() const;
};

// Adds to a counter with one writer.
inline void add_to(std::atomic<std::uint64_t>& counter, std::uint64_t add) {
  counter.store(counter.load(std::memory_order_relaxed) + add, std::memory_order_relaxed);
}

// Resident memory of this process; 0 when the system does not say.
std::uint64_t resident_bytes();

}  // namespace halocline
