#include "secure/v2/aead.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace ospatrol::secure::v2 {

namespace {

constexpr std::array<const char*, 2> kNames = {"AES-256-GCM", "ChaCha20-Poly1305"};

int Size(size_t size) { return static_cast<int>(size); }

}  // namespace

std::string_view CipherName(Cipher cipher) { return kNames[static_cast<size_t>(cipher)]; }

bool HasAesHardware() {
#if defined(__x86_64__) || defined(__i386__)
  return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__aarch64__)
  constexpr unsigned long kAes = 1 << 3;    // HWCAP_AES
  constexpr unsigned long kPmull = 1 << 4;  // HWCAP_PMULL
  const unsigned long features = getauxval(AT_HWCAP);
  return (features & kAes) != 0 && (features & kPmull) != 0;
#else
  return false;
#endif
}

AeadEngine::AeadEngine() {
  for (size_t i = 0; i < kNames.size(); ++i) {
    ciphers_[i].reset(EVP_CIPHER_fetch(nullptr, kNames[i], nullptr));
    seal_[i].context.reset(EVP_CIPHER_CTX_new());
    open_[i].context.reset(EVP_CIPHER_CTX_new());
    if (!ciphers_[i] || !seal_[i].context || !open_[i].context) {
      throw Error(
          fmt::format("OpenSSL does not offer the cipher {}; check the providers in its "
                      "openssl.cnf",
                      kNames[i]));
    }
    const bool ready = EVP_CipherInit_ex2(seal_[i].context.get(), ciphers_[i].get(), nullptr,
                                          nullptr, 1, nullptr) == 1 &&
                       EVP_CipherInit_ex2(open_[i].context.get(), ciphers_[i].get(), nullptr,
                                          nullptr, 0, nullptr) == 1;
    if (!ready) throw Error(fmt::format("OpenSSL cannot set up the cipher {}", kNames[i]));
  }
}

AeadEngine::~AeadEngine() = default;

EVP_CIPHER_CTX* AeadEngine::Prepare(Direction& direction, bool seal, const Key& key,
                                    const Nonce& nonce) {
  const bool same = direction.has_key && EqualInConstantTime(direction.key.view(), key.view());
  if (!same) {
    direction.key = key;
    direction.has_key = true;
  }
  EVP_CIPHER_CTX* context = direction.context.get();
  const int done = EVP_CipherInit_ex2(context, nullptr, same ? nullptr : key.view().data(),
                                      nonce.data(), seal ? 1 : 0, nullptr);
  if (done == 1) return context;
  direction.has_key = false;
  return nullptr;
}

bool AeadEngine::Seal(Cipher cipher, const Key& key, const Nonce& nonce, Bytes associated,
                      Bytes plaintext, MutableBytes out) {
  if (out.size() < plaintext.size() + kTagSize) return false;
  EVP_CIPHER_CTX* context = Prepare(seal_[static_cast<size_t>(cipher)], true, key, nonce);
  if (context == nullptr) return false;
  int length = 0;
  return EVP_EncryptUpdate(context, nullptr, &length, associated.data(), Size(associated.size())) ==
             1 &&
         EVP_EncryptUpdate(context, out.data(), &length, plaintext.data(),
                           Size(plaintext.size())) == 1 &&
         EVP_EncryptFinal_ex(context, out.data() + length, &length) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize,
                             out.data() + plaintext.size()) == 1;
}

bool AeadEngine::Open(Cipher cipher, const Key& key, const Nonce& nonce, Bytes associated,
                      Bytes sealed, MutableBytes out) {
  if (sealed.size() < kTagSize || out.size() < sealed.size() - kTagSize) return false;
  const Bytes text = sealed.first(sealed.size() - kTagSize);
  std::array<uint8_t, kTagSize> tag{};
  std::copy(sealed.end() - kTagSize, sealed.end(), tag.begin());
  EVP_CIPHER_CTX* context = Prepare(open_[static_cast<size_t>(cipher)], false, key, nonce);
  if (context == nullptr) return false;
  int length = 0;
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1 &&
         EVP_DecryptUpdate(context, nullptr, &length, associated.data(), Size(associated.size())) ==
             1 &&
         EVP_DecryptUpdate(context, out.data(), &length, text.data(), Size(text.size())) == 1 &&
         EVP_DecryptFinal_ex(context, out.data() + length, &length) == 1;
}

}  // namespace ospatrol::secure::v2
