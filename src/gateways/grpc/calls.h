// What all open calls share: the port, the bounds, and the two hand-overs between gRPC's threads and the core's.
//
//   gRPC thread ── Submitter ──> Port::submit      may block; then at most one gRPC thread waits there, for all
//   core thread ── Outbox ─────> Call::flush       on a thread of its own, so that no client costs the core time; the few calls that a lone
//                                                  block tells (Courier) at once, on the core's, which has nothing else to do then
//
// A Call is one RPC under way. It owns itself from open() until gRPC is done with it; the core may hold it longer, as an
// AckSink, AlertSubscriber or in a reply, and finds it finished.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include <grpcpp/support/server_callback.h>

#include "command/port.h"
#include "gateways/grpc/client_quota.h"
#include "gateways/grpc/grpc_gateway.h"

namespace halocline::rpc {

class Calls;

class Call : public std::enable_shared_from_this<Call> {
 public:
  explicit Call(Calls& calls) : calls_(calls) {}
  virtual ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Writes or finishes what is ready, without waiting. On the outbox's thread or a core thread, after post().
  virtual void flush() {}
  // Takes no more commands from the client; what was taken is still answered. On serve()'s thread.
  virtual void drain() {}

 protected:
  // Keeps the call alive until done(), which is for OnDone() and may be the end of it.
  void open();
  void done();

  Calls& calls_;  // not to be touched once the call is finished

 private:
  friend class Outbox;
  std::atomic<bool> posted_{false};
  std::shared_ptr<Call> self_;
};

// Wakes calls on a thread of its own. Each call is in it at most once, so it is bounded by the open calls.
class Outbox final : public Courier {
 public:
  void start();
  void stop();  // after the last call is done
  // Any thread; does not block.
  void post(std::shared_ptr<Call> call);
  // The same, at a time of the steady clock.
  void post_at(std::chrono::steady_clock::time_point when, std::weak_ptr<Call> call);

  // The first few calls that this thread posts in between are flushed by the second, on this thread.
  void gather() override;
  void deliver() override;

 private:
  using Posted = std::vector<std::shared_ptr<Call>>;
  void run();
  static void flush(Posted& calls);

  std::mutex mutex_;
  std::condition_variable wake_;
  Posted posted_;
  Posted gathered_;
  std::multimap<std::chrono::steady_clock::time_point, std::weak_ptr<Call>> later_;
  bool sleeping_ = false;
  std::thread::id gatherer_;
  bool stopping_ = false;
  std::thread thread_;
};

// Hands submissions to the port in the order they come, on whichever thread brings one: the first does it for the
// others, who go on. Bounded by what the calls may have unanswered. A submission that the port refuses is abandoned.
class Submitter {
 public:
  void start(Port& port) { port_ = &port; }
  void submit(Submission submission);

 private:
  Port* port_ = nullptr;
  std::mutex mutex_;
  bool busy_ = false;
  std::deque<Submission> waiting_;
};

class Calls {
 public:
  explicit Calls(const GrpcOptions& bounds) : options(bounds), queries(bounds.client_queries) {}

  // Whether one more call may be opened; else why not.
  bool admits(grpc::Status& why);
  // The same for a call that holds a listing; give_back_listing() when it is done.
  bool take_listing(grpc::Status& why);
  void give_back_listing() { --listings_; }

  void begin_drain();  // admits no more calls, drains those that are open
  bool draining() const { return draining_.load(std::memory_order_acquire); }

  const GrpcOptions options;
  Port* port = nullptr;
  Outbox outbox;
  Submitter submitter;
  ClientQuota queries;  // that are subscribed to
  std::atomic<std::size_t> unanswered_bytes{0};  // of all streams

 private:
  friend class Call;

  std::atomic<bool> draining_{false};
  std::atomic<std::uint32_t> listings_{0};
  std::mutex mutex_;
  std::unordered_map<Call*, std::weak_ptr<Call>> open_;
};

grpc::Status shutting_down();

// A call that ends as soon as it began.
template <class Reactor>
class RefusedCall final : public Reactor {
 public:
  explicit RefusedCall(grpc::Status why) { this->Finish(std::move(why)); }
  void OnDone() override { delete this; }
};

}  // namespace halocline::rpc
