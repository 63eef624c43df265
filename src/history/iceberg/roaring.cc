#include "history/iceberg/roaring.h"

#include <bit>
#include <cstddef>
#include <optional>

#include "base/check.h"

namespace halocline::iceberg {
namespace {

// "Cookie header".
constexpr std::uint32_t kCookieNoRuns = 12'346, kCookieRuns = 12'347;
constexpr std::size_t kNoOffsetBelow = 4;      // containers: fewer of them have no offsets, when there are runs
constexpr std::size_t kMostContainers = 65'536;
constexpr std::size_t kMostInArray = 4'096;
constexpr std::size_t kBitsetBytes = 8'192;

// Little-endian numbers.
template <class T>
void put(std::string& to, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) to.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i)));
}

// The positions of one container: those that have their upper 48 bits in common.
using Lows = std::vector<std::uint16_t>;

std::size_t runs_in(const Lows& lows) {
  std::size_t runs = 1;
  for (std::size_t i = 1; i < lows.size(); ++i) runs += lows[i] != lows[i - 1] + 1;
  return runs;
}

struct Container {
  std::uint16_t key = 0;
  Lows lows;
  std::size_t runs = 0;

  std::size_t plain_bytes() const { return lows.size() <= kMostInArray ? 2 * lows.size() : kBitsetBytes; }
  bool as_runs() const { return 2 + 4 * runs < plain_bytes(); }
  std::size_t bytes() const { return as_runs() ? 2 + 4 * runs : plain_bytes(); }

  void write(std::string& to) const {
    if (as_runs()) {
      put(to, static_cast<std::uint16_t>(runs));
      for (std::size_t i = 0; i < lows.size();) {
        std::size_t end = i + 1;
        while (end < lows.size() && lows[end] == lows[end - 1] + 1) ++end;
        put(to, lows[i]);
        put(to, static_cast<std::uint16_t>(end - i - 1));
        i = end;
      }
    } else if (lows.size() <= kMostInArray) {
      for (const std::uint16_t low : lows) put(to, low);
    } else {
      std::string bits(kBitsetBytes, '\0');
      for (const std::uint16_t low : lows) bits[low / 8] = static_cast<char>(bits[low / 8] | (1 << (low % 8)));
      to += bits;
    }
  }
};

// "General layout".
void write_bitmap(const std::vector<Container>& containers, std::string& to) {
  bool runs = false;
  for (const Container& one : containers) runs |= one.as_runs();
  const std::size_t count = containers.size();
  std::size_t offset = 0;  // of the first container
  if (runs) {
    put(to, kCookieRuns | static_cast<std::uint32_t>(count - 1) << 16);
    std::string flags((count + 7) / 8, '\0');
    for (std::size_t i = 0; i < count; ++i) {
      if (containers[i].as_runs()) flags[i / 8] = static_cast<char>(flags[i / 8] | (1 << (i % 8)));
    }
    to += flags;
    offset = 4 + flags.size();
  } else {
    put(to, kCookieNoRuns);
    put(to, static_cast<std::uint32_t>(count));
    offset = 8;
  }
  for (const Container& one : containers) put(to, one.key), put(to, static_cast<std::uint16_t>(one.lows.size() - 1));
  offset += 4 * count;
  if (!runs || count >= kNoOffsetBelow) {
    offset += 4 * count;
    for (const Container& one : containers) {
      put(to, static_cast<std::uint32_t>(offset));
      offset += one.bytes();
    }
  }
  for (const Container& one : containers) one.write(to);
}

class Reader {
 public:
  Reader(std::string_view bytes, std::int64_t most) : rest_(bytes), most_(most) {}

  Result<std::vector<std::int64_t>> run() {
    std::optional<std::uint64_t> bitmaps = number(8);
    if (!bitmaps.has_value()) return wrong("it is cut short");
    std::int64_t last_key = -1;
    for (; *bitmaps > 0; --*bitmaps) {
      const std::optional<std::uint64_t> key = number(4);
      if (!key.has_value()) return wrong("it is cut short");
      if (static_cast<std::int64_t>(*key) <= last_key || *key > INT32_MAX) return wrong("its keys are not ascending numbers of 31 bits");
      last_key = static_cast<std::int64_t>(*key);
      if (Status status = bitmap(last_key << 32); !status.ok()) return status;
    }
    if (!rest_.empty()) return wrong("it goes on behind its end");
    return std::move(positions_);
  }

 private:
  static Status wrong(const char* why) { return Status(Code::kDataLoss, std::string("no Roaring bitmap: ") + why); }

  std::optional<std::uint64_t> number(std::size_t bytes) {
    if (rest_.size() < bytes) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
    rest_.remove_prefix(bytes);
    return value;
  }

  Status bitmap(std::int64_t base) {
    const std::optional<std::uint64_t> cookie = number(4);
    if (!cookie.has_value()) return wrong("it is cut short");
    const bool runs = (*cookie & 0xFFFF) == kCookieRuns;
    if (!runs && *cookie != kCookieNoRuns) return wrong("its cookie is of no version that is known");
    const std::optional<std::uint64_t> count = runs ? (*cookie >> 16) + 1 : number(4);
    if (!count.has_value() || *count > kMostContainers) return wrong("it has more containers than there can be");
    const std::size_t flag_bytes = runs ? (*count + 7) / 8 : 0;
    const bool offsets = !runs || *count >= kNoOffsetBelow;
    const std::size_t head = *count * (offsets ? 8 : 4);
    if (rest_.size() < flag_bytes || rest_.size() - flag_bytes < head) return wrong("it is cut short");
    const std::string_view flags = rest_.substr(0, flag_bytes);
    Reader keys(rest_.substr(flag_bytes, 4 * *count), 0);
    rest_.remove_prefix(flag_bytes + head);  // the containers come one after the other: where each one is need not be read
    std::int64_t last_key = -1;
    for (std::size_t i = 0; i < *count; ++i) {
      const auto key = static_cast<std::int64_t>(*keys.number(2));
      const std::size_t size = *keys.number(2) + 1;
      if (key <= last_key) return wrong("its containers are not in order");
      last_key = key;
      if (size > static_cast<std::uint64_t>(most_) - positions_.size()) return wrong("it has more positions than it may");
      const bool as_runs = runs && (flags[i / 8] >> (i % 8) & 1) != 0;
      const std::int64_t from = base + (key << 16);
      Status status = as_runs ? run_container(from, size) : size <= kMostInArray ? array(from, size) : bitset(from, size);
      if (!status.ok()) return status;
    }
    return ok_status();
  }

  Status array(std::int64_t from, std::size_t size) {
    if (rest_.size() < 2 * size) return wrong("it is cut short");
    std::int64_t last = -1;
    for (std::size_t i = 0; i < size; ++i) {
      const auto low = static_cast<std::int64_t>(*number(2));
      if (low <= last) return wrong("the numbers of a container are not in order");
      positions_.push_back(from + (last = low));
    }
    return ok_status();
  }

  Status bitset(std::int64_t from, std::size_t size) {
    if (rest_.size() < kBitsetBytes) return wrong("it is cut short");
    std::size_t set = 0;
    for (std::size_t i = 0; i < kBitsetBytes; ++i) set += static_cast<std::size_t>(std::popcount(static_cast<unsigned char>(rest_[i])));
    if (set != size) return wrong("a container has another number of positions than it says");
    for (std::size_t word = 0; word < kBitsetBytes / 8; ++word) {
      for (std::uint64_t bits = *number(8); bits != 0; bits &= bits - 1) {
        positions_.push_back(from + static_cast<std::int64_t>(64 * word) + std::countr_zero(bits));
      }
    }
    return ok_status();
  }

  Status run_container(std::int64_t from, std::size_t size) {
    const std::optional<std::uint64_t> runs = number(2);
    if (!runs.has_value() || rest_.size() < 4 * *runs) return wrong("it is cut short");
    std::int64_t last = -1;
    std::size_t set = 0;
    for (std::size_t i = 0; i < *runs; ++i) {
      const auto start = static_cast<std::int64_t>(*number(2)), more = static_cast<std::int64_t>(*number(2));
      if (start <= last || start + more > 0xFFFF) return wrong("the runs of a container are not in order");
      set += static_cast<std::size_t>(more) + 1;
      if (set > size) return wrong("a container has another number of positions than it says");
      for (std::int64_t low = start; low <= start + more; ++low) positions_.push_back(from + low);
      last = start + more;
    }
    return set == size ? ok_status() : wrong("a container has another number of positions than it says");
  }

  std::string_view rest_;
  const std::int64_t most_;
  std::vector<std::int64_t> positions_;
};

}  // namespace

std::string roaring_bytes(std::span<const std::int64_t> positions) {
  std::string bytes;
  std::uint64_t bitmaps = 0;
  put(bytes, bitmaps);
  for (std::size_t i = 0; i < positions.size();) {
    const std::int64_t key = positions[i] >> 32;
    std::vector<Container> containers;
    for (; i < positions.size() && positions[i] >> 32 == key; ++i) {
      CHECK(positions[i] >= 0 && (i == 0 || positions[i - 1] < positions[i]), "positions are not ascending");
      const auto high = static_cast<std::uint16_t>(positions[i] >> 16);
      if (containers.empty() || containers.back().key != high) containers.push_back({high, {}, 0});
      containers.back().lows.push_back(static_cast<std::uint16_t>(positions[i]));
    }
    for (Container& one : containers) one.runs = runs_in(one.lows);
    put(bytes, static_cast<std::uint32_t>(key));
    write_bitmap(containers, bytes);
    ++bitmaps;
  }
  std::string count;
  put(count, bitmaps);
  bytes.replace(0, count.size(), count);
  return bytes;
}

Result<std::vector<std::int64_t>> read_roaring(std::string_view bytes, std::int64_t most) {
  CHECK(most >= 0);
  return Reader(bytes, most).run();
}

}  // namespace halocline::iceberg
