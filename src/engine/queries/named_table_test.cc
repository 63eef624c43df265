#include "engine/queries/named_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace halocline::queries {
namespace {

// Beside a map: names come and go, and those that stay keep their place.
TEST(NamedTable, KeepsWhatAMapKeeps) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    NamedTable<int> table;
    std::map<std::string, NamedTable<int>::Named*> known;
    for (int step = 0; step < 3'000; ++step) {
      const std::string name = "name " + std::to_string(random() % (seed * 20));
      const auto at = known.find(name);
      if (at != known.end() && random() % 2 == 0) {
        table.erase(*at->second);
        known.erase(at);
      } else {
        const HashedName hashed(name);
        table.prefetch(hashed.hash), table.prefetch_value(hashed.hash);
        const auto [named, is_new] = table.try_emplace(hashed);
        EXPECT_EQ(name, named->first);
        EXPECT_EQ(at == known.end(), is_new);
        if (is_new) {
          EXPECT_EQ(0, named->second);
          known.emplace(name, named);
        } else {
          EXPECT_EQ(at->second, named);
        }
        ++named->second;
      }
      ASSERT_EQ(known.size(), table.size());
    }
    std::size_t visited = 0;
    table.each([&](const NamedTable<int>::Named& named) {
      ++visited;
      ASSERT_TRUE(known.contains(named.first));
      EXPECT_EQ(known.at(named.first), &named);
    });
    EXPECT_EQ(known.size(), visited);
  }
}

}  // namespace
}  // namespace halocline::queries
