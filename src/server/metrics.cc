#include "server/metrics.h"

#include <unistd.h>

#include <fstream>

namespace halocline {

void NamedCounters::add(const char* name, std::uint64_t add) {
  std::lock_guard lock(mutex_);
  auto at = values_.find(std::string_view(name));
  if (at == values_.end()) at = values_.try_emplace(values_.size() < kMaxNames ? name : "other", 0).first;
  at->second += add;
}

void NamedCounters::append_to(std::vector<CounterRow>& rows) const {
  std::lock_guard lock(mutex_);
  for (const auto& [name, value] : values_) rows.push_back({name, value});
}

std::vector<LatencyRow> Metrics::latencies() const {
  const auto row = [](const char* stage, const Histogram& h) {
    return LatencyRow{stage, h.count(), h.percentile(50), h.percentile(90), h.percentile(99), h.percentile(99.9), h.max()};
  };
  return {row("received_sequenced", received_sequenced), row("sequenced_durable", sequenced_durable),
          row("sequenced_applied", sequenced_applied), row("durable_published", durable_published),
          row("received_published", received_published)};
}

std::vector<CounterRow> Metrics::counters() const {
  std::vector<CounterRow> rows;
  for (int i = 1; i < kOutcomeCount; ++i) {
    const std::uint64_t value = outcomes[static_cast<std::size_t>(i)].load(std::memory_order_relaxed);
    if (value != 0) rows.push_back({std::string(outcome_name(static_cast<Outcome>(i))), value});
  }
  rows.push_back({"submissions", submissions.load(std::memory_order_relaxed)});
  rows.push_back({"timers", timers.load(std::memory_order_relaxed)});
  rows.push_back({"alert_events", alert_events.load(std::memory_order_relaxed)});
  named.append_to(rows);
  return rows;
}

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace halocline
