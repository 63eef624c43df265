#include "client/client.h"

#include <algorithm>

#include <grpcpp/client_context.h>

#include "client/channel.h"
#include "halocline/v1/fix.grpc.pb.h"
#include "halocline/v1/ingest.grpc.pb.h"
#include "halocline/v1/queries.grpc.pb.h"
#include "halocline/v1/reference.grpc.pb.h"
#include "halocline/v1/risk.grpc.pb.h"

namespace halocline {
namespace {

constexpr auto kReconnect = std::chrono::seconds(1);

}  // namespace

struct Client::Stubs {
  std::string server;
  std::chrono::nanoseconds timeout;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::Ingest::Stub> ingest;
  std::unique_ptr<v1::Reference::Stub> reference;
  std::unique_ptr<v1::Risk::Stub> risk;
  std::unique_ptr<v1::Fix::Stub> fix;
  std::unique_ptr<v1::Queries::Stub> queries;

  // A channel that has failed is given a moment: blocking gRPC works on a connection only while somebody waits in it, so
  // calls alone, which fail at once, would never find the server again.
  void prepare(grpc::ClientContext& context) const {
    const auto now = std::chrono::system_clock::now();
    const auto limit = std::chrono::duration_cast<std::chrono::microseconds>(timeout);
    if (channel->GetState(true) == GRPC_CHANNEL_TRANSIENT_FAILURE) {
      channel->WaitForConnected(now + std::min<std::chrono::microseconds>(limit, kReconnect));
    }
    context.set_deadline(now + limit);
  }

  template <class Answer, class Stub, class Request>
  Result<Answer> call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Answer*),
                      const Request& request) const {
    grpc::ClientContext context;
    prepare(context);
    Answer answer;
    const grpc::Status status = (stub.*method)(&context, request, &answer);
    if (!status.ok()) return status_from(status, server);
    return answer;
  }

  template <class Page, class Open>
  Status pages(Open open, const std::function<void(const Page&)>& take) const {
    grpc::ClientContext context;
    prepare(context);
    const auto reader = open(&context);
    Page page;
    while (reader->Read(&page)) take(page);
    return status_from(reader->Finish(), server);
  }
};

Client::Client(std::string server, std::chrono::nanoseconds timeout)
    : server_(std::move(server)), timeout_(timeout), stubs_(std::make_unique<Stubs>()) {
  stubs_->server = server_;
  stubs_->timeout = timeout_;
  stubs_->channel = open_channel(server_);
  stubs_->ingest = v1::Ingest::NewStub(stubs_->channel);
  stubs_->reference = v1::Reference::NewStub(stubs_->channel);
  stubs_->risk = v1::Risk::NewStub(stubs_->channel);
  stubs_->fix = v1::Fix::NewStub(stubs_->channel);
  stubs_->queries = v1::Queries::NewStub(stubs_->channel);
}

Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

Result<v1::Ack> Client::submit_trade(const v1::Trade& trade) {
  return stubs_->call(*stubs_->ingest, &v1::Ingest::Stub::SubmitTrade, trade);
}

Result<v1::PriceAcks> Client::publish_prices(const v1::PriceBatch& prices) {
  return stubs_->call(*stubs_->ingest, &v1::Ingest::Stub::PublishPrices, prices);
}

Result<v1::UpsertResponse> Client::upsert(const v1::UpsertRequest& request) {
  return stubs_->call(*stubs_->reference, &v1::Reference::Stub::Upsert, request);
}

Status Client::list_reference(const v1::ListReferenceRequest& request, const std::function<void(const v1::ReferencePage&)>& take) {
  return stubs_->pages<v1::ReferencePage>(
      [&](grpc::ClientContext* context) { return stubs_->reference->List(context, request); }, take);
}

Status Client::list_positions(const v1::ListPositionsRequest& request,
                              const std::function<void(const v1::PositionsPage&)>& take) {
  return stubs_->pages<v1::PositionsPage>(
      [&](grpc::ClientContext* context) { return stubs_->risk->ListPositions(context, request); }, take);
}

Status Client::list_nodes(const v1::ListNodesRequest& request, const std::function<void(const v1::NodesPage&)>& take) {
  return stubs_->pages<v1::NodesPage>(
      [&](grpc::ClientContext* context) { return stubs_->risk->ListNodes(context, request); }, take);
}

Result<v1::TradeState> Client::get_trade(const v1::GetTradeRequest& request) {
  return stubs_->call(*stubs_->risk, &v1::Risk::Stub::GetTrade, request);
}

Result<v1::Ack> Client::set_limit(const v1::Limit& limit) {
  return stubs_->call(*stubs_->risk, &v1::Risk::Stub::SetLimit, limit);
}

Result<v1::Ack> Client::remove_limit(const std::string& name) {
  v1::RemoveLimitRequest request;
  request.set_name(name);
  return stubs_->call(*stubs_->risk, &v1::Risk::Stub::RemoveLimit, request);
}

Status Client::list_limits(const v1::ListLimitsRequest& request, const std::function<void(const v1::LimitsPage&)>& take) {
  return stubs_->pages<v1::LimitsPage>(
      [&](grpc::ClientContext* context) { return stubs_->risk->ListLimits(context, request); }, take);
}

Status Client::list_alerts(const v1::ListAlertsRequest& request, const std::function<void(const v1::AlertsPage&)>& take) {
  return stubs_->pages<v1::AlertsPage>(
      [&](grpc::ClientContext* context) { return stubs_->risk->ListAlerts(context, request); }, take);
}

Status Client::query(const v1::QueryRequest& request, const std::function<void(const v1::QueryPage&)>& take) {
  return stubs_->pages<v1::QueryPage>(
      [&](grpc::ClientContext* context) { return stubs_->queries->Query(context, request); }, take);
}

Result<v1::Ack> Client::ack_alert(const v1::AckAlertRequest& request) {
  return stubs_->call(*stubs_->risk, &v1::Risk::Stub::AckAlert, request);
}

Result<v1::Ack> Client::end_of_day(std::uint32_t date) {
  v1::EndOfDayRequest request;
  request.set_date(date);
  return stubs_->call(*stubs_->risk, &v1::Risk::Stub::EndOfDay, request);
}

Result<v1::Status> Client::status(bool with_digest) {
  v1::GetStatusRequest request;
  request.set_with_digest(with_digest);
  return stubs_->call(*stubs_->risk, &v1::Risk::Stub::GetStatus, request);
}

Result<v1::ListFixSessionsResponse> Client::list_fix_sessions() {
  return stubs_->call(*stubs_->fix, &v1::Fix::Stub::ListSessions, v1::ListFixSessionsRequest());
}

Status Client::reset_fix_session(const std::string& session) {
  v1::ResetFixSessionRequest request;
  request.set_session(session);
  return stubs_->call(*stubs_->fix, &v1::Fix::Stub::ResetSession, request).status();
}

}  // namespace halocline
