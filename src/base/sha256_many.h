// SHA-256 (FIPS 180-4) of many messages side by side, one in each lane of the vector registers: sixteen with AVX-512, eight with AVX2 where
// the CPU has no SHA instructions, which are as fast as that; elsewhere one after the other by OpenSSL. The digests are those of sha256().
//
//   std::vector<std::span<const std::byte>> messages = …;
//   std::vector<Digest> digests(messages.size());
//   sha256_each(messages, digests);
//
// Worth it from a handful of messages on; those of like lengths fill the lanes best. Any thread.
#pragma once

#include <cstddef>
#include <span>

#include "base/sha256.h"

namespace halocline {

// As many digests as messages (CHECKed).
void sha256_each(std::span<const std::span<const std::byte>> messages, std::span<Digest> digests);

// How it is done; for the test of each way on one machine.
enum class Sha256Way { kOneByOne, kEightLanes, kSixteenLanes };
// Whether this CPU can.
bool can_sha256(Sha256Way way);
void sha256_each(std::span<const std::span<const std::byte>> messages, std::span<Digest> digests, Sha256Way way);

}  // namespace halocline
