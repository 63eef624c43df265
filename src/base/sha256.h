// SHA-256 (FIPS 180-4) by OpenSSL's assembly (SHA-NI where the CPU has it), without a heap allocation or a provider
// look-up per use: for the journal's hash chain, state digests and Merkle trees.
//
//   Sha256 hash;
//   hash.update(header);
//   hash.update(payload);
//   Digest digest = hash.finish();
//
// A value: copy it to fork a running hash. One thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace halocline {

using Digest = std::array<std::byte, 32>;

class Sha256 {
 public:
  Sha256() { reset(); }

  // Back to the hash of nothing.
  void reset();
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text) { update(std::as_bytes(std::span(text))); }
  // The digest of everything since the start or the last reset. reset() before the next use.
  Digest finish();

 private:
  alignas(8) unsigned char context_[112];  // an OpenSSL SHA256_CTX; its header stays in the .cc
};

// The digest of one piece of memory.
Digest sha256(std::span<const std::byte> bytes);
Digest sha256(std::string_view text);

// Lower-case hexadecimal digits, two a byte.
std::string hex(std::span<const std::byte> bytes);

}  // namespace halocline
