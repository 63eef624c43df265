// The trading floor that the benches play: desks, books, traders, instruments, and an endless deterministic stream of trades.
// Texts it hands out live as long as the workload.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "command/command.h"

namespace halocline::bench {

struct FloorSize {
  std::uint32_t desks = 6, books = 40, traders = 200, counterparties = 50, instruments = 500, currencies = 4;
};

class FloorWorkload {
 public:
  explicit FloorWorkload(std::uint64_t seed, FloorSize size = {}) : size_(size), random_(seed * 2 + 1) {
    for (std::uint32_t i = 0; i < size.desks; ++i) desks.push_back("desk" + std::to_string(i));
    for (std::uint32_t i = 0; i < size.books; ++i) books.push_back("book" + std::to_string(i));
    for (std::uint32_t i = 0; i < size.traders; ++i) traders.push_back(numbered("T", i, 3));
    for (std::uint32_t i = 0; i < size.counterparties; ++i) counterparties.push_back("cpty" + std::to_string(i));
    for (std::uint32_t i = 0; i < size.instruments; ++i) {
      instruments.push_back(numbered("INST", i, 4));
      prices.push_back(static_cast<std::int64_t>(10 + below(490)) * 100'000'000 + static_cast<std::int64_t>(below(100)) * 1'000'000);
    }
    for (std::uint32_t i = 0; i < 11; ++i) sectors.push_back("sector" + std::to_string(i));
    codes = {"USD", "EUR", "GBP", "JPY"};
  }

  // The reference data, in an order that works.
  std::vector<Command> reference() const {
    std::vector<Command> commands{Firm{"bench", "USD"}};
    const std::int64_t rates[] = {100'000'000, 108'000'000, 127'000'000, 670'000};
    for (std::uint32_t i = 1; i < size_.currencies; ++i) commands.push_back(Currency{codes[i], rates[i]});
    for (const std::string& desk : desks) commands.push_back(Desk{desk});
    for (std::size_t i = 0; i < books.size(); ++i) commands.push_back(Book{books[i], desks[i % desks.size()]});
    for (std::size_t i = 0; i < traders.size(); ++i) commands.push_back(Trader{traders[i], desks[i % desks.size()]});
    for (const std::string& counterparty : counterparties) commands.push_back(Counterparty{counterparty});
    for (std::size_t i = 0; i < instruments.size(); ++i) {
      commands.push_back(Instrument{instruments[i], InstrumentKind::kEquity, codes[i % size_.currencies], 100'000'000, "",
                                    sectors[i % sectors.size()], "", 0, 0});
    }
    for (std::size_t i = 0; i < instruments.size(); ++i) commands.push_back(Price{instruments[i], prices[i], 0});
    return commands;
  }

  // The next new trade. Its id is "t" and the number of trades before it; `id` must stay where it is while the trade is used.
  Trade next_trade(std::string& id) {
    id = "t" + std::to_string(next_id_++);
    const std::uint32_t instrument = below(size_.instruments);
    Trade trade;
    trade.source = "bench";
    trade.trade_id = id;
    trade.version = 1;
    trade.action = Action::kNew;
    trade.trader = traders[below(size_.traders)];
    trade.book = books[below(size_.books)];
    trade.counterparty = counterparties[below(size_.counterparties)];
    trade.instrument = instruments[instrument];
    trade.side = below(2) == 0 ? Side::kBuy : Side::kSell;
    trade.quantity = static_cast<std::int64_t>(1 + below(50)) * 100 * 100'000'000;
    trade.price = prices[instrument] + (static_cast<std::int64_t>(below(200)) - 100) * 1'000'000;
    trade.fees = 1'000'000;
    trade.trade_time = 1'700'000'000'000'000'000;
    return trade;
  }

  std::uint32_t below(std::uint32_t n) {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    return static_cast<std::uint32_t>((random_ >> 32) * n >> 32);
  }

  std::vector<std::string> desks, books, traders, counterparties, instruments, sectors, codes;
  std::vector<std::int64_t> prices;

 private:
  static std::string numbered(const char* prefix, std::uint32_t number, std::size_t width) {
    std::string digits = std::to_string(number);
    return prefix + std::string(width - std::min(width, digits.size()), '0') + digits;
  }

  FloorSize size_;
  std::uint64_t random_;
  std::uint64_t next_id_ = 0;
};

}  // namespace halocline::bench
