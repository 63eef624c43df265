// SHA-256 and CRC-32C as the journal relies on them: published vectors, and one bit at a time as the oracle.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "base/crc32c.h"
#include "base/sha256.h"

namespace halocline {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(Sha256, GivesThePublishedVectors) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, PiecesForksAndResetsAreTheSameAsOneGo) {
  Sha256 hash;
  hash.update("a");
  Sha256 fork = hash;
  hash.update("bc");
  fork.update("");
  fork.update("bc");
  EXPECT_EQ(hash.finish(), sha256("abc"));
  EXPECT_EQ(fork.finish(), sha256("abc"));
  hash.reset();
  EXPECT_EQ(hash.finish(), sha256(""));
}

std::uint32_t slow_crc32c(std::span<const std::byte> bytes) {
  std::uint32_t crc = ~0u;
  for (const std::byte b : bytes) {
    crc ^= std::to_integer<std::uint32_t>(b);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78u : 0u);
  }
  return ~crc;
}

TEST(Crc32c, GivesThePublishedVectors) {
  EXPECT_EQ(crc32c({}), 0u);
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xE3069283u);
  const std::vector<std::byte> zeros(32);
  EXPECT_EQ(crc32c(zeros), 0x8A9136AAu);
}

TEST(Crc32c, EqualsOneBitAtATimeForEveryLengthAndAlignment) {
  std::mt19937 random(7);
  std::vector<std::byte> bytes(40'000);
  for (auto& b : bytes) b = static_cast<std::byte>(random());
  for (std::size_t length : {0, 1, 7, 8, 9, 255, 767, 768, 769, 1535, 1536, 12287, 12288, 12289, 24576, 30001}) {
    for (std::size_t start = 0; start < 9; ++start) {
      const auto piece = std::span<const std::byte>(bytes).subspan(start, length);
      ASSERT_EQ(crc32c(piece), slow_crc32c(piece)) << length << " bytes from " << start;
      const std::size_t cut = length / 3;
      ASSERT_EQ(crc32c(piece.subspan(cut), crc32c(piece.first(cut))), slow_crc32c(piece));
    }
  }
}

}  // namespace
}  // namespace halocline
