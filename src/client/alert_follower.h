// Every alert event after a bookmark, once each and in order, over any break: the follower reconnects and resumes from the last
// event it handed on, whether the server went away, restarted, or cut it for being slow.
//
//   AlertFollower follower("127.0.0.1:7117", {.after_event_id = saved}, [&](const v1::AlertEvent& event) {
//     show(event);
//     saved = event.event_id();            // the bookmark of next time
//   });
//   …
//   follower.stop();
//
// The ids of events are consecutive; the follower checks that, and stops with kDataLoss rather than leave a gap.
//
// Threads: callbacks run on the follower's own thread, one at a time; time spent in them slows the reading, and in the end the
// server cuts and the follower resumes. stop() and the destructor wait for a running callback, so not from inside one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/status.h"
#include "halocline/v1/risk.pb.h"

namespace grpc {
class Channel;
class ClientContext;
}

namespace halocline {

class AlertFollower {
 public:
  struct Options {
    std::uint64_t after_event_id = 0;  // the bookmark; 0 for all events from the first
    bool from_now = false;             // ignore the bookmark: start after the newest event
    std::chrono::nanoseconds first_backoff = std::chrono::milliseconds(20);
    std::chrono::nanoseconds last_backoff = std::chrono::seconds(1);
    std::chrono::nanoseconds give_up_after{0};  // no connection for so long ends it; 0: never
    // Everything up to this event id is known to exist and comes now: called on each (re)connection, before its events.
    std::function<void(std::uint64_t event_id, std::uint64_t seq)> on_progress;
    // A break, with its cause; it resumes by itself.
    std::function<void(const Status&)> on_break;
  };

  AlertFollower(std::string server, Options options, std::function<void(const v1::AlertEvent&)> on_event);
  ~AlertFollower();
  AlertFollower(const AlertFollower&) = delete;
  AlertFollower& operator=(const AlertFollower&) = delete;

  // Ends it; no callback runs afterwards. What had ended it before, or ok.
  Status stop();

  // Waits until it has ended by itself (a bookmark out of range, a gap, given up) or the time is over. The reason; ok
  // while it follows.
  Status wait(std::chrono::nanoseconds timeout);

  // The last event handed on, or the bookmark. `breaks`: connections lost so far. Any thread.
  std::uint64_t bookmark() const;
  std::uint64_t breaks() const;

 private:
  void run();
  bool connect(grpc::Channel& channel, std::chrono::steady_clock::time_point since);
  Status take(const v1::AlertMessage& message);

  const std::string server_;
  const Options options_;
  const std::function<void(const v1::AlertEvent&)> on_event_;

  mutable std::mutex mutex_;
  std::condition_variable ended_;
  std::uint64_t bookmark_;
  bool bookmark_known_;            // false until the first progress, when it follows from now
  bool connected_ = false;         // the current connection has brought something
  std::uint64_t breaks_ = 0;
  bool stopping_ = false;
  bool done_ = false;
  Status status_;
  grpc::ClientContext* call_ = nullptr;  // to cancel it
  std::thread thread_;
};

}  // namespace halocline
