// HKDF, HMAC, SHA-256 and X25519 through OpenSSL EVP, as the hand-shake needs them. They fail only
// when OpenSSL itself does (no memory, no provider): then the result is empty and the hand-shake
// does not happen.
#pragma once

#include <optional>
#include <string_view>

#include "secure/v2/handshake.h"

namespace ospatrol::secure::v2 {

// HKDF-SHA256. Extract and expand, extract alone, expand alone.
bool Hkdf(Bytes salt, Bytes secret, Bytes info, MutableBytes out);
bool HkdfExtract(Bytes salt, Bytes secret, Secret<32>& prk);
bool HkdfExpand(const Secret<32>& prk, Bytes info, MutableBytes out);

Digest HmacSha256(Bytes key, std::initializer_list<Bytes> parts);
Digest Sha256(std::initializer_list<Bytes> parts);

struct KeyPair {
  Secret<32> private_key;
  std::array<uint8_t, 32> public_key{};
};
std::optional<KeyPair> MakeKeyPair(RandomSource& random);
// False also for a public key of small order (the result would be zero).
bool Agree(const Secret<32>& private_key, Bytes public_key, Secret<32>& shared);

}  // namespace ospatrol::secure::v2
