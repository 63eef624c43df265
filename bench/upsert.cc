// An upsert into `trades`: rows that are new and rows that replace others, by merge-on-read, into a table of a million.
//   bench_upsert FOLDER [rows updates new rounds]     prints one JSON line a round
// FOLDER is a data directory for `halocline serve` afterwards.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/history_bench.h"
#include "history/tables/table_set.h"
#include "history/tables/trades.h"
#include "history/tables/upsert_table.h"

using namespace halocline;
using namespace halocline::bench;

namespace {

// Trades that changed, as the books tell of them.
class ChangedTrades final : public Books {
 public:
  void change(std::uint64_t number, std::uint32_t version) { changed_.emplace_back(number, version); }

  void apply(Seq, Nanos, std::span<const Command>, const Told&) override {}
  void changed_trades(const TradeVisitor& visit) override {
    for (const auto& [number, version] : changed_) {
      const std::string id = "T" + std::to_string(number), book = "book " + std::to_string(number % 100);
      TradeChange change;
      change.number = number;
      change.standing = TradeStanding::kLive;
      TradeRow& row = change.row;
      row.source = "bench", row.trade_id = id, row.version = version, row.live = true;
      row.book = book, row.trader = "trader", row.counterparty = "street", row.instrument = "AAPL";
      row.side = number % 2 == 0 ? Side::kBuy : Side::kSell;
      row.quantity = static_cast<std::int64_t>(1 + number % 1'000) * 100'000'000;
      row.price = static_cast<std::int64_t>(19'000'000'000 + number);
      row.trade_time = 1'790'000'000'000'000'000 + static_cast<Nanos>(number), row.seq = number + 1, row.version_seq = number + version;
      visit(change);
    }
    changed_.clear();
  }
  void changed_positions(const PositionVisitor&) override {}
  void changed_nodes(const NodeVisitor&) override {}
  std::string digest() override { return ""; }

 private:
  std::vector<std::pair<std::uint64_t, std::uint32_t>> changed_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_upsert FOLDER [rows updates new rounds]\n");
    return 2;
  }
  const auto number = [&](int place, std::uint64_t otherwise) {
    return argc > place ? std::strtoull(argv[place], nullptr, 10) : otherwise;
  };
  const std::uint64_t rows = number(2, 1'000'000), updates = number(3, 100'000), added = number(4, 20'000), rounds = number(5, 3);
  SystemClock clock;
  LakeFolder lake(argv[1], clock);
  UpsertTable table(trades::definition());
  TableSet tables(*lake.catalog, lake.warehouse, clock, {"halocline", 2, "bench"});
  tables.add(table);
  must(tables.open());
  ChangedTrades books;
  Seq seq = 0;
  const auto commit = [&] {
    must(trades::write_changes(books, table));
    must(tables.begin({++seq, "", "", "", ""}));
    must(tables.finish());
  };
  for (std::uint64_t i = 0; i < rows; ++i) books.change(i, 1);
  commit();
  std::uint64_t next = rows;
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    // Spread over the whole table, others each time.
    const std::uint64_t step = rows / updates;
    for (std::uint64_t i = 0; i < updates; ++i) books.change(i * step + round % step, 1 + static_cast<std::uint32_t>(round));
    for (std::uint64_t i = 0; i < added; ++i) books.change(next++, 1);
    const SteadyClock::time_point from = SteadyClock::now();
    commit();
    const double seconds = seconds_since(from);
    std::printf("{\"seconds\": %.4f, \"rows_per_s\": %.0f}\n", seconds, static_cast<double>(updates + added) / seconds);
  }
  return 0;
}
