#include "secure/cipher.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <list>
#include <unordered_map>

#include "base/digest.h"
#include "base/error.h"
#include "secure/buffers.h"

namespace ospatrol::secure {

namespace {

constexpr std::array<uint8_t, 8> kBlowfishIv{0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10};
constexpr size_t kHalf = 15;           // of the digest of name and id
constexpr size_t kMaxSchedules = 512;  // Blowfish: 4.3 KiB each
constexpr int kLevel = 9;

struct Free {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

// What LoadLegacyProvider leaves behind, for the life of the process: schedules of it may be in use
// on any thread.
struct Legacy {
  EVP_CIPHER* blowfish = nullptr;
  std::optional<std::string> failure;
};

std::string LastOpenSslError() {
  const unsigned long error = ERR_get_error();
  const char* reason = ERR_reason_error_string(error);
  ERR_clear_error();
  return reason != nullptr ? reason : "no reason given";
}

Legacy Load() {
  Legacy legacy;
  OSSL_LIB_CTX* library = OSSL_LIB_CTX_new();
  if (library != nullptr && OSSL_PROVIDER_load(library, "legacy") != nullptr) {
    legacy.blowfish = EVP_CIPHER_fetch(library, "BF-CBC", nullptr);
  }
  if (legacy.blowfish == nullptr) {
    legacy.failure = fmt::format("OpenSSL's legacy provider: {}", LastOpenSslError());
    OSSL_LIB_CTX_free(library);
  }
  return legacy;
}

const Legacy* loaded_legacy = nullptr;

struct ScheduleHash {
  size_t operator()(const DerivedKeys& keys) const {
    return std::hash<std::string_view>{}(
        {reinterpret_cast<const char*>(keys.text.data()), keys.text.size()});
  }
};

}  // namespace

std::string_view CipherName(Cipher cipher) { return cipher == Cipher::kAes ? "aes" : "blowfish"; }

std::optional<std::string> LoadLegacyProvider() {
  static const Legacy legacy = Load();
  loaded_legacy = &legacy;
  return legacy.failure;
}

bool BlowfishAvailable() { return loaded_legacy != nullptr && loaded_legacy->blowfish != nullptr; }

DerivedKeys DeriveKeys(const AgentKey& agent) {
  const std::string half = base::Md5Hex(base::Md5Hex(agent.name) + base::Md5Hex(agent.id));
  const std::string text = base::Md5Hex(agent.key) + half.substr(0, kHalf);
  DerivedKeys keys;
  std::copy(text.begin(), text.end(), keys.text.begin());
  return keys;
}

struct CipherEngine::Impl {
  Owned<EVP_CIPHER> aes{EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)};
  Owned<EVP_MD> md5{EVP_MD_fetch(nullptr, "MD5", nullptr)};
  Owned<EVP_CIPHER_CTX> aes_encrypt{EVP_CIPHER_CTX_new()};
  Owned<EVP_CIPHER_CTX> aes_decrypt{EVP_CIPHER_CTX_new()};
  Owned<EVP_MD_CTX> digest{EVP_MD_CTX_new()};

  z_stream deflater{};
  z_stream inflater{};
  bool deflater_ready = false;  // 270 KiB: only where something is sealed
  bool inflater_ready = false;

  // Blowfish contexts with their schedules, used last first.
  struct Schedule {
    DerivedKeys keys;
    Owned<EVP_CIPHER_CTX> context;
  };
  std::list<Schedule> schedules;
  std::unordered_map<DerivedKeys, std::list<Schedule>::iterator, ScheduleHash> by_keys;

  Impl() {
    if (!aes || !md5 || !aes_encrypt || !aes_decrypt || !digest ||
        EVP_EncryptInit_ex2(aes_encrypt.get(), aes.get(), nullptr, nullptr, nullptr) != 1 ||
        EVP_DecryptInit_ex2(aes_decrypt.get(), aes.get(), nullptr, nullptr, nullptr) != 1) {
      throw Error(
          fmt::format("OpenSSL does not offer AES-256-CBC and MD5 ({}); check the "
                      "providers in its openssl.cnf",
                      LastOpenSslError()));
    }
    EVP_CIPHER_CTX_set_padding(aes_decrypt.get(),
                               0);  // checked here, without OpenSSL's error queue
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (deflater_ready) deflateEnd(&deflater);
    if (inflater_ready) inflateEnd(&inflater);
  }

  EVP_CIPHER_CTX* ScheduleOf(const DerivedKeys& keys);
  bool Blowfish(const DerivedKeys& keys, bool encrypt, std::span<const uint8_t> in, uint8_t* out);
};

EVP_CIPHER_CTX* CipherEngine::Impl::ScheduleOf(const DerivedKeys& keys) {
  const auto found = by_keys.find(keys);
  if (found != by_keys.end()) {
    schedules.splice(schedules.begin(), schedules, found->second);
    return found->second->context.get();
  }
  Owned<EVP_CIPHER_CTX> context(EVP_CIPHER_CTX_new());
  const auto key = keys.blowfish();
  if (!context ||
      EVP_CipherInit_ex2(context.get(), loaded_legacy->blowfish, nullptr, nullptr, 1, nullptr) !=
          1 ||
      EVP_CIPHER_CTX_set_key_length(context.get(), static_cast<int>(key.size())) != 1 ||
      EVP_CipherInit_ex2(context.get(), nullptr, key.data(), kBlowfishIv.data(), 1, nullptr) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  if (schedules.size() >= kMaxSchedules) {
    by_keys.erase(schedules.back().keys);
    schedules.pop_back();
  }
  schedules.push_front({keys, std::move(context)});
  by_keys.emplace(keys, schedules.begin());
  return schedules.front().context.get();
}

// A context is set back to the IV for each packet; the schedule is the same both ways.
bool CipherEngine::Impl::Blowfish(const DerivedKeys& keys, bool encrypt,
                                  std::span<const uint8_t> in, uint8_t* out) {
  if (!BlowfishAvailable() || in.size() % kBlowfishBlock != 0) return false;
  EVP_CIPHER_CTX* context = ScheduleOf(keys);
  int written = 0;
  const bool done =
      context != nullptr &&
      EVP_CipherInit_ex2(context, nullptr, nullptr, kBlowfishIv.data(), encrypt ? 1 : 0, nullptr) ==
          1 &&
      EVP_CipherUpdate(context, out, &written, in.data(), static_cast<int>(in.size())) == 1;
  if (!done) ERR_clear_error();
  return done && static_cast<size_t>(written) == in.size();
}

CipherEngine::CipherEngine()
    : impl_(std::make_unique<Impl>()), buffers_(std::make_unique<Buffers>()) {}
CipherEngine::CipherEngine(CipherEngine&&) noexcept = default;
CipherEngine& CipherEngine::operator=(CipherEngine&&) noexcept = default;
CipherEngine::~CipherEngine() = default;

bool CipherEngine::EncryptBlowfish(const DerivedKeys& keys, std::span<const uint8_t> in,
                                   uint8_t* out) {
  return impl_->Blowfish(keys, true, in, out);
}

bool CipherEngine::DecryptBlowfish(const DerivedKeys& keys, std::span<const uint8_t> in,
                                   uint8_t* out) {
  return impl_->Blowfish(keys, false, in, out);
}

size_t CipherEngine::EncryptAes(const DerivedKeys& keys, const AesIv& iv,
                                std::span<const uint8_t> in, uint8_t* out) {
  EVP_CIPHER_CTX* context = impl_->aes_encrypt.get();
  int written = 0;
  int last = 0;
  if (EVP_EncryptInit_ex2(context, nullptr, keys.aes().data(), iv.data(), nullptr) != 1 ||
      EVP_EncryptUpdate(context, out, &written, in.data(), static_cast<int>(in.size())) != 1 ||
      EVP_EncryptFinal_ex(context, out + written, &last) != 1) {
    ERR_clear_error();
    return 0;
  }
  return static_cast<size_t>(written) + static_cast<size_t>(last);
}

std::optional<size_t> CipherEngine::DecryptAes(const DerivedKeys& keys,
                                               std::span<const uint8_t, 16> iv,
                                               std::span<const uint8_t> in, uint8_t* out) {
  if (in.empty() || in.size() % kAesBlock != 0) return std::nullopt;
  EVP_CIPHER_CTX* context = impl_->aes_decrypt.get();
  int written = 0;
  if (EVP_DecryptInit_ex2(context, nullptr, keys.aes().data(), iv.data(), nullptr) != 1 ||
      EVP_DecryptUpdate(context, out, &written, in.data(), static_cast<int>(in.size())) != 1 ||
      static_cast<size_t>(written) != in.size()) {
    ERR_clear_error();
    return std::nullopt;
  }
  const uint8_t padding = out[in.size() - 1];
  if (padding == 0 || padding > kAesBlock) return std::nullopt;
  const uint8_t* end = out + in.size();
  const bool right = std::all_of(end - padding, end, [&](uint8_t b) { return b == padding; });
  return right ? std::optional(in.size() - padding) : std::nullopt;
}

CipherEngine::Md5Text CipherEngine::Md5(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<uint8_t, 16> digest{};
  EVP_MD_CTX* context = impl_->digest.get();
  EVP_DigestInit_ex2(context, impl_->md5.get(), nullptr);
  EVP_DigestUpdate(context, bytes.data(), bytes.size());
  EVP_DigestFinal_ex(context, digest.data(), nullptr);
  Md5Text text;
  for (size_t i = 0; i < digest.size(); ++i) {
    text[2 * i] = kDigits[digest[i] >> 4];
    text[2 * i + 1] = kDigits[digest[i] & 15];
  }
  return text;
}

std::optional<size_t> CipherEngine::Deflate(std::string_view bytes, std::span<uint8_t> out) {
  z_stream& stream = impl_->deflater;
  if (!impl_->deflater_ready) impl_->deflater_ready = deflateInit(&stream, kLevel) == Z_OK;
  if (!impl_->deflater_ready || deflateReset(&stream) != Z_OK) return std::nullopt;
  // zlib does not write to its input.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return std::nullopt;
  return out.size() - stream.avail_out;
}

std::optional<size_t> CipherEngine::Inflate(std::span<const uint8_t> in, std::span<uint8_t> out) {
  z_stream& stream = impl_->inflater;
  if (!impl_->inflater_ready) impl_->inflater_ready = inflateInit(&stream) == Z_OK;
  if (!impl_->inflater_ready || inflateReset(&stream) != Z_OK) return std::nullopt;
  stream.next_in = const_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  if (inflate(&stream, Z_FINISH) != Z_STREAM_END) return std::nullopt;
  return out.size() - stream.avail_out;
}

}  // namespace ospatrol::secure
