#include "demo/price_history.h"

#include <zlib.h>

#include <memory>
#include <string_view>

#include "base/decimal.h"

namespace halocline::demo {
namespace {

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<PriceHistory> read_price_history(const std::string& path) {
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) return Status(Code::kNotFound, "cannot open the price history " + path);
  PriceHistory history;
  char buffer[4096];
  for (int number = 1; gzgets(file.get(), buffer, sizeof buffer) != nullptr; ++number) {
    std::string_view line(buffer);
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    const std::vector<std::string_view> fields = split(line);
    if (number == 1) {
      history.symbols.assign(fields.begin() + 1, fields.end());
      continue;
    }
    const Status bad(Code::kDataLoss, path + ", line " + std::to_string(number) + " is no row of prices");
    if (fields.size() != history.symbols.size() + 1 || fields[0].size() != 10) return bad;
    std::string digits;
    for (const char c : fields[0]) {
      if (c >= '0' && c <= '9') digits += c;
    }
    std::vector<std::int64_t> row;
    for (std::size_t i = 1; i < fields.size(); ++i) {
      const std::optional<std::int64_t> price = parse_decimal(fields[i]);
      if (!price || *price <= 0) return bad;
      row.push_back(*price);
    }
    if (digits.size() != 8) return bad;
    history.dates.push_back(static_cast<std::uint32_t>(std::stoul(digits)));
    history.closes.push_back(std::move(row));
  }
  if (history.dates.size() < 2) return Status(Code::kDataLoss, path + " holds no days");
  return history;
}

}  // namespace halocline::demo
