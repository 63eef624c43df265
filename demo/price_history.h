// Daily closes of real shares, from demo/data/sp500_prices.csv.gz.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"

namespace halocline::demo {

struct PriceHistory {
  std::vector<std::string> symbols;
  std::vector<std::uint32_t> dates;                 // yyyymmdd, ascending
  std::vector<std::vector<std::int64_t>> closes;    // [day][symbol], e8
};

// kNotFound or kDataLoss with the line that is wrong.
Result<PriceHistory> read_price_history(const std::string& path);

}  // namespace halocline::demo
