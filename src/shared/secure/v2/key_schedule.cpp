#include "secure/v2/key_schedule.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>

namespace ospatrol::secure::v2 {

namespace {

struct Free {
  void operator()(EVP_KDF* p) const { EVP_KDF_free(p); }
  void operator()(EVP_KDF_CTX* p) const { EVP_KDF_CTX_free(p); }
  void operator()(EVP_MAC* p) const { EVP_MAC_free(p); }
  void operator()(EVP_MAC_CTX* p) const { EVP_MAC_CTX_free(p); }
  void operator()(EVP_MD* p) const { EVP_MD_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

// OpenSSL's parameters are not const, though inputs are not changed.
OSSL_PARAM Octets(const char* name, Bytes bytes) {
  return OSSL_PARAM_construct_octet_string(
      name, const_cast<uint8_t*>(bytes.data()),  // NOLINT(cppcoreguidelines-pro-type-const-cast)
      bytes.size());
}

bool Derive(int mode, Bytes salt, Bytes secret, Bytes info, MutableBytes out) {
  static const Owned<EVP_KDF> hkdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const Owned<EVP_KDF_CTX> context(hkdf ? EVP_KDF_CTX_new(hkdf.get()) : nullptr);
  if (!context) return false;
  char digest[] = "SHA256";
  std::array<OSSL_PARAM, 6> params{};
  size_t count = 0;
  params[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
  params[count++] = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
  params[count++] = Octets(OSSL_KDF_PARAM_KEY, secret);
  if (!salt.empty()) params[count++] = Octets(OSSL_KDF_PARAM_SALT, salt);
  if (!info.empty()) params[count++] = Octets(OSSL_KDF_PARAM_INFO, info);
  params[count] = OSSL_PARAM_construct_end();
  return EVP_KDF_derive(context.get(), out.data(), out.size(), params.data()) == 1;
}

}  // namespace

bool Hkdf(Bytes salt, Bytes secret, Bytes info, MutableBytes out) {
  return Derive(EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND, salt, secret, info, out);
}

bool HkdfExtract(Bytes salt, Bytes secret, Secret<32>& prk) {
  return Derive(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, salt, secret, {}, prk.edit());
}

bool HkdfExpand(const Secret<32>& prk, Bytes info, MutableBytes out) {
  return Derive(EVP_KDF_HKDF_MODE_EXPAND_ONLY, {}, prk.view(), info, out);
}

Digest HmacSha256(Bytes key, std::initializer_list<Bytes> parts) {
  static const Owned<EVP_MAC> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  const Owned<EVP_MAC_CTX> context(hmac ? EVP_MAC_CTX_new(hmac.get()) : nullptr);
  Digest digest{};
  if (!context) return digest;
  char name[] = "SHA256";
  const std::array<OSSL_PARAM, 2> params = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_construct_end()};
  if (EVP_MAC_init(context.get(), key.data(), key.size(), params.data()) != 1) return digest;
  for (const Bytes part : parts) EVP_MAC_update(context.get(), part.data(), part.size());
  size_t length = 0;
  EVP_MAC_final(context.get(), digest.data(), &length, digest.size());
  return digest;
}

Digest Sha256(std::initializer_list<Bytes> parts) {
  static const Owned<EVP_MD> sha(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  Digest digest{};
  if (!sha || !context || EVP_DigestInit_ex(context.get(), sha.get(), nullptr) != 1) return digest;
  for (const Bytes part : parts) EVP_DigestUpdate(context.get(), part.data(), part.size());
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &length);
  return digest;
}

std::optional<KeyPair> MakeKeyPair(RandomSource& random) {
  KeyPair pair;
  random.Fill(pair.private_key.edit());
  const Owned<EVP_PKEY> key(EVP_PKEY_new_raw_private_key_ex(
      nullptr, "X25519", nullptr, pair.private_key.view().data(), pair.private_key.view().size()));
  size_t length = pair.public_key.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), pair.public_key.data(), &length) != 1) {
    return std::nullopt;
  }
  return pair;
}

bool Agree(const Secret<32>& private_key, Bytes public_key, Secret<32>& shared) {
  const Owned<EVP_PKEY> own(EVP_PKEY_new_raw_private_key_ex(
      nullptr, "X25519", nullptr, private_key.view().data(), private_key.view().size()));
  const Owned<EVP_PKEY> other(EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr,
                                                             public_key.data(), public_key.size()));
  const Owned<EVP_PKEY_CTX> context(own ? EVP_PKEY_CTX_new_from_pkey(nullptr, own.get(), nullptr)
                                        : nullptr);
  size_t length = 32;
  if (!other || !context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), other.get()) != 1 ||
      EVP_PKEY_derive(context.get(), shared.edit().data(), &length) != 1 || length != 32) {
    return false;
  }
  constexpr std::array<uint8_t, 32> kZero{};
  return !EqualInConstantTime(shared.view(), kZero);
}

}  // namespace ospatrol::secure::v2
