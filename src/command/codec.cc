#include "command/codec.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "base/check.h"
#include "base/limits.h"

namespace halocline {
namespace {

static_assert(std::endian::native == std::endian::little, "the formats are little-endian");

// One list of fields a command serves writing and reading: `archive` is a Writer or a Reader. Fixed fields come first.
template <class A, class C>
void fields(A&, C&&, const Timer*) {}

template <class A, class C>
void fields(A& a, C&& c, const Trade*) {
  a.number(c.version), a.number(c.action), a.number(c.side), a.number(c.quantity), a.number(c.price), a.number(c.fees);
  a.number(c.trade_time);
  a.text(c.source), a.text(c.trade_id), a.text(c.book), a.text(c.trader), a.text(c.counterparty), a.text(c.instrument);
}

template <class A, class C>
void fields(A& a, C&& c, const Price*) {
  a.number(c.price), a.number(c.price_time), a.text(c.instrument);
}

template <class A, class C>
void fields(A& a, C&& c, const FxRate*) {
  a.number(c.rate), a.number(c.rate_time), a.text(c.currency);
}

template <class A, class C>
void fields(A& a, C&& c, const Firm*) {
  a.text(c.name), a.text(c.currency);
}

template <class A, class C>
void fields(A& a, C&& c, const Currency*) {
  a.number(c.rate), a.text(c.code);
}

template <class A, class C>
void fields(A& a, C&& c, const Desk*) {
  a.text(c.name);
}

template <class A, class C>
void fields(A& a, C&& c, const Book*) {
  a.text(c.name), a.text(c.desk);
}

template <class A, class C>
void fields(A& a, C&& c, const Trader*) {
  a.text(c.name), a.text(c.desk);
}

template <class A, class C>
void fields(A& a, C&& c, const Counterparty*) {
  a.text(c.name);
}

template <class A, class C>
void fields(A& a, C&& c, const Instrument*) {
  a.number(c.kind), a.number(c.multiplier), a.number(c.expiry), a.number(c.stale_after);
  a.text(c.symbol), a.text(c.currency), a.text(c.underlying), a.text(c.sector), a.text(c.issuer);
}

template <class A, class C>
void fields(A& a, C&& c, const Rename*) {
  a.number(c.kind), a.text(c.from), a.text(c.to);
}

template <class A, class C>
void fields(A& a, C&& c, const EndOfDay*) {
  a.number(c.date);
}

template <class A, class C>
void fields(A& a, C&& c, const Limit*) {
  a.number(c.kind), a.number(c.measure), a.flag(c.hard), a.number(c.warn), a.number(c.breach), a.number(c.hysteresis);
  a.number(c.escalate_after);
  a.text(c.name), a.text(c.node), a.text(c.owner);
}

template <class A, class C>
void fields(A& a, C&& c, const LimitRemove*) {
  a.text(c.name);
}

template <class A, class C>
void fields(A& a, C&& c, const AlertAck*) {
  a.number(c.alert_id), a.text(c.by), a.text16(c.note, limits::kMaxNote);
}

template <class A, class C>
void fields(A& a, C&& c, const TradeReport*) {
  a.number(c.trade.action), a.number(c.trade.side), a.flag(c.park), a.number(c.trade.quantity), a.number(c.trade.price);
  a.number(c.trade.fees), a.number(c.trade.trade_time);
  a.text(c.trade.source), a.text(c.trade.trade_id), a.text(c.reference), a.text(c.trade.book), a.text(c.desk), a.text(c.trade.trader);
  a.text(c.trade.counterparty), a.text(c.trade.instrument), a.text(c.currency);
}

template <class A, class C>
void fields(A& a, C&& c, const FixReceived*) {
  a.number(c.number), a.number(c.commands), a.number(c.reply);
  a.text(c.session), a.text(c.message_type), a.text16(c.answer, limits::kMaxFixAnswer);
}

template <class A, class C>
void fields(A& a, C&& c, const FixSent*) {
  a.number(c.number), a.number(c.answers), a.text(c.session), a.text16(c.message, limits::kMaxFixMessage);
}

template <class A, class C>
void fields(A& a, C&& c, const FixReserved*) {
  a.number(c.number), a.text(c.session);
}

template <class A, class C>
void fields(A& a, C&& c, const FixReset*) {
  a.text(c.session);
}

template <class A, class C>
void fields(A& a, C&& c, const QueryCreate*) {
  a.number(c.severity), a.text(c.name), a.text16(c.sql, limits::kMaxNamedQueryBytes);
}

template <class A, class C>
void fields(A& a, C&& c, const QueryDrop*) {
  a.flag(c.alert), a.text(c.name);
}

class Writer {
 public:
  explicit Writer(std::byte* at) : at_(at) {}
  std::byte* at() const { return at_; }

  template <class T>
  void number(const T& value) {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }
  void flag(bool value) { number(static_cast<std::uint8_t>(value ? 1 : 0)); }
  void text(std::string_view value) {
    CHECK(value.size() <= limits::kMaxName, "a text of %zu bytes reached the codec", value.size());
    number(static_cast<std::uint8_t>(value.size()));
    copy(value);
  }
  void text16(std::string_view value, std::size_t most) {
    CHECK(value.size() <= most, "a long text of %zu bytes reached the codec", value.size());
    number(static_cast<std::uint16_t>(value.size()));
    copy(value);
  }

 private:
  void copy(std::string_view value) {
    if (value.empty()) return;
    std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
  }
  std::byte* at_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // Whether all was there and nothing is left.
  bool complete() const { return !failed_ && at_ == end_; }

  template <class T>
  void number(T& value) {
    if (!has(sizeof value)) return;
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
  }
  void flag(bool& value) {
    std::uint8_t byte = 0;
    number(byte);
    if (byte > 1) fail();
    value = byte == 1;
  }
  void text(std::string_view& value) { take<std::uint8_t>(value, limits::kMaxName); }
  void text16(std::string_view& value, std::size_t most) { take<std::uint16_t>(value, most); }

 private:
  // After a failure nothing is left, so that all that follows fails too.
  void fail() {
    failed_ = true;
    end_ = at_;
  }
  bool has(std::size_t size) {
    if (static_cast<std::size_t>(end_ - at_) >= size) return true;
    fail();
    return false;
  }
  template <class Length>
  void take(std::string_view& value, std::size_t most) {
    Length length = 0;
    number(length);
    if (length > most) fail();
    if (!has(length)) return;
    value = std::string_view(reinterpret_cast<const char*>(at_), length);
    at_ += length;
  }

  const std::byte* at_;
  const std::byte* end_;
  bool failed_ = false;
};

template <class C>
void append(const C& command, CommandType type, std::vector<std::byte>& out) {
  std::byte buffer[limits::kMaxCommandBytes];  // the largest command is far below; asserted by the texts' bounds
  Writer writer(buffer + kRecordHeaderBytes);
  fields(writer, command, static_cast<const C*>(nullptr));
  const std::size_t total = static_cast<std::size_t>(writer.at() - buffer);
  Writer header(buffer);
  header.number(static_cast<std::uint32_t>(total - kRecordHeaderBytes));
  header.number(static_cast<std::uint16_t>(type));
  header.number(std::uint16_t{0});
  out.insert(out.end(), buffer, buffer + total);
}

template <class C>
bool decode_into(std::span<const std::byte> payload, C& command) {
  Reader reader(payload);
  fields(reader, command, static_cast<const C*>(nullptr));
  return reader.complete();
}

template <std::size_t I = 0>
bool decode_at(std::size_t index, std::span<const std::byte> payload, Command& command) {
  if constexpr (I == std::variant_size_v<Command>) {
    return false;
  } else {
    if (index == I) return decode_into(payload, command.emplace<I>());
    return decode_at<I + 1>(index, payload, command);
  }
}

}  // namespace

void append_record(const Command& command, std::vector<std::byte>& out) {
  std::visit([&](const auto& one) { append(one, type_of(command), out); }, command);
}

void append_record(const TradeReport& report, std::vector<std::byte>& out) { append(report, CommandType::kTradeReport, out); }

void append_record(const FixReceived& received, std::vector<std::byte>& out) { append(received, CommandType::kFixReceived, out); }

void append_record(const Trade& trade, std::vector<std::byte>& out) { append(trade, CommandType::kTrade, out); }

bool decode(CommandType type, std::span<const std::byte> payload, Command& command) {
  const auto number = static_cast<std::size_t>(type);
  return number >= 1 && decode_at(number - 1, payload, command);
}

bool decode_trade(std::span<const std::byte> payload, Trade& trade) { return decode_into(payload, trade); }

FramedCommand first_command(std::span<const std::byte> records) {
  std::uint32_t length = 0;
  std::uint16_t type = 0;
  CHECK(records.size() >= kRecordHeaderBytes, "%zu bytes are no record", records.size());
  std::memcpy(&length, records.data(), sizeof length);
  std::memcpy(&type, records.data() + sizeof length, sizeof type);
  FramedCommand first;
  first.bytes = kRecordHeaderBytes + length;
  CHECK(first.bytes <= records.size() && decode(static_cast<CommandType>(type), records.subspan(kRecordHeaderBytes, length), first.command),
        "a record of type %u does not decode", static_cast<unsigned>(type));
  return first;
}

}  // namespace halocline
