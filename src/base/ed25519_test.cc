#include "base/ed25519.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "base/from_hex.h"
#include "base/sha256.h"

namespace halocline {
namespace {

std::string bytes_of(std::string_view digits) {
  std::vector<std::byte> bytes(digits.size() / 2);
  EXPECT_TRUE(from_hex(digits, bytes));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// RFC 8032, section 7.1: public key, message, signature.
const char* const kVectors[][3] = {
    {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"}};

TEST(Ed25519, TakesThePublishedSignaturesAndNoOther) {
  for (const auto& [key_text, message_text, signature_text] : kVectors) {
    PublicKey key;
    Signature signature;
    ASSERT_TRUE(from_hex(key_text, key) && from_hex(signature_text, signature));
    const std::string message = bytes_of(message_text);
    EXPECT_TRUE(verify_signature(key, message, signature));
    EXPECT_FALSE(verify_signature(key, message + "x", signature));
    signature[5] ^= std::byte{1};
    EXPECT_FALSE(verify_signature(key, message, signature));
  }
}

// RFC 8032, 7.1, test 1: the secret key in the 16 bytes of framing that RFC 8410 gives it.
TEST(Ed25519, SignsAsPublished) {
  const std::string pem =
      "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
  const Result<SigningKey> key = SigningKey::from_pem(pem);
  ASSERT_TRUE(key.ok()) << key.status().message();
  EXPECT_EQ(hex(key.value().public_key()), kVectors[0][0]);
  EXPECT_EQ(hex(key.value().sign("")), kVectors[0][2]);
  EXPECT_EQ(key.value().pem(), pem);
}

TEST(Ed25519, KeysGoThroughPemAndAreTheirOwn) {
  const Result<SigningKey> key = SigningKey::generate(), other = SigningKey::generate();
  ASSERT_TRUE(key.ok() && other.ok());
  EXPECT_NE(key.value().public_key(), other.value().public_key());
  const Result<SigningKey> again = SigningKey::from_pem(key.value().pem());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again.value().public_key(), key.value().public_key());
  const Signature signature = again.value().sign("a head");
  EXPECT_TRUE(verify_signature(key.value().public_key(), "a head", signature));
  EXPECT_FALSE(verify_signature(other.value().public_key(), "a head", signature));
  const Result<PublicKey> read = public_key_from_pem(public_key_pem(key.value().public_key()));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value(), key.value().public_key());
}

TEST(Ed25519, WhatIsNoKeyIsRefused) {
  EXPECT_FALSE(SigningKey::from_pem("").ok());
  EXPECT_FALSE(SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").ok());
  EXPECT_FALSE(public_key_from_pem("ssh-ed25519 AAAA").ok());
  const Result<SigningKey> key = SigningKey::generate();
  ASSERT_TRUE(key.ok());
  EXPECT_FALSE(public_key_from_pem(key.value().pem()).ok());
}

}  // namespace
}  // namespace halocline
