// What orders threads inside Debian's gRPC and Abseil, told to ThreadSanitizer.
//
// Those libraries are built without -fsanitize=thread: TSan sees neither their locks nor their atomics, and takes an object that one
// thread hands to gRPC and another gets back for a race. These definitions stand before the libraries' own (a symbol of the program wins
// over one of a shared library), say what is ordered, object by object, and call the library's. They are linked into TSan builds only.
//
//   absl::Mutex     whoever locks sees what was done before the last unlock; gpr_mu, grpc_core::Mutex and the executor's queues are such
//   a server        whoever waits for its end sees what the calls did before they left it
//   a call          whoever runs OnDone or OnCancel sees what the callbacks did which had to be over before
//   a batch of ops  whoever gets its completion sees what was done before it was started; the tag is the object they share
#include <dlfcn.h>
#include <grpc/grpc.h>
#include <grpcpp/server.h>
#include <grpcpp/support/server_callback.h>
#include <sanitizer/tsan_interface.h>

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "base/check.h"

namespace {

// The definition of `symbol` in the library that this program would have called.
template <class Function>
Function* library(const char* symbol) {
  void* found = dlsym(RTLD_NEXT, symbol);
  CHECK(found != nullptr, "no library has %s: is this another version of gRPC or Abseil than tests/tsan was written for?", symbol);
  return reinterpret_cast<Function*>(found);
}

}  // namespace

namespace absl {

static_assert(std::string_view(ABSL_INTERNAL_INLINE_NAMESPACE_STR) == "debian3", "the symbols below name the inline namespace");

void Mutex::Lock() {
  static const auto lock = library<void(Mutex*)>("_ZN4absl7debian35Mutex4LockEv");
  lock(this);
  __tsan_acquire(this);
}

void Mutex::Unlock() {
  static const auto unlock = library<void(Mutex*)>("_ZN4absl7debian35Mutex6UnlockEv");
  __tsan_release(this);
  unlock(this);
}

bool Mutex::TryLock() {
  static const auto try_lock = library<bool(Mutex*)>("_ZN4absl7debian35Mutex7TryLockEv");
  const bool locked = try_lock(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void CondVar::Wait(Mutex* mutex) {
  static const auto wait = library<void(CondVar*, Mutex*)>("_ZN4absl7debian37CondVar4WaitEPNS0_5MutexE");
  __tsan_release(mutex);
  wait(this, mutex);
  __tsan_acquire(mutex);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static const auto wait =
      library<bool(CondVar*, Mutex*, Duration)>("_ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
  __tsan_release(mutex);
  const bool expired = wait(this, mutex, timeout);
  __tsan_acquire(mutex);
  return expired;
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static const auto wait = library<bool(CondVar*, Mutex*, Time)>("_ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  __tsan_release(mutex);
  const bool expired = wait(this, mutex, deadline);
  __tsan_acquire(mutex);
  return expired;
}

}  // namespace absl

// A batch: started with its tag by grpc_call_start_batch or a request for a call, ended with it by grpc_cq_end_op on whatever thread the
// transport's work came to, and given to the program: by the queue's functor, after a mutex, or by grpc_completion_queue_next and _pluck.

extern "C" {

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t count, void* tag, void* reserved) {
  static const auto start = library<decltype(grpc_call_start_batch)>("grpc_call_start_batch");
  __tsan_release(tag);
  return start(call, ops, count, tag, reserved);
}

grpc_call_error grpc_server_request_call(grpc_server* server, grpc_call** call, grpc_call_details* details, grpc_metadata_array* metadata,
                                         grpc_completion_queue* bound_to, grpc_completion_queue* notified, void* tag) {
  static const auto request = library<decltype(grpc_server_request_call)>("grpc_server_request_call");
  __tsan_release(tag);
  return request(server, call, details, metadata, bound_to, notified, tag);
}

grpc_call_error grpc_server_request_registered_call(grpc_server* server, void* method, grpc_call** call, gpr_timespec* deadline,
                                                    grpc_metadata_array* metadata, grpc_byte_buffer** payload,
                                                    grpc_completion_queue* bound_to, grpc_completion_queue* notified, void* tag) {
  static const auto request = library<decltype(grpc_server_request_registered_call)>("grpc_server_request_registered_call");
  __tsan_release(tag);
  return request(server, method, call, deadline, metadata, payload, bound_to, notified, tag);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline, void* reserved) {
  static const auto next = library<decltype(grpc_completion_queue_next)>("grpc_completion_queue_next");
  const grpc_event event = next(queue, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag, gpr_timespec deadline, void* reserved) {
  static const auto pluck = library<decltype(grpc_completion_queue_pluck)>("grpc_completion_queue_pluck");
  const grpc_event event = pluck(queue, tag, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

}  // extern "C"

struct grpc_cq_completion;

// Completions of every kind of queue pass here.
void grpc_cq_end_op(grpc_completion_queue* queue, void* tag, absl::Status error, void (*done)(void*, grpc_cq_completion*), void* done_arg,
                    grpc_cq_completion* storage, bool internal) {
  static const auto end = library<decltype(grpc_cq_end_op)>(
      "_Z14grpc_cq_end_opP21grpc_completion_queuePvN4absl7debian36StatusEPFvS1_P18grpc_cq_completionES1_S6_b");
  __tsan_acquire(tag);
  __tsan_release(tag);
  end(queue, tag, std::move(error), done, done_arg, storage, internal);
}

namespace grpc {

// Each call in flight keeps the server; Shutdown waits for the last.

void Server::UnrefWithPossibleNotify() {
  static const auto unref = library<void(Server*)>("_ZN4grpc6Server23UnrefWithPossibleNotifyEv");
  __tsan_release(this);
  unref(this);
}

void Server::UnrefAndWaitLocked() {
  static const auto wait = library<void(Server*)>("_ZN4grpc6Server18UnrefAndWaitLockedEv");
  __tsan_release(this);
  wait(this);
  __tsan_acquire(this);
}

namespace internal {

// A call counts down what is outstanding, here in headers that TSan sees and there in the library: both meet at the counters.

void ServerCallbackCall::ScheduleOnDone(bool inline_ondone) {
  static const auto schedule = library<void(ServerCallbackCall*, bool)>("_ZN4grpc8internal18ServerCallbackCall14ScheduleOnDoneEb");
  __tsan_acquire(&callbacks_outstanding_);
  schedule(this, inline_ondone);
}

void ServerCallbackCall::CallOnCancel(ServerReactor* reactor) {
  static const auto call = library<void(ServerCallbackCall*, ServerReactor*)>(
      "_ZN4grpc8internal18ServerCallbackCall12CallOnCancelEPNS0_13ServerReactorE");
  // The library counts down after the reaction: it is over before whatever waits for the count.
  class Reaction final : public ServerReactor {
   public:
    Reaction(ServerReactor* reactor, void* counter) : reactor_(reactor), counter_(counter) {}
    void OnCancel() override {
      reactor_->OnCancel();
      __tsan_release(counter_);
      delete this;
    }
    void OnDone() override { CHECK(false, "OnDone is for the reactor itself"); }

   private:
    bool InternalInlineable() override { return reactor_->InternalInlineable(); }
    ServerReactor* const reactor_;
    void* const counter_;
  };
  __tsan_acquire(&on_cancel_conditions_remaining_);
  call(this, new Reaction(reactor, &callbacks_outstanding_));
}

}  // namespace internal
}  // namespace grpc
