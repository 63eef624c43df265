// FollowAlerts: one subscriber. The core offers events, which wait here, in a bounded queue, for the transport; a subscriber that
// lets it fill is cut, and is told the last event that is on its way to it, to resume from.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "command/port.h"
#include "gateways/grpc/calls.h"
#include "halocline/v1/risk.pb.h"

namespace halocline::rpc {

class FollowCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer>, public AlertSubscriber, public Call {
 public:
  FollowCall(Calls& calls, const v1::FollowAlertsRequest& request)
      : Call(calls), bookmark_(request.after_event_id()), from_now_(request.from_now()) {}

  void start();

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { done(); }

  void started(std::vector<AlertEvent> backlog, std::uint64_t complete_to, Seq seq) override;
  bool offer(const std::shared_ptr<const AlertEvent>& event) override;
  void ended(const Status& why) override;

  void flush() override;

 private:
  void advance(std::unique_lock<std::mutex> lock);
  // What is to be sent next, and the bookmark once it is; false when there is nothing. With the lock held.
  bool next(v1::AlertMessage& message, std::shared_ptr<const AlertEvent>& event, std::uint64_t& event_id);
  grpc::Status end_status() const;

  const std::uint64_t bookmark_;
  const bool from_now_;
  grpc::ByteBuffer write_;

  std::mutex mutex_;
  std::optional<v1::AlertMessage::Progress> progress_;  // to be sent
  std::vector<AlertEvent> backlog_;
  std::size_t backlog_sent_ = 0;
  std::deque<std::shared_ptr<const AlertEvent>> queue_;
  std::uint64_t last_sent_ = 0;  // the last event given to the transport, or the bookmark it began with
  std::optional<Status> ended_;  // the core is through with it
  bool writing_ = false;
  bool finished_ = false;
};

}  // namespace halocline::rpc
