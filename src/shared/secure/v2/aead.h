// AES-256-GCM and ChaCha20-Poly1305 through OpenSSL EVP, with contexts that are made once and kept.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "secure/v2/header.h"

namespace ospatrol::secure::v2 {

enum class Cipher : uint8_t { kAes256Gcm = 0, kChaCha20Poly1305 = 1 };

inline constexpr uint8_t kOffersAes = 1;  // bits of HELLO: 1 << Cipher
inline constexpr uint8_t kOffersChaCha = 2;

using Key = Secret<32>;
using Nonce = std::array<uint8_t, 12>;

std::string_view CipherName(Cipher cipher);  // "AES-256-GCM", "ChaCha20-Poly1305"

// Does this processor compute AES and GHASH in hardware? Without that ChaCha20 is faster, and free
// of table timing.
bool HasAesHardware();

// One per thread: about 2 KiB of contexts. A key that was used last is not scheduled again.
class AeadEngine {
 public:
  AeadEngine();  // throws Error when OpenSSL lacks a cipher
  ~AeadEngine();
  AeadEngine(const AeadEngine&) = delete;
  AeadEngine& operator=(const AeadEngine&) = delete;

  // Writes ciphertext and tag to `out` (plaintext.size() + kTagSize bytes; may be the plaintext's
  // own memory). False only when OpenSSL fails.
  bool Seal(Cipher cipher, const Key& key, const Nonce& nonce, Bytes associated, Bytes plaintext,
            MutableBytes out);

  // `sealed` is ciphertext and tag; writes sealed.size() - kTagSize bytes (may be the same memory).
  // False: not authentic, and `out` holds nothing of use.
  bool Open(Cipher cipher, const Key& key, const Nonce& nonce, Bytes associated, Bytes sealed,
            MutableBytes out);

 private:
  struct Free {
    void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  };
  struct Direction {
    std::unique_ptr<EVP_CIPHER_CTX, Free> context;
    Key key;
    bool has_key = false;
  };
  EVP_CIPHER_CTX* Prepare(Direction& direction, bool seal, const Key& key, const Nonce& nonce);

  std::array<std::unique_ptr<EVP_CIPHER, Free>, 2> ciphers_;
  std::array<Direction, 2> seal_;
  std::array<Direction, 2> open_;
};

}  // namespace ospatrol::secure::v2
