#include "base/ed25519.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/check.h"

namespace halocline {
namespace {

using Pkey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

PublicKey raw_public_key(const EVP_PKEY* key) {
  PublicKey bytes;
  std::size_t size = bytes.size();
  const int done = EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(bytes.data()), &size);
  CHECK(done == 1 && size == bytes.size(), "an Ed25519 key has no public key");
  return bytes;
}

std::string written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Pkey made_of(const PublicKey& key) {
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(key.data()), key.size()),
          EVP_PKEY_free};
}

// An encrypted key is not asked the password of.
int no_password(char*, int, int, void*) { return -1; }

}  // namespace

struct SigningKey::Key {
  Pkey pkey;
};

SigningKey::SigningKey(std::shared_ptr<Key> key) : key_(std::move(key)), public_key_(raw_public_key(key_->pkey.get())) {}

Result<SigningKey> SigningKey::generate() {
  Pkey pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  if (pkey == nullptr) return Status(Code::kInternal, "OpenSSL could not make an Ed25519 key");
  return SigningKey(std::make_shared<Key>(Key{std::move(pkey)}));
}

Result<SigningKey> SigningKey::from_pem(std::string_view text) {
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  CHECK(bio != nullptr);
  Pkey pkey(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr), EVP_PKEY_free);
  if (pkey == nullptr || EVP_PKEY_get_id(pkey.get()) != EVP_PKEY_ED25519) {
    return Status(Code::kInvalidArgument, "this is no PEM of an Ed25519 private key without a password");
  }
  return SigningKey(std::make_shared<Key>(Key{std::move(pkey)}));
}

std::string SigningKey::pem() const {
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  CHECK(bio != nullptr);
  CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), key_->pkey.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return written(bio.get());
}

Signature SigningKey::sign(std::string_view message) const {
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  CHECK(context != nullptr);
  Signature signature;
  std::size_t size = signature.size();
  CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_->pkey.get()) == 1);
  CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, raw(message), message.size()) == 1 &&
        size == signature.size());
  return signature;
}

bool verify_signature(const PublicKey& key, std::string_view message, const Signature& signature) {
  const Pkey pkey = made_of(key);
  if (pkey == nullptr) return false;
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  CHECK(context != nullptr);
  if (EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) != 1) return false;
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(), raw(message),
                          message.size()) == 1;
}

std::string public_key_pem(const PublicKey& key) {
  const Pkey pkey = made_of(key);
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  CHECK(pkey != nullptr && bio != nullptr);
  CHECK(PEM_write_bio_PUBKEY(bio.get(), pkey.get()) == 1);
  return written(bio.get());
}

Result<PublicKey> public_key_from_pem(std::string_view text) {
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  CHECK(bio != nullptr);
  const Pkey pkey(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_password, nullptr), EVP_PKEY_free);
  if (pkey == nullptr || EVP_PKEY_get_id(pkey.get()) != EVP_PKEY_ED25519) {
    return Status(Code::kInvalidArgument, "this is no PEM of an Ed25519 public key");
  }
  return raw_public_key(pkey.get());
}

}  // namespace halocline
