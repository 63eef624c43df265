// A server for the tests of the client: takes trades and prices like the real one (a key's first version is accepted, the
// same again is a duplicate), and breaks where the test says.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "base/check.h"
#include "halocline/v1/ingest.grpc.pb.h"
#include "halocline/v1/risk.grpc.pb.h"

namespace halocline {

// Keeps what was taken over restarts of its server, as a journal would.
class ScriptedServer final : public v1::Ingest::Service, public v1::Risk::Service {
 public:
  ScriptedServer() { start(0); }
  ~ScriptedServer() override { stop(); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  void stop() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }
  void start(int port) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(static_cast<v1::Ingest::Service*>(this));
    builder.RegisterService(static_cast<v1::Risk::Service*>(this));
    server_ = builder.BuildAndStart();
    CHECK(server_ != nullptr, "port %d is taken", port);
  }
  void restart() {
    stop();
    start(port_);
  }

  // The script. Each stream is broken after it has taken so many batches: the last one's answer is kept back.
  std::atomic<int> break_after_batches{0};
  std::atomic<bool> hold_answers{false};      // takes batches and answers none
  std::mutex gate;                            // whoever has it keeps the answers to trades back
  std::atomic<bool> wrong_batch_id{false};
  std::atomic<bool> refuse_for_good{false};
  std::atomic<std::uint64_t> cut_after_events{0};  // a follower is cut after so many
  std::atomic<std::uint64_t> leave_out_event{0};
  std::atomic<std::uint64_t> events{0};            // how many there are

  std::vector<v1::Trade> taken() const {
    std::lock_guard lock(mutex_);
    return taken_;
  }
  // Of trades.
  void wait_until_taken(std::size_t trades) {
    std::unique_lock lock(mutex_);
    more_taken_.wait(lock, [&] { return taken_.size() >= trades; });
  }
  std::vector<v1::Price> prices() const {
    std::lock_guard lock(mutex_);
    return prices_;
  }

  grpc::Status SubmitTrades(grpc::ServerContext*, grpc::ServerReaderWriter<v1::TradeAcks, v1::TradeBatch>* stream) override {
    if (refuse_for_good) return {grpc::StatusCode::FAILED_PRECONDITION, "no trades today"};
    v1::TradeBatch batch;
    for (int batches = 1; stream->Read(&batch); ++batches) {
      v1::TradeAcks acks;
      acks.set_batch_id(batch.batch_id() + (wrong_batch_id ? 1 : 0));
      {
        std::lock_guard lock(mutex_);
        for (int i = 0; i < batch.trades_size(); ++i) take(batch.trades(i), i, acks);
      }
      more_taken_.notify_all();
      if (batches == break_after_batches) return {grpc::StatusCode::UNAVAILABLE, "broken by the script"};
      std::lock_guard open(gate);
      if (!hold_answers) stream->Write(acks);
    }
    return grpc::Status::OK;
  }

  grpc::Status StreamPrices(grpc::ServerContext*, grpc::ServerReaderWriter<v1::PriceAcks, v1::PriceBatch>* stream) override {
    v1::PriceBatch batch;
    for (int batches = 1; stream->Read(&batch); ++batches) {
      v1::PriceAcks acks;
      acks.set_batch_id(batch.batch_id());
      acks.set_first_seq(1);
      {
        std::lock_guard lock(mutex_);
        for (const v1::Price& price : batch.prices()) prices_.push_back(price);
      }
      if (batches == break_after_batches) {
        break_after_batches = 0;
        return {grpc::StatusCode::UNAVAILABLE, "broken by the script"};
      }
      if (!hold_answers) stream->Write(acks);
    }
    return grpc::Status::OK;
  }

  grpc::Status FollowAlerts(grpc::ServerContext* context, const v1::FollowAlertsRequest* request,
                            grpc::ServerWriter<v1::AlertMessage>* stream) override {
    if (!request->from_now() && request->after_event_id() > events) {
      return {grpc::StatusCode::OUT_OF_RANGE, "the bookmark is ahead of the newest event"};
    }
    std::uint64_t last = request->from_now() ? events.load() : request->after_event_id();
    v1::AlertMessage message;
    message.mutable_progress()->set_event_id(events);
    stream->Write(message);
    for (std::uint64_t sent = 0; !context->IsCancelled();) {
      if (last == events) {
        std::unique_lock lock(mutex_);  // looks again, for more events and for a client that has left
        idle_.wait_for(lock, std::chrono::milliseconds(1));
        continue;
      }
      if (++last == leave_out_event) continue;
      message.mutable_event()->set_event_id(last);
      if (!stream->Write(message)) break;
      if (++sent == cut_after_events) return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too slow"};
    }
    return grpc::Status::OK;
  }

  grpc::Status GetTrade(grpc::ServerContext*, const v1::GetTradeRequest*, v1::TradeState*) override {
    google::rpc::Status details;
    google::rpc::BadRequest bad;
    auto* violation = bad.add_field_violations();
    violation->set_field("source");
    violation->set_description("is longer than 32 bytes");
    details.add_details()->PackFrom(bad);
    return {grpc::StatusCode::INVALID_ARGUMENT, "not a trade's key", details.SerializeAsString()};
  }

 private:
  void take(const v1::Trade& trade, int index, v1::TradeAcks& acks) {
    const auto except = [&] {
      auto* exception = acks.add_exceptions();
      exception->set_index(static_cast<std::uint32_t>(index));
      return exception->mutable_ack();
    };
    if (trade.source().empty()) {  // never a command: no seq
      v1::Ack* ack = except();
      ack->set_outcome(v1::INVALID_NAME);
      ack->set_detail("source is empty");
      return;
    }
    const std::uint64_t seq = next_seq_++;
    if (acks.first_seq() == 0) acks.set_first_seq(seq);
    const auto [at, fresh] = first_seqs_.emplace(trade.source() + '/' + trade.trade_id(), seq);
    if (fresh) {
      taken_.push_back(trade);
      return;
    }
    v1::Ack* ack = except();
    ack->set_outcome(v1::DUPLICATE);
    ack->set_seq(seq);
    ack->set_first_seq(at->second);
  }

  mutable std::mutex mutex_;
  std::condition_variable idle_, more_taken_;
  std::vector<v1::Trade> taken_;
  std::vector<v1::Price> prices_;
  std::map<std::string, std::uint64_t> first_seqs_;
  std::uint64_t next_seq_ = 1;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace halocline
