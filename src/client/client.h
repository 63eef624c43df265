// One request, one answer: the client for everything that is not a stream of trades, prices or alerts.
//
//   Client client("127.0.0.1:7117");
//   Result<v1::Ack> ack = client.submit_trade(trade);
//   if (!ack.ok()) return ack.status();            // could not be reached, or not a request at all
//   if (ack.value().outcome() == v1::ACCEPTED) …   // a refusal is an answer: outcome and detail
//
// Failures are Statuses with a text for people: kUnavailable when the server cannot be reached or is too slow (a change may then
// have happened or not; all changes can be asked for again), kInvalidArgument with the fields that were wrong, kNotFound.
// Listings come in pages that belong to one seq; `take` is called for each, on the caller's thread.
//
// Threads: all methods on any thread; each waits for its answer, up to the timeout.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "halocline/v1/fix.pb.h"
#include "halocline/v1/ingest.pb.h"
#include "halocline/v1/queries.pb.h"
#include "halocline/v1/reference.pb.h"
#include "halocline/v1/risk.pb.h"

namespace halocline {

class Client {
 public:
  // Connects with the first call. `server` as in client/server_address.h.
  explicit Client(std::string server, std::chrono::nanoseconds timeout = std::chrono::seconds(30));
  ~Client();
  Client(Client&&) noexcept;

  const std::string& server() const { return server_; }

  Result<v1::Ack> submit_trade(const v1::Trade& trade);
  Result<v1::PriceAcks> publish_prices(const v1::PriceBatch& prices);  // 1 to 4096
  Result<v1::UpsertResponse> upsert(const v1::UpsertRequest& request);  // 1 to 1024 items
  Status list_reference(const v1::ListReferenceRequest& request, const std::function<void(const v1::ReferencePage&)>& take);

  Status list_positions(const v1::ListPositionsRequest& request, const std::function<void(const v1::PositionsPage&)>& take);
  Status list_nodes(const v1::ListNodesRequest& request, const std::function<void(const v1::NodesPage&)>& take);
  Result<v1::TradeState> get_trade(const v1::GetTradeRequest& request);

  Result<v1::Ack> set_limit(const v1::Limit& limit);
  Result<v1::Ack> remove_limit(const std::string& name);
  Status list_limits(const v1::ListLimitsRequest& request, const std::function<void(const v1::LimitsPage&)>& take);
  Status list_alerts(const v1::ListAlertsRequest& request, const std::function<void(const v1::AlertsPage&)>& take);
  Result<v1::Ack> ack_alert(const v1::AckAlertRequest& request);
  Result<v1::Ack> end_of_day(std::uint32_t date);  // yyyymmdd
  Result<v1::Status> status(bool with_digest = false);

  Status query(const v1::QueryRequest& request, const std::function<void(const v1::QueryPage&)>& take);

  Result<v1::ListFixSessionsResponse> list_fix_sessions();
  Status reset_fix_session(const std::string& session);

 private:
  struct Stubs;
  std::string server_;
  std::chrono::nanoseconds timeout_;
  std::unique_ptr<Stubs> stubs_;
};

}  // namespace halocline
