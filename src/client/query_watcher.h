// A continuous query, for as long as it is wanted: its answer, then every change of it, over any break: after one it goes on where it was,
// and nothing is left out or told twice. Only when the server has nothing to go back to (it keeps no journal) the answer comes anew.
//
//   v1::SubscribeRequest request;
//   request.set_sql("SELECT trader, SUM(notional) FROM trades GROUP BY trader");
//   QueryWatcher watcher("127.0.0.1:7117", request, {}, [&](const v1::SubscribeMessage& message) { … });
//   …
//   watcher.stop();
//
// Threads: callbacks run on the watcher's own thread, one at a time; time spent in them slows the reading, and in the end the server
// does what the request says in when_slow. stop() and the destructor wait for a running callback, so not from inside one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/status.h"
#include "halocline/v1/queries.pb.h"

namespace grpc {
class ClientContext;
}

namespace halocline {

class QueryWatcher {
 public:
  struct Options {
    std::chrono::nanoseconds first_backoff = std::chrono::milliseconds(20);
    std::chrono::nanoseconds last_backoff = std::chrono::seconds(1);
    std::chrono::nanoseconds give_up_after{0};  // no connection for so long ends it; 0: never
    std::function<void(const Status&)> on_break;
  };

  // `on_message` is given rows, changes and progress, changes only when all of their seq is there; the request's id is the watcher's
  // to set. A request with a bookmark begins after it.
  QueryWatcher(std::string server, v1::SubscribeRequest request, Options options,
               std::function<void(const v1::SubscribeMessage&)> on_message);
  ~QueryWatcher();
  QueryWatcher(const QueryWatcher&) = delete;
  QueryWatcher& operator=(const QueryWatcher&) = delete;

  // Ends it; no callback runs afterwards. What had ended it before, or ok.
  Status stop();
  // Waits until it has ended by itself (refused, cut, given up) or the time is over. The reason; ok while it watches.
  Status wait(std::chrono::nanoseconds timeout);

 private:
  void run();
  void take(v1::SubscribeMessage& message);

  const std::string server_;
  v1::SubscribeRequest request_;
  const Options options_;
  const std::function<void(const v1::SubscribeMessage&)> on_message_;

  // The watcher's thread's.
  std::vector<v1::SubscribeMessage> pages_;  // of changes whose seq is not complete
  std::optional<std::uint64_t> bookmark_;    // everything up to it was given

  std::mutex mutex_;
  std::condition_variable ended_;
  bool stopping_ = false, done_ = false;
  Status status_;
  grpc::ClientContext* call_ = nullptr;  // to cancel it
  std::thread thread_;
};

}  // namespace halocline
