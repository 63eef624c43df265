#include "base/sha256_many.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <span>
#include <vector>

namespace halocline {
namespace {

constexpr Sha256Way kWays[] = {Sha256Way::kOneByOne, Sha256Way::kEightLanes, Sha256Way::kSixteenLanes};

// Messages of these lengths, each at an odd place, hashed in every way this CPU can and by OpenSSL.
void expect_same(const std::vector<std::size_t>& lengths) {
  std::mt19937 random(11);
  std::vector<std::vector<std::byte>> memory;
  std::vector<std::span<const std::byte>> messages;
  std::vector<Digest> expected;
  for (const std::size_t length : lengths) {
    std::vector<std::byte>& bytes = memory.emplace_back(length + 1);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    messages.push_back(std::span(bytes).subspan(1));
    expected.push_back(sha256(messages.back()));
  }
  for (const Sha256Way way : kWays) {
    if (!can_sha256(way)) continue;
    std::vector<Digest> digests(messages.size());
    sha256_each(messages, digests, way);
    EXPECT_EQ(digests, expected) << lengths.size() << " messages, way " << static_cast<int>(way);
  }
  std::vector<Digest> digests(messages.size());
  sha256_each(messages, digests);
  EXPECT_EQ(digests, expected) << lengths.size() << " messages";
}

TEST(Sha256Many, EveryLengthPutsItsEndWhereItBelongs) {
  std::vector<std::size_t> lengths;
  for (std::size_t length = 0; length <= 300; ++length) lengths.push_back(length);
  expect_same(lengths);
}

TEST(Sha256Many, AnyNumberOfMessages) {
  for (std::size_t number = 0; number <= 40; ++number) expect_same(std::vector<std::size_t>(number, 65));
}

TEST(Sha256Many, LongOnesAmongShortOnes) {
  std::mt19937 random(12);
  for (int i = 0; i < 50; ++i) {
    std::vector<std::size_t> lengths(random() % 70);
    for (std::size_t& length : lengths) length = random() % (random() % 8 == 0 ? 20'000 : 200);
    expect_same(lengths);
  }
}

}  // namespace
}  // namespace halocline
