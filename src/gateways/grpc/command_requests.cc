// The kinds of CommandRequest (ack_call.h).
#include <string>
#include <utility>

#include "base/limits.h"
#include "command/codec.h"
#include "gateways/grpc/ack_call.h"
#include "gateways/grpc/batch.h"
#include "gateways/grpc/bytes.h"
#include "gateways/grpc/refusal.h"
#include "gateways/grpc/status_details.h"
#include "gateways/grpc/to_command.h"

namespace halocline::rpc {
namespace {

constexpr int kMaxUpsertItems = 1024;

grpc::Status no_message(const google::protobuf::MessageLite& message) {
  return invalid_argument({{"", "the request is no valid " + message.GetTypeName() + ": damaged bytes, or text that is not UTF-8"}});
}

void fill_ack(const Acknowledgement& ack, std::string detail, v1::Ack& out) {
  out.set_outcome(static_cast<v1::Outcome>(ack.outcome));
  out.set_seq(ack.seq);
  out.set_first_seq(ack.first_seq);
  out.set_detail(std::move(detail));
}

class TradeRequest final : public CommandRequest {
 public:
  grpc::Status read(const grpc::ByteBuffer& request, std::vector<Submission>& submissions) override {
    grpc::ByteBuffer copy(request);
    take_bytes(copy, wire_);
    if (!read_trade(wire_, trade_)) {
      return invalid_argument({{"", "the request is no valid halocline.v1.Trade: its bytes are damaged"}});
    }
    std::string field, detail;
    if (find_bad_text(trade_, field, detail)) return invalid_argument({{field, detail}});
    Submission& one = submissions.emplace_back();
    append_record(trade_, one.records);
    one.count = 1;
    return grpc::Status::OK;
  }

  grpc::ByteBuffer answer(std::span<const Acknowledgement> acks) override {
    v1::Ack out;
    fill_ack(acks[0], refusal_detail(acks[0].outcome, trade_), out);
    return to_bytes(out);
  }

 private:
  std::string wire_;
  Trade trade_;
};

class PricesRequest final : public CommandRequest {
 public:
  grpc::Status read(const grpc::ByteBuffer& request, std::vector<Submission>& submissions) override {
    grpc::ByteBuffer copy(request);
    take_bytes(copy, batch_.wire);
    Submission one;
    std::string error;
    if (!read_prices(batch_, one.records, error)) return invalid_argument({{"prices", error}});
    one.count = batch_.commands;
    if (one.count != 0) submissions.push_back(std::move(one));
    return grpc::Status::OK;
  }

  grpc::ByteBuffer answer(std::span<const Acknowledgement> acks) override {
    take_acks(batch_, acks);
    v1::TradeAcks out;
    fill_answer(batch_, out);
    return to_bytes(out);
  }

 private:
  Batch batch_;
};

class UpsertRequest final : public CommandRequest {
 public:
  grpc::Status read(const grpc::ByteBuffer& request, std::vector<Submission>& submissions) override {
    if (!parse(request, request_)) return no_message(request_);
    if (request_.items_size() == 0 || request_.items_size() > kMaxUpsertItems) {
      return invalid_argument({{"items", "items has " + std::to_string(request_.items_size()) + " entries; it takes 1 to " +
                                             std::to_string(kMaxUpsertItems)}});
    }
    for (const v1::ReferenceItem& in : request_.items()) {
      Item& item = items_.emplace_back();
      std::vector<Violation> violations;
      item.is_command = to_command(in, item.command, violations);
      if (!item.is_command) {
        item.detail = violations[0].description;
        continue;
      }
      if (submissions.empty() || submissions.back().records.size() + limits::kMaxCommandBytes > limits::kMaxSubmissionBytes) {
        submissions.emplace_back();
      }
      append_record(item.command, submissions.back().records);
      ++submissions.back().count;
    }
    return grpc::Status::OK;
  }

  grpc::ByteBuffer answer(std::span<const Acknowledgement> acks) override {
    v1::UpsertResponse out;
    std::size_t next = 0;
    for (Item& item : items_) {
      v1::Ack& ack = *out.add_acks();
      if (!item.is_command) {
        fill_ack(Acknowledgement{0, 0, Outcome::kInvalidName}, std::move(item.detail), ack);
      } else {
        const Acknowledgement& from = acks[next++];
        fill_ack(from, refusal_detail(from.outcome, item.command), ack);
      }
    }
    return to_bytes(out);
  }

 private:
  struct Item {
    Command command;
    bool is_command = false;
    std::string detail;  // when it is none
  };
  v1::UpsertRequest request_;
  std::vector<Item> items_;
};

// One message, one command, one Ack.
template <class Message>
class SingleRequest final : public CommandRequest {
 public:
  grpc::Status read(const grpc::ByteBuffer& request, std::vector<Submission>& submissions) override {
    if (!parse(request, message_)) return no_message(message_);
    std::vector<Violation> violations;
    if (!to_command(message_, command_, violations)) return invalid_argument(violations);
    Submission& one = submissions.emplace_back();
    append_record(command_, one.records);
    one.count = 1;
    return grpc::Status::OK;
  }

  grpc::ByteBuffer answer(std::span<const Acknowledgement> acks) override {
    v1::Ack out;
    fill_ack(acks[0], refusal_detail(acks[0].outcome, command_), out);
    return to_bytes(out);
  }

 private:
  Message message_;
  Command command_;
};

}  // namespace

std::unique_ptr<CommandRequest> submit_trade_request() { return std::make_unique<TradeRequest>(); }
std::unique_ptr<CommandRequest> publish_prices_request() { return std::make_unique<PricesRequest>(); }
std::unique_ptr<CommandRequest> upsert_request() { return std::make_unique<UpsertRequest>(); }
std::unique_ptr<CommandRequest> set_limit_request() { return std::make_unique<SingleRequest<v1::Limit>>(); }
std::unique_ptr<CommandRequest> remove_limit_request() { return std::make_unique<SingleRequest<v1::RemoveLimitRequest>>(); }
std::unique_ptr<CommandRequest> ack_alert_request() { return std::make_unique<SingleRequest<v1::AckAlertRequest>>(); }
std::unique_ptr<CommandRequest> end_of_day_request() { return std::make_unique<SingleRequest<v1::EndOfDayRequest>>(); }

}  // namespace halocline::rpc
