// Keys and ciphers of protocol version 1 (wire-protocol 2.1, 2.2), on OpenSSL's EVP.
//
// Blowfish is in OpenSSL's legacy provider, a module that is loaded from the file system. It lives
// in a library context of its own, so that nothing else of the process can reach the other old
// ciphers, and is loaded before the chroot: afterwards the file cannot be found.
//
// Cost: AES of a usual packet is far below the cost of inflating it. Blowfish's key schedule takes
// 40 times as long as such a packet, so an engine keeps the schedules of the keys used last.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "secure/keys.h"

namespace ospatrol::secure {

enum class Cipher : uint8_t { kBlowfish, kAes };

std::string_view CipherName(Cipher cipher);  // "blowfish", "aes": as in agent-info and options

// Loads the legacy provider for the process; once, before a chroot and before other threads. Later
// calls give the first one's result. Nothing when it works, else the reason in one line: then only
// Blowfish is missing, and BlowfishAvailable() stays false. A process that does not call it has no
// Blowfish either.
std::optional<std::string> LoadLegacyProvider();
bool BlowfishAvailable();

// 47 ASCII characters made of key, id and name. Blowfish takes all of them, AES-256 the first 32.
struct DerivedKeys {
  std::array<uint8_t, 47> text{};

  std::span<const uint8_t, 47> blowfish() const { return text; }
  std::span<const uint8_t, 32> aes() const { return std::span<const uint8_t, 32>(text.data(), 32); }
  bool operator==(const DerivedKeys&) const = default;
};

DerivedKeys DeriveKeys(const AgentKey& agent);

// What sealing and opening need again and again: cipher, digest and compressor contexts and the
// buffers. One per thread (about 350 KiB once it has sealed, 60 KiB when it only opens); not
// thread-safe. Use it through Seal and Open of sealed_message.h.
class CipherEngine {
 public:
  static constexpr size_t kBlowfishBlock = 8;
  static constexpr size_t kAesBlock = 16;
  using AesIv = std::array<uint8_t, kAesBlock>;
  using Md5Text = std::array<char, 32>;  // lower-case hex digits

  // Throws Error when the library lacks a cipher or a digest, which means a broken installation.
  CipherEngine();
  CipherEngine(CipherEngine&&) noexcept;
  CipherEngine& operator=(CipherEngine&&) noexcept;
  ~CipherEngine();

  // CBC with the constant IV of version 1; whole blocks only. `out` holds as many bytes as `in`.
  // False when Blowfish is not available.
  bool EncryptBlowfish(const DerivedKeys& keys, std::span<const uint8_t> in, uint8_t* out);
  bool DecryptBlowfish(const DerivedKeys& keys, std::span<const uint8_t> in, uint8_t* out);

  // CBC with PKCS#7 padding. Encrypt writes in.size() / 16 * 16 + 16 bytes to `out` and returns
  // that number, 0 on failure. Decrypt takes whole blocks and returns the length without padding,
  // nothing when the padding is wrong.
  size_t EncryptAes(const DerivedKeys& keys, const AesIv& iv, std::span<const uint8_t> in,
                    uint8_t* out);
  std::optional<size_t> DecryptAes(const DerivedKeys& keys, std::span<const uint8_t, 16> iv,
                                   std::span<const uint8_t> in, uint8_t* out);

  Md5Text Md5(std::string_view bytes);

  // A zlib stream of level 9. Returns its length, nothing when it does not fit into `out`.
  std::optional<size_t> Deflate(std::string_view bytes, std::span<uint8_t> out);
  // Inflates the whole zlib stream that `in` begins with; bytes behind it are ignored. Nothing when
  // it is damaged, cut, or larger than `out`.
  std::optional<size_t> Inflate(std::span<const uint8_t> in, std::span<uint8_t> out);

  // Working space of Seal and Open.
  struct Buffers;
  Buffers& buffers() { return *buffers_; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace ospatrol::secure
