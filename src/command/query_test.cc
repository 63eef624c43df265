// Packed values: read back as they were, and in the order of their bytes. Events in memory of their own.
#include "command/query.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "command/event_memory.h"

namespace halocline {
namespace {

std::string packed(const Value& value, ValueType type, bool descending = false) {
  std::string out;
  pack(value, type, out, descending);
  return out;
}

// Around every power of 256, where a number takes a byte more.
std::vector<Int128> numbers() {
  std::vector<Int128> out{0};
  for (int bits = 0; bits <= 120; bits += 8) {
    const Int128 power = static_cast<Int128>(1) << bits;
    for (const Int128 size : {power - 1, power, power + 1, power + power / 2}) out.push_back(size), out.push_back(-size);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

TEST(PackTest, NumbersAreReadBackAndInTheOrderOfTheirBytes) {
  const std::vector<Int128> all = numbers();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string row = packed(Value::of(all[i]), ValueType::kDecimal);
    PackedReader reader(row);
    EXPECT_TRUE(reader.next(ValueType::kDecimal).number == all[i]) << to_digits(all[i]);
    EXPECT_TRUE(reader.rest().empty()) << to_digits(all[i]);
    if (i == 0) continue;
    EXPECT_LT(packed(Value::of(all[i - 1]), ValueType::kDecimal), row) << to_digits(all[i]);
    EXPECT_GT(packed(Value::of(all[i - 1]), ValueType::kDecimal, true), packed(Value::of(all[i]), ValueType::kDecimal, true))
        << to_digits(all[i]);
  }
  EXPECT_LT(packed(Value{}, ValueType::kDecimal), packed(Value::of(all[0]), ValueType::kDecimal));
}

TEST(PackTest, TextsAreReadBackAndInTheOrderOfTheirBytes) {
  std::vector<std::string> all{"", "a", "ab", "abcdefgh", "abcdefghi", "abcdefgh\xff", "\x02\x7f\x80\xff", std::string(40, '\x02')};
  for (const char byte : {'\0', '\1'}) {
    for (const std::size_t at : {0u, 3u, 7u, 8u, 15u, 16u, 18u}) {
      std::string& text = all.emplace_back("quite some bytes in");
      text[at] = byte;
    }
    for (std::size_t size = 1; size < 8; ++size) {
      for (std::size_t at = 0; at < size; ++at) all.emplace_back(size, '\x02')[at] = byte;
    }
  }
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string row = packed(Value::of_text(all[i]), ValueType::kText);
    PackedReader reader(row);
    EXPECT_EQ(reader.next(ValueType::kText).text, all[i]);
    EXPECT_TRUE(reader.rest().empty());
    if (i == 0) continue;
    EXPECT_LT(packed(Value::of_text(all[i - 1]), ValueType::kText), row) << i;
  }
}

TEST(ByteBufferTest, GrowsUntilWhatIsWrittenHasRoom) {
  for (std::size_t size = 0; size < 3'000; size += 1 + size / 8) {
    ByteBuffer buffer;
    for (int round = 0; round < 2; ++round) {
      buffer.clear();
      std::string expected;
      for (const char byte : {'a', 'b', 'c'}) {
        const std::string text(size, byte);
        buffer.add([&](char* to, const char* limit) -> char* {
          return static_cast<std::size_t>(limit - to) < size + 1 ? nullptr : std::copy(text.begin(), text.end(), to);
        });
        buffer += "-";
        expected += text + "-";
      }
      ASSERT_EQ(buffer.bytes(), expected);
    }
  }
}

TEST(EventMemoryTest, WhatItGaveStaysAndACopyOutlivesIt) {
  auto memory = std::make_unique<EventMemory>();
  std::vector<std::pair<std::string, std::string_view>> kept;
  std::vector<const QueryEvents*> told;
  for (std::size_t i = 0; i < 3'000; ++i) {
    const std::string text(i % 700, static_cast<char>('a' + i % 26));
    kept.emplace_back(text, memory->keep(text));
    const std::span<RowEvent> rows = memory->rows(i % 3);
    for (RowEvent& row : rows) row.key = row.after = kept.back().second;
    told.push_back(&memory->events(i, static_cast<Nanos>(2 * i), rows));
  }
  std::vector<std::shared_ptr<const QueryEvents>> copies;
  for (std::size_t i = 0; i < told.size(); ++i) {
    ASSERT_EQ(kept[i].second, kept[i].first) << i;
    copies.push_back(copy_of(*told[i]));
  }
  memory.reset();
  for (std::size_t i = 0; i < copies.size(); ++i) {
    ASSERT_EQ(copies[i]->seq, i);
    ASSERT_EQ(copies[i]->time, static_cast<Nanos>(2 * i));
    ASSERT_EQ(copies[i]->rows.size(), i % 3);
    for (const RowEvent& row : copies[i]->rows) {
      ASSERT_EQ(row.key, kept[i].first);
      ASSERT_EQ(row.after, kept[i].first);
      ASSERT_TRUE(row.before.empty() && row.order.empty());
    }
  }
}

TEST(EventMemoryTest, ARowIsWrittenWhereItStaysWhileThereIsRoom) {
  EventMemory memory;
  std::vector<std::pair<std::string, const QueryEvents*>> told;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < 2'000; ++i) {
    const std::string row(i % 400 * 3, static_cast<char>('a' + i % 26)), key = std::to_string(10'000'000 + i);
    const QueryEvents* events = memory.insert(i, static_cast<Nanos>(2 * i), key, [&](char* to, const char* limit) -> char* {
      if (static_cast<std::size_t>(limit - to) < row.size()) return nullptr;
      return std::copy(row.begin(), row.end(), to);
    });
    if (events == nullptr) {
      ++refused;
      events = &memory.event(i, static_cast<Nanos>(2 * i), {RowEvent::Kind::kInsert, RowReason::kChanged, key, {}, row, key});
    }
    told.emplace_back(row, events);
  }
  EXPECT_GT(refused, 0u);
  EXPECT_LT(refused, 200u) << "only what no longer fits";
  for (const auto& [row, events] : told) {
    ASSERT_EQ(events->time, static_cast<Nanos>(2 * events->seq));
    ASSERT_EQ(events->rows.size(), 1u);
    const RowEvent& event = events->rows[0];
    ASSERT_EQ(event.kind, RowEvent::Kind::kInsert);
    ASSERT_EQ(event.key, std::to_string(10'000'000 + events->seq));
    ASSERT_EQ(event.order, event.key);
    ASSERT_EQ(event.after, row);
    ASSERT_TRUE(event.before.empty());
  }
}

}  // namespace
}  // namespace halocline
