#include "demo/floor_world.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/limits.h"

namespace halocline::demo {
namespace {

constexpr std::int64_t kOne = limits::kScale;
constexpr std::size_t kRecent = 2'000;
constexpr std::uint32_t kDefaultStart = 20200101;  // March 2020 comes by

std::string numbered(const char* prefix, int number, int width) {
  char text[32];
  std::snprintf(text, sizeof text, "%s%0*d", prefix, width, number);
  return text;
}

std::int64_t to_cents(std::int64_t e8) { return e8 < kOne ? std::max<std::int64_t>(e8 / 10'000, 1) * 10'000 : e8 / 1'000'000 * 1'000'000; }

const char* sector_of(const std::string& symbol) {
  static const std::map<std::string, const char*> sectors{
      {"AAPL", "technology"}, {"AMD", "technology"}, {"MSFT", "technology"}, {"BAC", "financials"}, {"JPM", "financials"},
      {"BBY", "retail"},      {"HD", "retail"},      {"WMT", "retail"},      {"CVX", "energy"},     {"RRC", "energy"},
      {"XOM", "energy"},      {"GE", "industrials"}, {"JNJ", "health"},      {"LLY", "health"},     {"MRK", "health"},
      {"PFE", "health"},      {"UNH", "health"},     {"KO", "staples"},      {"PEP", "staples"},    {"PG", "staples"}};
  const auto found = sectors.find(symbol);
  return found == sectors.end() ? "other" : found->second;
}

}  // namespace

FloorWorld::FloorWorld(const PriceHistory& history, std::uint64_t seed, std::string run, std::uint32_t after_date)
    : history_(history), random_(seed), run_(std::move(run)) {
  const std::uint32_t from = std::max(after_date + 1, kDefaultStart);
  first_day_ = static_cast<std::size_t>(std::lower_bound(history.dates.begin(), history.dates.end(), from) - history.dates.begin());
  first_day_ = std::min(first_day_, history.dates.size() - 2);

  desks_ = {"us-equity", "eu-equity", "asia-equity", "index", "fx", "macro"};
  for (int i = 0; i < 40; ++i) books_.push_back(desks_[static_cast<std::size_t>(i) % desks_.size()] + numbered("-", i / 6 + 1, 1));
  for (int i = 1; i <= 200; ++i) traders_.push_back(numbered("T", i, 3));
  for (int i = 1; i <= 50; ++i) counterparties_.push_back(numbered("cp", i, 2));
  currencies_ = {{"USD", kOne}, {"EUR", 108'250'000}, {"GBP", 126'400'000}, {"JPY", 668'000}};

  for (std::size_t i = 0; i < history.symbols.size(); ++i) {
    things_.push_back({history.symbols[i], v1::EQUITY, 0, kOne, sector_of(history.symbols[i]), history.closes[first_day_][i], static_cast<int>(i)});
  }
  const char* sectors[] = {"technology", "financials", "retail", "energy", "industrials", "health", "staples", "utilities"};
  for (int i = 1; i <= 420; ++i) {
    const int currency = i % 4;
    const std::int64_t level = static_cast<std::int64_t>(5 + below(400)) * (currency == 3 ? 100 : 1);
    things_.push_back({numbered("EQ", i, 3), v1::EQUITY, currency, kOne, sectors[i % 8], level * kOne, -1});
  }
  for (int i = 1; i <= 54; ++i) {
    things_.push_back({numbered("FU", i, 2), v1::FUTURE, i % 2, (i % 3 == 0 ? 50 : 10) * kOne, "", static_cast<std::int64_t>(50 + below(400)) * kOne, -1});
  }
  const std::tuple<const char*, int, double> pairs[] = {{"EURUSD", 0, 1.0825}, {"GBPUSD", 0, 1.264},   {"EURGBP", 2, 0.8564},
                                                        {"USDJPY", 3, 149.7},  {"EURJPY", 3, 162.05}, {"GBPJPY", 3, 189.2}};
  for (const auto& [symbol, quote, level] : pairs) {
    things_.push_back({symbol, v1::FX_PAIR, quote, kOne, "", static_cast<std::int64_t>(level * 1e4) * (kOne / 10'000), -1});
  }
  for (std::size_t i = 0; i < things_.size(); ++i) thing_of_[things_[i].symbol] = i;
}

std::vector<v1::ReferenceItem> FloorWorld::reference() const {
  std::vector<v1::ReferenceItem> items;
  auto add = [&items]() -> v1::ReferenceItem& { return items.emplace_back(); };
  for (std::size_t i = 1; i < currencies_.size(); ++i) {
    v1::CurrencyItem& item = *add().mutable_currency();
    item.set_code(currencies_[i].first);
    item.set_rate_e8(currencies_[i].second);
  }
  for (const std::string& desk : desks_) add().mutable_desk()->set_name(desk);
  for (std::size_t i = 0; i < books_.size(); ++i) {
    v1::BookItem& item = *add().mutable_book();
    item.set_name(books_[i]);
    item.set_desk(desks_[i % desks_.size()]);
  }
  for (std::size_t i = 0; i < traders_.size(); ++i) {
    v1::TraderItem& item = *add().mutable_trader();
    item.set_name(traders_[i]);
    item.set_desk(desks_[i % desks_.size()]);
  }
  for (const std::string& counterparty : counterparties_) add().mutable_counterparty()->set_name(counterparty);
  for (const Thing& thing : things_) {
    v1::InstrumentItem& item = *add().mutable_instrument();
    item.set_symbol(thing.symbol);
    item.set_kind(thing.kind);
    item.set_currency(currencies_[static_cast<std::size_t>(thing.currency)].first);
    item.set_multiplier_e8(thing.multiplier);
    item.set_sector(thing.sector);
    item.set_stale_after_ns(60'000'000'000);
  }
  return items;
}

std::vector<v1::Limit> FloorWorld::limits() const {
  auto limit = [](const char* name, v1::NodeKind kind, const char* node, v1::Measure measure, const char* warn, const char* breach) {
    v1::Limit l;
    l.set_name(name);
    l.set_kind(kind);
    l.set_node(node);
    l.set_measure(measure);
    l.set_warn(warn);
    l.set_breach(breach);
    l.set_hysteresis_e8(5'000'000);
    l.set_hard(true);
    l.set_owner("risk-desk");
    l.set_escalate_after_ns(60'000'000'000);
    return l;
  };
  return {limit(kHotLimit, v1::TRADER, "*", v1::GROSS, "30000000", "40000000"),
          limit("trader-rate", v1::TRADER, "*", v1::TRADE_RATE, "400", "500"),
          limit("desk-net", v1::DESK, "*", v1::NET, "900000000", "1000000000"),
          limit("firm-gross", v1::FIRM, "*", v1::GROSS, "9000000000", "10000000000"),
          limit("firm-day-loss", v1::FIRM, "*", v1::DAY_LOSS, "400000000", "500000000")};
}

v1::PriceBatch FloorWorld::first_prices() const {
  v1::PriceBatch batch;
  for (const Thing& thing : things_) {
    v1::Price& price = *batch.add_prices();
    price.set_instrument(thing.symbol);
    price.set_price_e8(thing.price);
  }
  return batch;
}

std::size_t FloorWorld::day_at(double seconds) const {
  return std::min(first_day_ + static_cast<std::size_t>(seconds / kReplayDaySeconds), history_.dates.size() - 2);
}

std::uint32_t FloorWorld::date_at(double seconds) const { return history_.dates[day_at(seconds)]; }

void FloorWorld::move_prices(double seconds, int count, v1::PriceBatch& batch) {
  const std::size_t day = day_at(seconds);
  const double part = std::fmod(seconds, kReplayDaySeconds) / kReplayDaySeconds;
  for (int i = 0; i < count; ++i) {
    // Every other price is a real share's.
    next_price_ = (next_price_ + 1) % (2 * things_.size());
    Thing& thing = next_price_ % 2 == 0 ? things_[next_price_ / 2] : things_[next_price_ / 2 % history_.symbols.size()];
    if (thing.real >= 0) {
      const auto column = static_cast<std::size_t>(thing.real);
      const auto from = static_cast<double>(history_.closes[day][column]), to = static_cast<double>(history_.closes[day + 1][column]);
      thing.price = static_cast<std::int64_t>(from + (to - from) * part);
    } else {
      thing.price += thing.price / 20'000 * (static_cast<std::int64_t>(below(21)) - 10);
    }
    thing.price = std::max<std::int64_t>(to_cents(thing.price), 10'000);
    v1::Price& price = *batch.add_prices();
    price.set_instrument(thing.symbol);
    price.set_price_e8(thing.price);
  }
}

void FloorWorld::fill_new(std::int64_t now_ns, v1::Trade& trade) {
  std::size_t trader = below(static_cast<std::uint32_t>(traders_.size()));
  if (traders_[trader] == kHotTrader) trader = 0;
  // One of the desk's books, one of a few instruments a trader knows.
  const std::size_t desk = trader % desks_.size();
  std::size_t book = desk + desks_.size() * below(7);
  if (book >= books_.size()) book = desk;
  const Thing& thing = things_[(trader * 37 + below(24) * 20 + below(2)) % things_.size()];
  const bool fx = thing.kind == v1::FX_PAIR;
  const double in_firm = static_cast<double>(thing.price) / 1e8 * static_cast<double>(thing.multiplier) / 1e8 *
                         static_cast<double>(currencies_[static_cast<std::size_t>(thing.currency)].second) / 1e8;
  const double lots = std::max(1.0, std::floor((20'000 + below(60'000)) / in_firm));
  const std::int64_t held = by_trader_[{traders_[trader], thing.symbol}];
  const bool sell = held == 0 ? below(2) == 0 : (held > 0) == (below(100) < 70);  // mostly back towards flat
  trade.set_source("floor");
  trade.set_trade_id(next_id());
  trade.set_version(1);
  trade.set_action(v1::NEW);
  trade.set_book(books_[book]);
  trade.set_trader(traders_[trader]);
  trade.set_counterparty(counterparties_[below(50)]);
  trade.set_instrument(thing.symbol);
  trade.set_side(sell ? v1::SELL : v1::BUY);
  trade.set_quantity_e8(static_cast<std::int64_t>(lots) * kOne);
  trade.set_price_e8(thing.price);
  trade.set_fees_e8(fx ? 0 : static_cast<std::int64_t>(below(500)) * 1'000'000);
  trade.set_trade_time_ns(now_ns);
}

void FloorWorld::count(const v1::Trade& trade, int sign) {
  const std::int64_t signed_quantity = (trade.side() == v1::BUY ? sign : -sign) * trade.quantity_e8();
  by_book_[{trade.book(), trade.instrument()}] += signed_quantity;
  by_trader_[{trade.trader(), trade.instrument()}] += signed_quantity;
}

void FloorWorld::remember(const v1::Trade& trade) {
  recent_.push_back({trade, true});
  if (recent_.size() > kRecent) recent_.pop_front();
}

v1::Outcome FloorWorld::next_trade(std::int64_t now_ns, v1::Trade& trade) {
  if (!late_.empty() && below(4) == 0) {
    trade = late_.back();
    late_.pop_back();
    return v1::STALE;
  }
  const std::uint32_t dice = recent_.size() < 100 ? 999 : below(1000);
  if (dice >= 100) {
    fill_new(now_ns, trade);
    if (dice < 110) {
      // A correction that overtakes its first version.
      late_.push_back(trade);
      trade.set_version(2);
      trade.set_action(v1::AMEND);
      trade.set_quantity_e8(trade.quantity_e8() * 2);
    }
    count(trade, 1);
    remember(trade);
    return v1::ACCEPTED;
  }
  Known& known = recent_[below(static_cast<std::uint32_t>(recent_.size()))];
  if (dice < 20) {
    trade = known.trade;
    return v1::DUPLICATE;
  }
  if (dice < 23 && known.live) {
    trade = known.trade;
    trade.set_quantity_e8(trade.quantity_e8() + kOne);
    return v1::CONFLICT;
  }
  if (known.live) count(known.trade, -1);
  known.trade.set_version(known.trade.version() + 1);
  known.live = dice >= 45;
  known.trade.set_action(known.live ? v1::AMEND : v1::CANCEL);
  if (known.live) {
    known.trade.set_price_e8(known.trade.price_e8() + 1'000'000);
    count(known.trade, 1);
  }
  trade = known.trade;
  return v1::ACCEPTED;
}

void FloorWorld::next_hot_trade(std::int64_t now_ns, v1::Trade& trade) {
  fill_new(now_ns, trade);
  const std::size_t trader = 114;  // T115, of the first desk
  trade.set_trader(kHotTrader);
  trade.set_book(books_[trader % desks_.size()]);
  trade.set_instrument(kHotShare);
  trade.set_side(v1::BUY);
  trade.set_quantity_e8(hot_quantity_ * kOne);
  trade.set_price_e8(things_[thing_of_.at(kHotShare)].price);
  hot_quantity_ += hot_quantity_ / 4;
  count(trade, 1);
}

std::map<std::pair<std::string, std::string>, std::int64_t> FloorWorld::book_quantities() const { return by_book_; }

}  // namespace halocline::demo
