// The low-level SHA256_* calls: the EVP interface of OpenSSL 3 allocates and fetches a provider, which costs more than
// hashing a small block. They are "deprecated" only in favour of that interface.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/sha256.h"

#include <openssl/sha.h>

namespace halocline {
namespace {

SHA256_CTX* context(unsigned char* bytes) { return reinterpret_cast<SHA256_CTX*>(bytes); }

}  // namespace

void Sha256::reset() {
  static_assert(sizeof(SHA256_CTX) == sizeof(context_) && alignof(SHA256_CTX) <= 8);
  SHA256_Init(context(context_));
}

void Sha256::update(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  SHA256_Update(context(context_), bytes.data(), bytes.size());
}

Digest Sha256::finish() {
  Digest digest;
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), context(context_));
  return digest;
}

Digest sha256(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Digest sha256(std::string_view text) { return sha256(std::as_bytes(std::span(text))); }

std::string hex(std::span<const std::byte> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    text.push_back(kDigits[std::to_integer<unsigned>(b) >> 4]);
    text.push_back(kDigits[std::to_integer<unsigned>(b) & 15]);
  }
  return text;
}

}  // namespace halocline
