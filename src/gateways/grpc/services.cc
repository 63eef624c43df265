#include "gateways/grpc/services.h"

#include <utility>

#include "gateways/grpc/ack_call.h"
#include "gateways/grpc/batch_stream.h"
#include "gateways/grpc/bytes.h"
#include "gateways/grpc/follow_call.h"
#include "gateways/grpc/query_values.h"
#include "gateways/grpc/read_call.h"
#include "gateways/grpc/status_details.h"
#include "gateways/grpc/subscribe_call.h"
#include "gateways/grpc/to_command.h"
#include "gateways/grpc/to_proto.h"
#include "halocline/v1/fix.grpc.pb.h"
#include "halocline/v1/ingest.grpc.pb.h"
#include "halocline/v1/queries.grpc.pb.h"
#include "halocline/v1/reference.grpc.pb.h"
#include "halocline/v1/risk.grpc.pb.h"

namespace halocline::rpc {
namespace {

using grpc::ByteBuffer;
using Context = grpc::CallbackServerContext;
using Unary = grpc::ServerUnaryReactor;
using Pages = grpc::ServerWriteReactor<ByteBuffer>;
using Stream = grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>;

grpc::Status no_message(const google::protobuf::MessageLite& message) {
  return invalid_argument({{"", "the request is no valid " + message.GetTypeName() + ": damaged bytes, or text that is not UTF-8"}});
}

Unary* command(Calls& calls, std::unique_ptr<CommandRequest> kind, const ByteBuffer* request, ByteBuffer* response) {
  grpc::Status why;
  if (!calls.admits(why)) return new RefusedCall<Unary>(why);
  const auto call = std::make_shared<AckCall>(calls, std::move(kind), response);
  call->start(*request);
  return call.get();
}

Stream* batches(Calls& calls, BatchKind kind) {
  grpc::Status why;
  if (!calls.admits(why)) return new RefusedCall<Stream>(why);
  const auto stream = std::make_shared<BatchStream>(calls, kind);
  stream->start();
  return stream.get();
}

// A unary read: ask(request, call) asks the port, whose reply goes to the call.
template <class Request, class Ask>
Unary* read(Calls& calls, const ByteBuffer* bytes, ByteBuffer* response, Ask&& ask) {
  grpc::Status why;
  if (!calls.admits(why)) return new RefusedCall<Unary>(why);
  Request request;
  if (!parse(*bytes, request)) return new RefusedCall<Unary>(no_message(request));
  const auto call = std::make_shared<ReadCall>(calls, response);
  call->start();
  ask(request, call);
  return call.get();
}

template <class Request, class Ask>
Pages* listing(Calls& calls, const ByteBuffer* bytes, Ask&& ask) {
  grpc::Status why;
  if (!calls.admits(why)) return new RefusedCall<Pages>(why);
  Request request;
  if (!parse(*bytes, request)) return new RefusedCall<Pages>(no_message(request));
  if (!calls.take_listing(why)) return new RefusedCall<Pages>(why);
  const auto call = std::make_shared<PageCall>(calls);
  call->start();
  ask(request, call);
  return call.get();
}

// Pages of rows with their seq and time; add(row, page) adds one row.
template <class Page, class Row, class Add>
PageCall::Pages pages_of(At<std::vector<Row>> rows, Add add) {
  return [rows = std::move(rows), add, at = std::size_t{0}](ByteBuffer& bytes) mutable {
    Page page;
    page.set_seq(rows.seq);
    page.set_time_ns(rows.time);
    const std::size_t end = std::min(rows.rows.size(), at + kPageRows);
    for (; at < end; ++at) add(rows.rows[at], page);
    bytes = to_bytes(page);
    return at < rows.rows.size();
  };
}

PageCall::Pages reference_pages(At<ReferenceRows> at) {
  return [at = std::move(at), first = true, currency = std::size_t{0}, name = std::size_t{0},
          instrument = std::size_t{0}](ByteBuffer& bytes) mutable {
    const ReferenceRows& rows = at.rows;
    v1::ReferencePage page;
    page.set_seq(at.seq);
    if (first) {
      if (!rows.firm.empty()) {
        page.mutable_firm()->set_name(rows.firm);
        page.mutable_firm()->set_currency(rows.firm_currency);
      }
      page.set_end_of_day(rows.end_of_day);
      first = false;
    }
    for (std::size_t i = 0; i < kPageRows; ++i) {
      if (currency < rows.currencies.size()) {
        to_proto(rows.currencies[currency++], *page.add_items());
      } else if (name < rows.names.size()) {
        to_proto(rows.names[name++], *page.add_items());
      } else if (instrument < rows.instruments.size()) {
        to_proto(rows.instruments[instrument++], *page.add_items());
      } else {
        break;
      }
    }
    bytes = to_bytes(page);
    return currency < rows.currencies.size() || name < rows.names.size() || instrument < rows.instruments.size();
  };
}

template <class Base>
using RawIngest = v1::Ingest::WithRawCallbackMethod_SubmitTrade<v1::Ingest::WithRawCallbackMethod_SubmitTrades<
    v1::Ingest::WithRawCallbackMethod_PublishPrices<v1::Ingest::WithRawCallbackMethod_StreamPrices<Base>>>>;

class IngestService final : public RawIngest<v1::Ingest::Service> {
 public:
  explicit IngestService(Calls& calls) : calls_(calls) {}

  Unary* SubmitTrade(Context*, const ByteBuffer* request, ByteBuffer* response) override {
    return command(calls_, submit_trade_request(), request, response);
  }
  Stream* SubmitTrades(Context*) override { return batches(calls_, BatchKind::kTrades); }
  Unary* PublishPrices(Context*, const ByteBuffer* request, ByteBuffer* response) override {
    return command(calls_, publish_prices_request(), request, response);
  }
  Stream* StreamPrices(Context*) override { return batches(calls_, BatchKind::kPrices); }

 private:
  Calls& calls_;
};

class ReferenceService final
    : public v1::Reference::WithRawCallbackMethod_Upsert<v1::Reference::WithRawCallbackMethod_List<v1::Reference::Service>> {
 public:
  explicit ReferenceService(Calls& calls) : calls_(calls) {}

  Unary* Upsert(Context*, const ByteBuffer* request, ByteBuffer* response) override {
    return command(calls_, upsert_request(), request, response);
  }
  Pages* List(Context*, const ByteBuffer* request) override {
    return listing<v1::ListReferenceRequest>(calls_, request, [&](const auto& wanted, const auto& call) {
      calls_.port->reference(to_as_of(wanted.as_of()), [call](Result<At<ReferenceRows>> rows) {
        if (!rows.ok()) return call->fail(to_grpc(rows.status()));
        call->reply(reference_pages(rows.take()));
      });
    });
  }

 private:
  Calls& calls_;
};

template <class Base>
using RawRiskReads = v1::Risk::WithRawCallbackMethod_ListPositions<v1::Risk::WithRawCallbackMethod_ListNodes<
    v1::Risk::WithRawCallbackMethod_GetTrade<v1::Risk::WithRawCallbackMethod_ListLimits<
        v1::Risk::WithRawCallbackMethod_ListAlerts<v1::Risk::WithRawCallbackMethod_GetStatus<Base>>>>>>;
template <class Base>
using RawRisk = v1::Risk::WithRawCallbackMethod_SetLimit<v1::Risk::WithRawCallbackMethod_RemoveLimit<
    v1::Risk::WithRawCallbackMethod_FollowAlerts<v1::Risk::WithRawCallbackMethod_AckAlert<
        v1::Risk::WithRawCallbackMethod_EndOfDay<RawRiskReads<Base>>>>>>;

class RiskService final : public RawRisk<v1::Risk::Service> {
 public:
  explicit RiskService(Calls& calls) : calls_(calls) {}

  Unary* SetLimit(Context*, const ByteBuffer* request, ByteBuffer* response) override {
    return command(calls_, set_limit_request(), request, response);
  }
  Unary* RemoveLimit(Context*, const ByteBuffer* request, ByteBuffer* response) override {
    return command(calls_, remove_limit_request(), request, response);
  }
  Unary* AckAlert(Context*, const ByteBuffer* request, ByteBuffer* response) override {
    return command(calls_, ack_alert_request(), request, response);
  }
  Unary* EndOfDay(Context*, const ByteBuffer* request, ByteBuffer* response) override {
    return command(calls_, end_of_day_request(), request, response);
  }

  Pages* ListPositions(Context*, const ByteBuffer* request) override {
    return listing<v1::ListPositionsRequest>(calls_, request, [&](const auto& wanted, const auto& call) {
      calls_.port->positions(to_as_of(wanted.as_of()), to_filter(wanted), [call](Result<At<std::vector<PositionRow>>> rows) {
        if (!rows.ok()) return call->fail(to_grpc(rows.status()));
        call->reply(pages_of<v1::PositionsPage>(rows.take(), [](const PositionRow& row, v1::PositionsPage& page) {
          to_proto(row, *page.add_positions());
        }));
      });
    });
  }
  Pages* ListNodes(Context*, const ByteBuffer* request) override {
    return listing<v1::ListNodesRequest>(calls_, request, [&](const auto& wanted, const auto& call) {
      calls_.port->nodes(to_as_of(wanted.as_of()), to_filter(wanted), [call](Result<At<std::vector<NodeRow>>> rows) {
        if (!rows.ok()) return call->fail(to_grpc(rows.status()));
        call->reply(pages_of<v1::NodesPage>(rows.take(), [](const NodeRow& row, v1::NodesPage& page) {
          to_proto(row, *page.add_nodes());
        }));
      });
    });
  }

  Unary* GetTrade(Context*, const ByteBuffer* request, ByteBuffer* response) override {
    return read<v1::GetTradeRequest>(calls_, request, response, [&](const auto& wanted, const auto& call) {
      const std::string key = wanted.source() + "/" + wanted.trade_id();
      calls_.port->trade(to_as_of(wanted.as_of()), wanted.source(), wanted.trade_id(), [call, key](Result<At<std::vector<TradeRow>>> rows) {
        if (!rows.ok()) return call->fail(to_grpc(rows.status()));
        if (rows.value().rows.empty()) {
          return call->fail(grpc::Status(grpc::StatusCode::NOT_FOUND, "trade " + key + " is not known"));
        }
        v1::TradeState state;
        state.set_at_seq(rows.value().seq);
        to_proto(rows.value().rows[0], state);
        call->reply(to_bytes(state));
      });
    });
  }
  Pages* ListLimits(Context*, const ByteBuffer* request) override {
    return listing<v1::ListLimitsRequest>(calls_, request, [&](const auto& wanted, const auto& call) {
      calls_.port->limits(to_as_of(wanted.as_of()), [call](Result<At<std::vector<LimitRow>>> rows) {
        if (!rows.ok()) return call->fail(to_grpc(rows.status()));
        call->reply(pages_of<v1::LimitsPage>(rows.take(), [](const LimitRow& row, v1::LimitsPage& page) {
          to_proto(row, *page.add_limits());
        }));
      });
    });
  }
  Pages* ListAlerts(Context*, const ByteBuffer* request) override {
    return listing<v1::ListAlertsRequest>(calls_, request, [&](const auto& wanted, const auto& call) {
      calls_.port->alerts(to_as_of(wanted.as_of()), to_filter(wanted), [call](Result<At<std::vector<AlertRow>>> rows) {
        if (!rows.ok()) return call->fail(to_grpc(rows.status()));
        call->reply(pages_of<v1::AlertsPage>(rows.take(), [](const AlertRow& row, v1::AlertsPage& page) {
          to_proto(row, *page.add_alerts());
        }));
      });
    });
  }
  Unary* GetStatus(Context*, const ByteBuffer* request, ByteBuffer* response) override {
    return read<v1::GetStatusRequest>(calls_, request, response, [&](const auto& wanted, const auto& call) {
      calls_.port->status(wanted.with_digest(), [call](Result<At<StatusReport>> report) {
        if (!report.ok()) return call->fail(to_grpc(report.status()));
        v1::Status out;
        to_proto(report.value().rows, out);
        call->reply(to_bytes(out));
      });
    });
  }

  Pages* FollowAlerts(Context*, const ByteBuffer* request) override {
    grpc::Status why;
    if (!calls_.admits(why)) return new RefusedCall<Pages>(why);
    v1::FollowAlertsRequest wanted;
    if (!parse(*request, wanted)) return new RefusedCall<Pages>(no_message(wanted));
    const auto call = std::make_shared<FollowCall>(calls_, wanted);
    call->start();
    return call.get();
  }

 private:
  Calls& calls_;
};

class FixService final
    : public v1::Fix::WithRawCallbackMethod_ListSessions<v1::Fix::WithRawCallbackMethod_ResetSession<v1::Fix::Service>> {
 public:
  explicit FixService(Calls& calls) : calls_(calls) {}

  Unary* ListSessions(Context*, const ByteBuffer* request, ByteBuffer* response) override {
    return read<v1::ListFixSessionsRequest>(calls_, request, response, [&](const auto&, const auto& call) {
      calls_.port->fix_ledger([call, port = calls_.port](Result<At<FixLedger>> ledger) {
        const Result<std::vector<FixSessionRow>> rows = port->fix_sessions();
        if (!ledger.ok() || !rows.ok()) return call->fail(to_grpc(rows.ok() ? ledger.status() : rows.status()));
        v1::ListFixSessionsResponse out;
        for (const FixSessionRow& row : rows.value()) to_proto(row, *out.add_sessions());
        const FixLedger& parked = ledger.value().rows;
        out.set_parked(parked.parked);
        out.set_parked_released(parked.released);
        out.set_parked_refused(parked.refused);
        for (const auto& [instrument, reports] : parked.parked_for) {
          v1::ParkedFor& one = *out.add_parked_for();
          one.set_instrument(instrument);
          one.set_reports(reports);
        }
        call->reply(to_bytes(out));
      });
    });
  }
  Unary* ResetSession(Context*, const ByteBuffer* request, ByteBuffer* response) override {
    return read<v1::ResetFixSessionRequest>(calls_, request, response, [&](const auto& wanted, const auto& call) {
      calls_.port->fix_reset(wanted.session(), [call](const Status& done) {
        if (!done.ok()) return call->fail(to_grpc(done));
        call->reply(to_bytes(v1::ResetFixSessionResponse()));
      });
    });
  }

 private:
  Calls& calls_;
};

PageCall::Pages query_pages(At<QueryRows> at) {
  return [at = std::move(at), next = std::size_t{0}](ByteBuffer& bytes) mutable {
    v1::QueryPage page;
    page.set_seq(at.seq);
    page.set_time_ns(at.time);
    if (next == 0) to_proto(at.rows.columns, *page.mutable_columns());
    const std::size_t end = std::min(at.rows.rows.size(), next + kPageRows);
    for (; next < end; ++next) to_proto(at.rows.rows[next], at.rows.columns, *page.add_rows());
    bytes = to_bytes(page);
    return next < at.rows.rows.size();
  };
}

class QueriesService final
    : public v1::Queries::WithRawCallbackMethod_Query<v1::Queries::WithRawCallbackMethod_Subscribe<v1::Queries::Service>> {
 public:
  explicit QueriesService(Calls& calls) : calls_(calls) {}

  Stream* Subscribe(Context* context) override {
    grpc::Status why;
    if (!calls_.admits(why)) return new RefusedCall<Stream>(why);
    const auto call = std::make_shared<SubscribeCall>(calls_, client_of(context->peer()));
    call->start();
    return call.get();
  }
  Pages* Query(Context*, const ByteBuffer* request) override {
    return listing<v1::QueryRequest>(calls_, request, [&](const auto& wanted, const auto& call) {
      std::vector<Violation> violations;
      QueryParameters parameters = to_parameters(wanted.parameters(), violations);
      if (!violations.empty()) return call->fail(invalid_argument(violations));
      calls_.port->query(to_as_of(wanted.as_of()), wanted.sql(), std::move(parameters), [call](Result<At<QueryRows>> rows) {
        if (!rows.ok()) return call->fail(to_grpc(rows.status()));
        call->reply(query_pages(rows.take()));
      });
    });
  }

 private:
  Calls& calls_;
};

}  // namespace

std::vector<std::unique_ptr<grpc::Service>> make_services(Calls& calls) {
  std::vector<std::unique_ptr<grpc::Service>> services;
  services.push_back(std::make_unique<IngestService>(calls));
  services.push_back(std::make_unique<ReferenceService>(calls));
  services.push_back(std::make_unique<RiskService>(calls));
  services.push_back(std::make_unique<FixService>(calls));
  services.push_back(std::make_unique<QueriesService>(calls));
  return services;
}

std::vector<std::string> service_names() {
  return {v1::Ingest::service_full_name(), v1::Reference::service_full_name(), v1::Risk::service_full_name(),
          v1::Fix::service_full_name(), v1::Queries::service_full_name()};
}

}  // namespace halocline::rpc
