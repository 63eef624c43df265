// The commands: everything that can change the state, as the gateways build them, the journal keeps them and the
// engine applies them. What each does, field by field, is docs/semantics.md; the bytes are docs/formats/commands.md.
//
// Text fields are views: they live as long as the bytes or strings they were made from. Decimals are e8 integers
// (base/decimal.h), times nanoseconds UTC.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "base/decimal.h"

namespace halocline {

using Seq = std::uint64_t;    // place in the journal, from 1 without gaps; 0 is "before the first"
using Nanos = std::int64_t;   // nanoseconds since 1970-01-01 UTC

// The numbers of the enums below are in the journal and never change. 0 is never valid.
enum class NodeKind : std::uint8_t {
  kFirm = 1, kDesk = 2, kBook = 3, kTrader = 4, kCounterparty = 5,
  kInstrument = 6, kUnderlying = 7, kSector = 8, kCurrency = 9,
};
enum class InstrumentKind : std::uint8_t { kEquity = 1, kFuture = 2, kFxPair = 3 };
enum class Action : std::uint8_t { kNew = 1, kAmend = 2, kCancel = 3 };
enum class Side : std::uint8_t { kBuy = 1, kSell = 2 };
enum class AlertLevel : std::uint8_t { kNone = 0, kWarn = 1, kBreach = 2 };
enum class Measure : std::uint8_t {
  kNet = 1, kGross = 2, kLong = 3, kShort = 4, kDayLoss = 5, kTotalLoss = 6, kDrawdown = 7,
  kConcentration = 8, kLargestTrade = 9, kTradeRate = 10, kStale = 11,
};
inline constexpr int kNodeKindCount = 10;
inline constexpr int kMeasureCount = 12;

struct Firm {
  std::string_view name;
  std::string_view currency;
};

struct Currency {
  std::string_view code;
  std::int64_t rate = 0;  // firm currency for one unit
};

struct Desk {
  std::string_view name;
};

struct Book {
  std::string_view name;
  std::string_view desk;
};

struct Trader {
  std::string_view name;
  std::string_view desk;  // may be empty
};

struct Counterparty {
  std::string_view name;
};

struct Instrument {
  std::string_view symbol;
  InstrumentKind kind = InstrumentKind::kEquity;
  std::string_view currency;
  std::int64_t multiplier = 0;
  std::string_view underlying;
  std::string_view sector;
  std::string_view issuer;
  std::uint32_t expiry = 0;     // yyyymmdd, 0 for none
  std::int64_t stale_after = 0;  // nanoseconds, 0 for never
};

struct Rename {
  NodeKind kind = NodeKind::kBook;
  std::string_view from;
  std::string_view to;
};

struct Trade {
  std::string_view source;
  std::string_view trade_id;
  std::uint32_t version = 0;
  Action action = Action::kNew;
  std::string_view book;
  std::string_view trader;
  std::string_view counterparty;
  std::string_view instrument;
  Side side = Side::kBuy;
  std::int64_t quantity = 0;
  std::int64_t price = 0;
  std::int64_t fees = 0;
  Nanos trade_time = 0;
};

struct Price {
  std::string_view instrument;
  std::int64_t price = 0;
  Nanos price_time = 0;  // the source's own time, 0 when it gives none
};

struct FxRate {
  std::string_view currency;
  std::int64_t rate = 0;
  Nanos rate_time = 0;
};

struct EndOfDay {
  std::uint32_t date = 0;  // yyyymmdd
};

struct Timer {};

struct Limit {
  std::string_view name;
  NodeKind kind = NodeKind::kFirm;
  std::string_view node;  // a node's name, or "*" for a template
  Measure measure = Measure::kGross;
  Int128 warn = 0;  // 0: no warning level
  Int128 breach = 0;
  std::int64_t hysteresis = 0;  // a fraction of the level, e8
  bool hard = false;
  std::string_view owner;
  std::int64_t escalate_after = 0;  // nanoseconds, 0 for never
};

struct LimitRemove {
  std::string_view name;
};

struct AlertAck {
  std::uint64_t alert_id = 0;
  std::string_view by;
  std::string_view note;
};

// A trade as a report of an order system tells it: under an id of the report's own, and, for a correction or a cancel, with the
// id of an earlier report. The engine finds the trade and the version. docs/semantics.md, "Trade reports".
struct TradeReport {
  Trade trade;                // trade_id: the report's; version: not looked at
  std::string_view reference;  // the report that it corrects or cancels; may be empty
  std::string_view desk;       // when not empty, the book must be of it
  std::string_view currency;   // when not empty, the instrument's
  bool park = false;           // wait for an instrument that is not known, instead of being refused
};

// Whether a FIX message is answered.
enum class FixReply : std::uint8_t { kNone = 0, kAlways = 1, kWhenRefused = 2 };

// A FIX application message came in: the number, and that the next `commands` commands are what it became. It is the first of them in
// one submission, so all are durable or none.
struct FixReceived {
  std::string_view session;
  std::uint32_t number = 0;  // its MsgSeqNum
  std::uint16_t commands = 0;
  FixReply reply = FixReply::kNone;
  std::string_view message_type;
  std::string_view answer;  // tags of the message that its reply repeats, as FIX text
};

// A FIX application message goes out.
struct FixSent {
  std::string_view session;
  std::uint32_t number = 0;
  Seq answers = 0;  // the FixReceived it is the reply to; 0: none that is waited for
  std::string_view message;  // the whole message
};

// Outgoing numbers below it may have been used.
struct FixReserved {
  std::string_view session;
  std::uint32_t number = 0;
};

// Both numbers of the session begin at 1 again.
struct FixReset {
  std::string_view session;
};

// A question under a name: worked out from here on, also while nobody watches. With a severity, each row of its answer is an alert
// for as long as it is in it. docs/semantics.md, "Queries".
struct QueryCreate {
  std::string_view name;
  AlertLevel severity = AlertLevel::kNone;
  std::string_view sql;  // a SELECT without parameters
};

struct QueryDrop {
  std::string_view name;
  bool alert = false;  // whether it raises alerts
};

using Command = std::variant<Timer, Trade, Price, FxRate, Firm, Currency, Desk, Book, Trader, Counterparty, Instrument,
                             Rename, EndOfDay, Limit, LimitRemove, AlertAck, TradeReport, FixReceived, FixSent, FixReserved,
                             FixReset, QueryCreate, QueryDrop>;

// The record type in the journal. Never reused, never renumbered.
enum class CommandType : std::uint16_t {
  kTimer = 1, kTrade = 2, kPrice = 3, kFxRate = 4, kFirm = 5, kCurrency = 6, kDesk = 7, kBook = 8, kTrader = 9,
  kCounterparty = 10, kInstrument = 11, kRename = 12, kEndOfDay = 13, kLimit = 14, kLimitRemove = 15, kAlertAck = 16,
  kTradeReport = 17, kFixReceived = 18, kFixSent = 19, kFixReserved = 20, kFixReset = 21, kQueryCreate = 22, kQueryDrop = 23,
};
inline constexpr int kCommandTypeCount = 24;

CommandType type_of(const Command& command);

// Names for people and scripts: "TRADE", "BOOK", "day_loss", … and back (0 as enum when there is none of that name).
std::string_view type_name(CommandType type);
std::string_view kind_name(NodeKind kind);            // "firm", "desk", "book", …
std::string_view measure_name(Measure measure);       // "net", "gross", …, "day_loss", …
std::string_view instrument_kind_name(InstrumentKind kind);  // "equity", "future", "fx_pair"
std::string_view action_name(Action action);          // "NEW", …
std::string_view level_name(AlertLevel level);        // "NONE", "WARN", "BREACH"
std::string_view side_name(Side side);                // "BUY", "SELL"
NodeKind kind_from(std::string_view name);
Measure measure_from(std::string_view name);
InstrumentKind instrument_kind_from(std::string_view name);
Action action_from(std::string_view name);
Side side_from(std::string_view name);

}  // namespace halocline
