#include "gateways/grpc/batch.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "command/codec.h"
#include "gateways/grpc/refusal.h"
#include "gateways/grpc/wire.h"

namespace halocline::rpc {
namespace {

// Field numbers of api/halocline/v1/ingest.proto; batch_test.cc compares with what protobuf itself writes.
constexpr std::uint32_t kBatchId = wire_tag(1, kVarint);
constexpr std::uint32_t kItems = wire_tag(2, kBytes);
constexpr std::uint32_t kMore = wire_tag(3, kBytes);  // reports after trades, rates after prices

std::string text_fault(std::string_view field, std::string_view text, std::size_t most) {
  if (text.size() > most) {
    return std::string(field) + " has " + std::to_string(text.size()) + " bytes, more than " + std::to_string(most);
  }
  return std::string(field) + " is not UTF-8";
}

bool text_fits(std::string_view text, std::size_t most) { return text.size() <= most && is_utf8(text); }

bool texts_fit(const Trade& t) {
  return text_fits(t.source, limits::kMaxSource) && text_fits(t.trade_id, limits::kMaxTradeId) &&
         text_fits(t.book, limits::kMaxName) && text_fits(t.trader, limits::kMaxName) &&
         text_fits(t.counterparty, limits::kMaxName) && text_fits(t.instrument, limits::kMaxName);
}

// An enum's number as its byte: what does not fit becomes 255, which means nothing either.
template <class Enum>
Enum enum_from(std::uint64_t varint) {
  const auto number = static_cast<std::int32_t>(varint);
  return static_cast<Enum>(number >= 0 && number < 255 ? number : 255);
}

bool read_price(std::string_view bytes, Price& price) {
  WireReader reader(bytes);
  while (const std::uint32_t tag = reader.tag()) {
    switch (tag) {
      case wire_tag(1, kBytes): price.instrument = reader.bytes(); break;
      case wire_tag(2, kFixed64): price.price = static_cast<std::int64_t>(reader.fixed64()); break;
      case wire_tag(3, kFixed64): price.price_time = static_cast<std::int64_t>(reader.fixed64()); break;
      default: reader.skip(tag);
    }
  }
  return !reader.failed();
}

bool read_rate(std::string_view bytes, FxRate& rate) {
  WireReader reader(bytes);
  while (const std::uint32_t tag = reader.tag()) {
    switch (tag) {
      case wire_tag(1, kBytes): rate.currency = reader.bytes(); break;
      case wire_tag(2, kFixed64): rate.rate = static_cast<std::int64_t>(reader.fixed64()); break;
      case wire_tag(3, kFixed64): rate.rate_time = static_cast<std::int64_t>(reader.fixed64()); break;
      default: reader.skip(tag);
    }
  }
  return !reader.failed();
}

// The fields that are there, over what the trade says already.
bool merge_trade(std::string_view bytes, Trade& trade) {
  WireReader reader(bytes);
  while (const std::uint32_t tag = reader.tag()) {
    switch (tag) {
      case wire_tag(1, kBytes): trade.source = reader.bytes(); break;
      case wire_tag(2, kBytes): trade.trade_id = reader.bytes(); break;
      case wire_tag(3, kVarint): trade.version = static_cast<std::uint32_t>(reader.varint()); break;
      case wire_tag(4, kVarint): trade.action = enum_from<Action>(reader.varint()); break;
      case wire_tag(5, kBytes): trade.book = reader.bytes(); break;
      case wire_tag(6, kBytes): trade.trader = reader.bytes(); break;
      case wire_tag(7, kBytes): trade.counterparty = reader.bytes(); break;
      case wire_tag(8, kBytes): trade.instrument = reader.bytes(); break;
      case wire_tag(9, kVarint): trade.side = enum_from<Side>(reader.varint()); break;
      case wire_tag(10, kFixed64): trade.quantity = static_cast<std::int64_t>(reader.fixed64()); break;
      case wire_tag(11, kFixed64): trade.price = static_cast<std::int64_t>(reader.fixed64()); break;
      case wire_tag(12, kFixed64): trade.fees = static_cast<std::int64_t>(reader.fixed64()); break;
      case wire_tag(13, kFixed64): trade.trade_time = static_cast<std::int64_t>(reader.fixed64()); break;
      default: reader.skip(tag);
    }
  }
  return !reader.failed();
}

bool read_report(std::string_view bytes, TradeReport& report) {
  report.trade.action = Action{};
  report.trade.side = Side{};
  WireReader reader(bytes);
  while (const std::uint32_t tag = reader.tag()) {
    switch (tag) {
      // As a message that comes twice: the later fields go over the earlier ones.
      case wire_tag(1, kBytes):
        if (!merge_trade(reader.bytes(), report.trade)) return false;
        break;
      case wire_tag(2, kBytes): report.reference = reader.bytes(); break;
      case wire_tag(3, kBytes): report.desk = reader.bytes(); break;
      case wire_tag(4, kBytes): report.currency = reader.bytes(); break;
      case wire_tag(5, kVarint): report.park = reader.varint() != 0; break;
      default: reader.skip(tag);
    }
  }
  report.trade.version = 0;
  return !reader.failed();
}

bool read_item(std::string_view bytes, Trade& trade) { return read_trade(bytes, trade); }
bool read_item(std::string_view bytes, TradeReport& report) { return read_report(bytes, report); }
bool read_item(std::string_view bytes, Price& price) { return read_price(bytes, price); }
bool read_item(std::string_view bytes, FxRate& rate) { return read_rate(bytes, rate); }

bool bad_text(const Trade& trade, std::string& field, std::string& detail) {
  return !texts_fit(trade) && find_bad_text(trade, field, detail);
}
bool bad_text(const TradeReport& report, std::string& field, std::string& detail) {
  if (bad_text(report.trade, field, detail)) return true;
  const struct {
    const char* field;
    std::string_view text;
    std::size_t most;
  } texts[] = {{"reference", report.reference, limits::kMaxTradeId}, {"desk", report.desk, limits::kMaxName},
               {"currency", report.currency, limits::kMaxName}};
  for (const auto& one : texts) {
    if (text_fits(one.text, one.most)) continue;
    field = one.field;
    detail = text_fault(field, one.text, one.most);
    return true;
  }
  return false;
}
bool bad_text(const Price& price, std::string& field, std::string& detail) {
  if (text_fits(price.instrument, limits::kMaxName)) return false;
  field = "instrument";
  detail = text_fault(field, price.instrument, limits::kMaxName);
  return true;
}
bool bad_text(const FxRate& rate, std::string& field, std::string& detail) {
  if (text_fits(rate.currency, limits::kMaxName)) return false;
  field = "currency";
  detail = text_fault(field, rate.currency, limits::kMaxName);
  return true;
}

void reset(Batch& batch, BatchKind kind) {
  batch.kind = kind;
  batch.batch_id = 0;
  batch.items = batch.commands = batch.accepted = 0;
  batch.first_seq = 0;
  batch.rejects.clear();
  batch.exceptions.clear();
}

// Takes all items under one tag as commands of type C.
template <class C>
bool read_items(Batch& batch, std::uint32_t items_tag, std::vector<std::byte>& records, std::string& error) {
  WireReader reader(batch.wire);
  while (const std::uint32_t tag = reader.tag()) {
    if (tag == kBatchId) {
      batch.batch_id = reader.varint();
      continue;
    }
    if (tag != items_tag) {
      reader.skip(tag);
      continue;
    }
    const std::uint32_t index = batch.items++;
    C item;
    if (!read_item(reader.bytes(), item) || reader.failed()) {
      error = "item " + std::to_string(index) + " of the batch is damaged";
      return false;
    }
    if (batch.items > kMaxCountedItems) {
      error = "the batch has more than " + std::to_string(kMaxCountedItems) + " items; send at most " +
              std::to_string(kMaxBatchItems);
      return false;
    }
    std::string field, detail;
    if (index >= kMaxBatchItems) {
      batch.rejects.push_back({index, Outcome::kTooMany,
                               "a batch takes at most " + std::to_string(kMaxBatchItems) + " items: send it again in another"});
    } else if (bad_text(item, field, detail)) {
      batch.rejects.push_back({index, Outcome::kInvalidName, std::move(detail)});
    } else {
      const std::size_t before = records.size();
      append_record(item, records);
      ++batch.commands;
      if (records.size() > limits::kMaxSubmissionBytes) {
        records.resize(before);
        --batch.commands;
        batch.rejects.push_back({index, Outcome::kTooMany,
                                 "a batch takes at most " + std::to_string(limits::kMaxSubmissionBytes) +
                                     " encoded bytes: send it again in another"});
      }
    }
  }
  if (reader.failed()) error = "the batch is damaged: its bytes are no protobuf message";
  return !reader.failed();
}

// Calls see(index, command) for the items that became commands, in order, until it says false.
template <class C, class See>
bool for_each_command(const Batch& batch, std::uint32_t items_tag, std::uint32_t& index, std::size_t& reject, See&& see) {
  WireReader reader(batch.wire);
  while (const std::uint32_t tag = reader.tag()) {
    if (tag != items_tag) {
      reader.skip(tag);
      continue;
    }
    const std::string_view bytes = reader.bytes();
    const std::uint32_t here = index++;
    if (reject < batch.rejects.size() && batch.rejects[reject].index == here) {
      ++reject;
      continue;
    }
    if (!see(here, [&] {
          C item;
          CHECK(read_item(bytes, item));
          return item;
        })) {
      return false;
    }
  }
  return true;
}

void add_ack(v1::TradeAcks& answer, std::uint32_t index, const Acknowledgement& ack, std::string detail) {
  v1::TradeAcks::Exception* exception = answer.add_exceptions();
  exception->set_index(index);
  exception->mutable_ack()->set_outcome(static_cast<v1::Outcome>(ack.outcome));
  exception->mutable_ack()->set_seq(ack.seq);
  exception->mutable_ack()->set_first_seq(ack.first_seq);
  exception->mutable_ack()->set_detail(std::move(detail));
}

}  // namespace

bool read_trade(std::string_view bytes, Trade& trade) {
  trade.action = Action{};
  trade.side = Side{};
  return merge_trade(bytes, trade);
}

bool find_bad_text(const Trade& t, std::string& field, std::string& detail) {
  const struct {
    const char* field;
    std::string_view text;
    std::size_t most;
  } texts[] = {
      {"source", t.source, limits::kMaxSource}, {"trade_id", t.trade_id, limits::kMaxTradeId},
      {"book", t.book, limits::kMaxName}, {"trader", t.trader, limits::kMaxName},
      {"counterparty", t.counterparty, limits::kMaxName}, {"instrument", t.instrument, limits::kMaxName},
  };
  for (const auto& one : texts) {
    if (text_fits(one.text, one.most)) continue;
    field = one.field;
    detail = text_fault(field, one.text, one.most);
    return true;
  }
  return false;
}

bool read_trades(Batch& batch, std::vector<std::byte>& records, std::string& error) {
  reset(batch, BatchKind::kTrades);
  return read_items<Trade>(batch, kItems, records, error) && read_items<TradeReport>(batch, kMore, records, error);
}

bool read_prices(Batch& batch, std::vector<std::byte>& records, std::string& error) {
  reset(batch, BatchKind::kPrices);
  return read_items<Price>(batch, kItems, records, error) && read_items<FxRate>(batch, kMore, records, error);
}

void take_acks(Batch& batch, std::span<const Acknowledgement> acks) {
  CHECK(acks.size() == batch.commands, "%zu acknowledgements for %u commands", acks.size(), batch.commands);
  for (std::uint32_t i = 0; i < acks.size(); ++i) {
    const Outcome outcome = acks[i].outcome;
    if (outcome == Outcome::kAccepted || outcome == Outcome::kTombstone) ++batch.accepted;
    if (outcome != Outcome::kAccepted) batch.exceptions.push_back({i, acks[i]});
  }
  if (!acks.empty()) batch.first_seq = acks[0].seq;
}

void fill_answer(const Batch& batch, v1::TradeAcks& answer) {
  answer.Clear();
  answer.set_batch_id(batch.batch_id);
  answer.set_first_seq(batch.first_seq);
  answer.set_accepted(batch.accepted);
  if (batch.exceptions.empty() && batch.rejects.empty()) return;

  // Both lists are in the order of the items: merged in one pass over the request, which has the words.
  std::size_t rejected = 0, exception = 0;
  auto reject_up_to = [&](std::uint32_t index) {
    for (; rejected < batch.rejects.size() && batch.rejects[rejected].index < index; ++rejected) {
      const Batch::Reject& one = batch.rejects[rejected];
      add_ack(answer, one.index, Acknowledgement{0, 0, one.outcome}, one.detail);
    }
  };
  std::uint32_t index = 0, position = 0;
  std::size_t passed = 0;
  auto see = [&](std::uint32_t here, auto&& item) {
    if (exception == batch.exceptions.size()) return false;
    if (batch.exceptions[exception].position != position++) return true;
    const Acknowledgement& ack = batch.exceptions[exception++].ack;
    reject_up_to(here);
    add_ack(answer, here, ack, is_refused(ack.outcome) ? refusal_detail(ack.outcome, item()) : std::string());
    return true;
  };
  if (batch.kind == BatchKind::kTrades) {
    if (for_each_command<Trade>(batch, kItems, index, passed, see)) for_each_command<TradeReport>(batch, kMore, index, passed, see);
  } else if (for_each_command<Price>(batch, kItems, index, passed, see)) {
    for_each_command<FxRate>(batch, kMore, index, passed, see);
  }
  reject_up_to(batch.items);
}

}  // namespace halocline::rpc
