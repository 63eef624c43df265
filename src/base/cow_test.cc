// CowArray, CowIndex and CowText against plain containers, with copies taken, written and dropped in any order.
#include <gtest/gtest.h>

#include <barrier>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/cow_array.h"
#include "base/cow_index.h"
#include "base/cow_text.h"
#include "base/hash.h"
#include "base/pair_map.h"

namespace halocline {
namespace {

TEST(CowArray, EachCopyKeepsWhatItHad) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  using Array = CowArray<std::uint64_t, 64>;  // 8 a chunk, 2048 a page
  std::vector<std::pair<Array, std::vector<std::uint64_t>>> copies(1);
  for (int step = 0; step < 20'000; ++step) {
    auto& [array, plain] = copies[random() % copies.size()];
    switch (random() % 8) {
      case 0:
        if (copies.size() < 6) copies.emplace_back(array, plain);  // a copy of a copy as well: a fork that is written
        break;
      case 1:
        if (copies.size() > 1) copies.erase(copies.begin() + static_cast<std::ptrdiff_t>(random() % copies.size()));
        break;
      case 2: case 3: case 4:
        for (int i = 0; i < 16; ++i) array.push_back(step * 100 + i), plain.push_back(step * 100 + i);
        break;
      default:
        if (plain.empty()) break;
        const std::size_t at = random() % plain.size();
        array.write(at) = plain[at] = random();
    }
  }
  for (const auto& [array, plain] : copies) {
    ASSERT_EQ(array.size(), plain.size());
    for (std::size_t i = 0; i < plain.size(); ++i) ASSERT_EQ(array[i], plain[i]) << i;
  }
}

TEST(CowArray, SeveralThreadsCopyWhatNobodyWrites) {
  using Array = CowArray<std::uint64_t, 64>;
  constexpr std::size_t kSize = 10'000;
  for (int round = 0; round < 20; ++round) {
    Array array;
    for (std::uint64_t i = 0; i < kSize; ++i) array.push_back(i);
    const Array snapshot = std::move(array);  // all its own until it is copied
    std::barrier together(4);
    std::vector<std::thread> threads;
    for (std::uint64_t number = 1; number <= 4; ++number) {
      threads.emplace_back([&snapshot, &together, number] {
        together.arrive_and_wait();
        Array mine = snapshot;
        for (std::size_t i = 0; i < kSize; ++i) mine.write(i) += number;
        for (std::size_t i = 0; i < kSize; ++i) ASSERT_EQ(mine[i], i + number);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < kSize; ++i) ASSERT_EQ(snapshot[i], i);
  }
}

TEST(CowArray, ReadersOnOtherThreadsSeeTheirMoment) {
  CowArray<std::uint64_t, 256> array;
  for (std::uint64_t i = 0; i < 10'000; ++i) array.push_back(0);
  std::vector<std::thread> readers;
  for (std::uint64_t round = 1; round <= 20; ++round) {
    readers.emplace_back([frozen = array, expected = round - 1] {
      for (std::size_t i = 0; i < frozen.size(); ++i) ASSERT_EQ(frozen[i], expected);
    });
    for (std::size_t i = 0; i < array.size(); ++i) array.write(i) = round;
  }
  for (std::thread& reader : readers) reader.join();
}

TEST(CowIndex, FindsWhatAMapFinds) {
  std::mt19937_64 random(7);
  CowIndex index;
  std::map<std::uint64_t, std::uint32_t> plain;
  std::vector<std::uint64_t> keys;
  auto find = [&keys](const CowIndex& in, std::uint64_t key) {
    return in.find(hash_ids(key, 1), [&](std::uint32_t id) { return keys[id] == key; });
  };
  std::optional<CowIndex> frozen;
  for (int i = 0; i < 60'000; ++i) {
    const std::uint64_t key = random() % 100'000;
    const auto known = plain.find(key);
    ASSERT_EQ(find(index, key), known == plain.end() ? CowIndex::kNone : known->second);
    if (known != plain.end()) {
      if (random() % 4 == 0) {
        index.erase(hash_ids(key, 1), known->second);
        plain.erase(known);
      }
      continue;
    }
    keys.push_back(key);
    const auto id = static_cast<std::uint32_t>(keys.size() - 1);
    index.insert(hash_ids(key, 1), id);
    plain[key] = id;
    if (i == 30'000) frozen = index;
  }
  ASSERT_EQ(index.size(), plain.size());
  for (const auto& [key, id] : plain) ASSERT_EQ(find(index, key), id);
  EXPECT_LT(frozen->size(), index.size());
}

TEST(CowText, KeepsEveryText) {
  CowText text;
  std::vector<std::pair<Text, std::string>> kept;
  for (int i = 0; i < 20'000; ++i) {
    const std::string one(static_cast<std::size_t>(i * 7 % 300), static_cast<char>('a' + i % 26));
    kept.emplace_back(text.add(one), one);
  }
  for (const auto& [where, one] : kept) ASSERT_EQ(text[where], one);
}

TEST(PairMap, FindsWhatAMapFinds) {
  PairMap map;
  for (std::uint32_t a = 0; a < 300; ++a) {
    for (std::uint32_t b = 0; b < 50; ++b) map.insert(a, b * 3, a * 1000 + b);
  }
  for (std::uint32_t a = 0; a < 301; ++a) {
    for (std::uint32_t b = 0; b < 150; ++b) {
      ASSERT_EQ(map.find(a, b), a < 300 && b % 3 == 0 ? a * 1000 + b / 3 : PairMap::kNone);
    }
  }
}

// First ids close together and far apart, in any order: what lies in the array and what in the hash table changes as they come.
TEST(PairMap, FindsIdsOfAnySize) {
  std::mt19937_64 random(7);
  for (const std::uint32_t spread : {1u, 3u, 5u, 40u, 1'000'000u}) {
    PairMap map;
    std::map<std::uint32_t, std::uint32_t> model;
    for (std::uint32_t i = 0; i < 4'000; ++i) {
      const auto a = static_cast<std::uint32_t>(random() % 8 == 0 ? random() % PairMap::kNone : random() % (std::uint64_t{4'000} * spread));
      if (model.emplace(a, i).second) map.insert(a, 5, i);
      if (i % 97 != 0) continue;
      for (const auto& [known, value] : model) {
        ASSERT_EQ(map.find(known, 5), value) << "spread " << spread;
        const bool next_known = known + 1 == PairMap::kNone || model.contains(known + 1);
        ASSERT_TRUE(next_known || map.find(known + 1, 5) == PairMap::kNone) << known << " and spread " << spread;
      }
    }
    ASSERT_EQ(map.find(0, 4), PairMap::kNone);
    ASSERT_EQ(map.find(0, 6), PairMap::kNone);
  }
}

}  // namespace
}  // namespace halocline
