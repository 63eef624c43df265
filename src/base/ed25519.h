// Ed25519 signatures (RFC 8032) by OpenSSL: who signs the journal's tree heads.
//
//   Result<SigningKey> key = SigningKey::generate();
//   Signature signature = key.value().sign("text");
//   bool good = verify_signature(key.value().public_key(), "text", signature);
//
// Any thread; a key may be used by several at once.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace halocline {

using PublicKey = std::array<std::byte, 32>;
using Signature = std::array<std::byte, 64>;

class SigningKey {
 public:
  // kInternal: the system has no randomness.
  static Result<SigningKey> generate();
  // The private key in a PEM file (PKCS #8, RFC 8410), as pem() or `openssl genpkey -algorithm ed25519` writes it, not encrypted.
  // kInvalidArgument: it is no such thing.
  static Result<SigningKey> from_pem(std::string_view text);
  std::string pem() const;

  const PublicKey& public_key() const { return public_key_; }
  Signature sign(std::string_view message) const;

 private:
  struct Key;  // an OpenSSL EVP_PKEY; its header stays in the .cc
  explicit SigningKey(std::shared_ptr<Key> key);

  std::shared_ptr<Key> key_;
  PublicKey public_key_{};
};

bool verify_signature(const PublicKey& key, std::string_view message, const Signature& signature);

// The public key as PEM (SubjectPublicKeyInfo), for other programs, and from it. kInvalidArgument: it is no Ed25519 public key.
std::string public_key_pem(const PublicKey& key);
Result<PublicKey> public_key_from_pem(std::string_view text);

}  // namespace halocline
