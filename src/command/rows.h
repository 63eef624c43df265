// What a reader of the hot state gets: plain rows, each set exact at one seq. Decimals are e8 integers, money in the
// currency said. Definitions of every figure: docs/semantics.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "command/alert.h"
#include "command/command.h"

namespace halocline {

// A node's position in an instrument; money in the instrument's currency.
struct PositionRow {
  NodeKind node_kind = NodeKind::kFirm;
  std::string node;
  std::string instrument;
  std::string currency;
  Int128 quantity = 0;
  Int128 average_price = 0;
  Money cost = 0;
  Money market_value = 0;
  Money realised = 0;
  Money unrealised = 0;
  Money total_pnl = 0;
  std::int64_t mark = 0;
  bool mark_stale = false;
  std::uint32_t trades = 0;  // live ones
};

// A node with its measures; money in the firm's currency.
struct NodeRow {
  std::uint32_t id = 0;
  NodeKind kind = NodeKind::kFirm;
  std::string name;
  std::string parent;  // a book's or trader's desk
  Money net = 0, gross = 0, long_exposure = 0, short_exposure = 0;
  Money total_pnl = 0, day_pnl = 0, drawdown = 0;
  Int128 concentration = 0;  // e8: 0.25 is 25000000
  Money largest_trade = 0;
  std::uint32_t trade_rate = 0;  // trades in the last limits::kTradeRateSeconds
  Money stale = 0;

  friend bool operator==(const NodeRow&, const NodeRow&) = default;
};

struct LimitRow {
  std::string name;
  NodeKind kind = NodeKind::kFirm;
  std::string node;
  Measure measure = Measure::kGross;
  Int128 warn = 0, breach = 0;
  std::int64_t hysteresis = 0;
  bool hard = false;
  std::string owner;
  std::int64_t escalate_after = 0;
  std::uint32_t active_alerts = 0;
};

struct CurrencyRow {
  std::string code;
  std::int64_t rate = 0;
};

struct InstrumentRow {
  std::string symbol;
  InstrumentKind kind = InstrumentKind::kEquity;
  std::string currency;
  std::int64_t multiplier = 0;
  std::string underlying, sector, issuer;
  std::uint32_t expiry = 0;
  std::int64_t stale_after = 0;
  bool has_mark = false;
  std::int64_t mark = 0;
  Nanos mark_time = 0;
  bool mark_stale = false;
};

// Desk, book, trader and counterparty names with the desk they belong to (empty where there is none).
struct NameRow {
  NodeKind kind = NodeKind::kDesk;
  std::string name;
  std::string desk;
};

struct ReferenceRows {
  std::string firm;
  std::string firm_currency;
  std::uint32_t end_of_day = 0;
  std::vector<CurrencyRow> currencies;
  std::vector<NameRow> names;
  std::vector<InstrumentRow> instruments;
};

struct TradeRow {
  std::string source, trade_id;
  std::uint32_t version = 0;
  bool live = false;
  Action action = Action::kNew;  // of the current version, while live
  std::string book, trader, counterparty, instrument;
  Side side = Side::kBuy;
  std::int64_t quantity = 0, price = 0, fees = 0;
  Nanos trade_time = 0;
  Seq seq = 0, version_seq = 0;
};

// Which rows are wanted. Empty text or kind 0 means any.
struct PositionFilter {
  NodeKind kind{};
  std::string node;
  std::string instrument;
};

struct NodeFilter {
  NodeKind kind{};
  std::string name;
};

struct AlertFilter {
  bool active_only = true;
  NodeKind kind{};
  std::string node;
};

// Rows with the seq at which they are exact.
template <class T>
struct At {
  Seq seq = 0;
  Nanos time = 0;
  T rows;
};

}  // namespace halocline
