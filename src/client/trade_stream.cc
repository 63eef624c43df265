#include "client/trade_stream.h"

#include "base/utf8.h"

namespace halocline {
namespace {

Status not_utf8(const char* field) { return Status(Code::kInvalidArgument, std::string(field) + " is not UTF-8 text"); }

Status check(const v1::Trade& trade, std::size_t more_text) {
  const std::size_t text = trade.source().size() + trade.trade_id().size() + trade.book().size() + trade.trader().size() +
                           trade.counterparty().size() + trade.instrument().size() + more_text;
  constexpr std::size_t kRest = 160;  // the other fields, and the tags and lengths of all
  if (text + kRest > BatchStream::kMaxItemBytes) {
    return Status(Code::kInvalidArgument, "the texts of a trade are " + std::to_string(text) + " bytes, too many to be sent");
  }
  if (!is_utf8(trade.source())) return not_utf8("source");
  if (!is_utf8(trade.trade_id())) return not_utf8("trade_id");
  if (!is_utf8(trade.book())) return not_utf8("book");
  if (!is_utf8(trade.trader())) return not_utf8("trader");
  if (!is_utf8(trade.counterparty())) return not_utf8("counterparty");
  if (!is_utf8(trade.instrument())) return not_utf8("instrument");
  return ok_status();
}

}  // namespace

TradeStream::TradeStream(std::string server, Options options, AckCallback on_acks)
    : stream_(std::move(server), "/halocline.v1.Ingest/SubmitTrades", BatchStream::Replay::kEverything,
              std::move(options), std::move(on_acks)) {}

Status TradeStream::submit(const v1::Trade& trade, std::uint64_t token) { return add(trade, token, true); }

Status TradeStream::try_submit(const v1::Trade& trade, std::uint64_t token) { return add(trade, token, false); }

Status TradeStream::submit(const v1::TradeReport& report, std::uint64_t token) {
  if (Status status = check(report.trade(), report.reference().size() + report.desk().size() + report.currency().size());
      !status.ok()) return status;
  if (!is_utf8(report.reference())) return not_utf8("reference");
  if (!is_utf8(report.desk())) return not_utf8("desk");
  if (!is_utf8(report.currency())) return not_utf8("currency");
  return give(3, report, token, true);
}

Status TradeStream::add(const v1::Trade& trade, std::uint64_t token, bool wait) {
  const Status status = check(trade, 0);
  return status.ok() ? give(2, trade, token, wait) : status;
}

Status TradeStream::give(int field, const google::protobuf::MessageLite& item, std::uint64_t token, bool wait) {
  switch (stream_.add(field, item, token, wait)) {
    case BatchStream::Added::kDone: return ok_status();
    case BatchStream::Added::kFull: return Status(Code::kResourceExhausted, "too many trades are unanswered");
    case BatchStream::Added::kFailed: break;
  }
  return stream_.failure();
}

}  // namespace halocline
