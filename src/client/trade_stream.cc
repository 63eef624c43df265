#include "client/trade_stream.h"

#include "client/utf8.h"

namespace halocline {

TradeStream::TradeStream(std::string server, Options options, AckCallback on_acks)
    : stream_(std::move(server), "/halocline.v1.Ingest/SubmitTrades", BatchStream::Replay::kEverything,
              std::move(options), std::move(on_acks)) {}

Status TradeStream::submit(const v1::Trade& trade, std::uint64_t token) { return add(trade, token, true); }

Status TradeStream::try_submit(const v1::Trade& trade, std::uint64_t token) { return add(trade, token, false); }

Status TradeStream::add(const v1::Trade& trade, std::uint64_t token, bool wait) {
  const std::size_t text = trade.source().size() + trade.trade_id().size() + trade.book().size() + trade.trader().size() +
                           trade.counterparty().size() + trade.instrument().size();
  constexpr std::size_t kRest = 128;  // the other fields, and the tags and lengths of all
  if (text + kRest > BatchStream::kMaxItemBytes) {
    return Status(Code::kInvalidArgument, "the texts of a trade are " + std::to_string(text) + " bytes, too many to be sent");
  }
  const auto refuse = [](const char* field) {
    return Status(Code::kInvalidArgument, std::string(field) + " is not UTF-8 text");
  };
  if (!is_utf8(trade.source())) return refuse("source");
  if (!is_utf8(trade.trade_id())) return refuse("trade_id");
  if (!is_utf8(trade.book())) return refuse("book");
  if (!is_utf8(trade.trader())) return refuse("trader");
  if (!is_utf8(trade.counterparty())) return refuse("counterparty");
  if (!is_utf8(trade.instrument())) return refuse("instrument");
  switch (stream_.add(2, trade, token, wait)) {
    case BatchStream::Added::kDone: return ok_status();
    case BatchStream::Added::kFull: return Status(Code::kResourceExhausted, "too many trades are unanswered");
    case BatchStream::Added::kFailed: break;
  }
  return stream_.failure();
}

}  // namespace halocline
