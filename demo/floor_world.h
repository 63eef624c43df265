// The floor: 200 traders on 6 desks and 40 books, 500 instruments in 4 currencies, and an endless stream of prices and trades, each with the
// outcome that the server must give it. Deterministic in its seed. It keeps its own positions, to compare with the server's.
//
// One thread. Texts are std::strings in the messages it fills.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "demo/price_history.h"
#include "halocline/v1/ingest.pb.h"
#include "halocline/v1/reference.pb.h"
#include "halocline/v1/risk.pb.h"

namespace halocline::demo {

class FloorWorld {
 public:
  // The trader who will bet too much, and the share he bets on. He does nothing else.
  static constexpr const char* kHotTrader = "T115";
  static constexpr const char* kHotShare = "AMD";
  static constexpr const char* kHotLimit = "trader-gross";
  static constexpr double kReplayDaySeconds = 2.0;

  // `run` makes the trade ids of this run its own. Real prices start at the first day after `after_date` (yyyymmdd, 0: at the default).
  FloorWorld(const PriceHistory& history, std::uint64_t seed, std::string run, std::uint32_t after_date);

  std::vector<v1::ReferenceItem> reference() const;
  std::vector<v1::Limit> limits() const;
  // The first prices of all instruments.
  v1::PriceBatch first_prices() const;
  // Moves the prices of `count` instruments to the moment `seconds` after the start, and adds them to the batch.
  void move_prices(double seconds, int count, v1::PriceBatch& batch);
  // The date of the replayed day at that moment.
  std::uint32_t date_at(double seconds) const;

  // The next message of the calm floor: fills `trade` and returns the outcome it must get.
  v1::Outcome next_trade(std::int64_t now_ns, v1::Trade& trade);
  // The hot trader's next buy, bigger than the one before.
  void next_hot_trade(std::int64_t now_ns, v1::Trade& trade);

  // What the floor's own trades of this run come to: quantity (e8) by book and instrument.
  std::map<std::pair<std::string, std::string>, std::int64_t> book_quantities() const;

 private:
  struct Thing {
    std::string symbol;
    v1::InstrumentKind kind;
    int currency;
    std::int64_t multiplier;
    std::string sector;
    std::int64_t price;
    int real;  // column in the history, -1 for a synthetic one
  };
  struct Known {
    v1::Trade trade;
    bool live;
  };

  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>((random_() >> 32) * n >> 32); }
  void fill_new(std::int64_t now_ns, v1::Trade& trade);
  void count(const v1::Trade& trade, int sign);
  void remember(const v1::Trade& trade);
  std::size_t day_at(double seconds) const;
  std::string next_id() { return run_ + "-" + std::to_string(++ids_); }

  const PriceHistory& history_;
  std::mt19937_64 random_;
  std::string run_;
  std::size_t first_day_;
  std::uint64_t ids_ = 0;
  std::vector<std::string> desks_, books_, traders_, counterparties_;
  std::vector<std::pair<std::string, std::int64_t>> currencies_;
  std::vector<Thing> things_;
  std::map<std::string, std::size_t> thing_of_;
  std::size_t next_price_ = 0;
  std::deque<Known> recent_;
  std::vector<v1::Trade> late_;  // first versions that are still to come after their corrections
  std::map<std::pair<std::string, std::string>, std::int64_t> by_book_;
  std::map<std::pair<std::string, std::string>, std::int64_t> by_trader_;
  std::int64_t hot_quantity_ = 20'000;
};

}  // namespace halocline::demo
