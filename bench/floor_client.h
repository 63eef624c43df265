// What the loads share: the floor of floor_workload.h loaded into a running server over the client library, the trades that must bring an
// alert, and the clock they are measured with.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/floor_workload.h"
#include "client/alert_follower.h"
#include "client/client.h"

namespace halocline::bench {

// Monotonic nanoseconds.
std::int64_t now();
void wait_until(std::int64_t when);
// Ends the process when it takes more than a minute.
void wait_for(const std::function<bool()>& done, const char* what);

// Where sends are planned closer than kShortInterval, the sender sleeps for kSendStep and sends what has become due together: a sleep
// for each takes a tenth of a small machine. The wait counts as any other, from the planned time.
inline constexpr std::int64_t kShortInterval = 50'000, kSendStep = 200'000;

// Calls send(i) at start + i * interval, whatever came back, up to kSendStep later where the interval is short. By how
// much the latest of those from `first_counted` on was late.
template <class Send>
std::int64_t open_loop(std::int64_t start, std::int64_t interval, std::int64_t total, std::int64_t first_counted, Send send) {
  const std::int64_t step = interval < kShortInterval ? kSendStep : 0;
  std::int64_t late = 0;
  for (std::int64_t i = 0; i < total; ++i) {
    const std::int64_t planned = start + i * interval;
    if (now() < planned) wait_until(planned + step);
    if (i >= first_counted) late = std::max(late, now() - planned);
    send(i);
  }
  return late;
}
// Of values in order; p in [0, 1].
std::int64_t percentile(const std::vector<std::int64_t>& sorted, double p);
[[noreturn]] void fail(const std::string& what);

// A trade as it goes over the wire; no allocation when `to` is used again.
void fill(const Trade& from, v1::Trade& to);

// Reference data, first prices, and a limit for each trader, which only kWatched reaches. Ends the process when something is refused.
void load_floor(Client& client, const FloorWorkload& floor);

// The trader of every kWatchedEvery-th trade, by turns a buy that lifts him over his limit and the sell that takes him back, so
// each of them brings an alert event.
inline constexpr const char* kWatched = "T000";
inline constexpr std::int64_t kWatchedEvery = 100;

class WatchedTrades {
 public:
  // Trade number i of a floor, ready to be sent: the watched trader's when it is his turn, and never his when it is not.
  Trade next(FloorWorkload& floor, std::string& id, std::int64_t i);

 private:
  bool long_now_ = false;
};

// Follows the watched trader's alerts and measures each from the planned send time of its trade: trade i's is start + i * interval.
class AlertClock {
 public:
  AlertClock(const std::string& server, std::int64_t interval, std::int64_t first_counted, std::int64_t total);
  AlertClock(const AlertClock&) = delete;

  // Before the first trade is sent.
  void start(std::int64_t at) { start_.store(at); }
  std::int64_t planned(std::int64_t i) const { return start_.load() + i * interval_; }
  // After everything was acknowledged, so that all alerts have been sent: waits a moment for the last of them, and ends.
  void stop();
  // After stop(): percentiles in µs and counts, as members of a JSON object.
  std::string json() const;
  std::uint64_t missed() const { return expected_ - std::min(expected_, events_.load()); }

 private:
  const std::int64_t interval_, first_counted_;
  const std::uint64_t expected_;
  std::atomic<std::int64_t> start_{0};
  std::atomic<std::uint64_t> events_{0};
  std::vector<std::int64_t> latencies_;
  AlertFollower follower_;
};

}  // namespace halocline::bench
