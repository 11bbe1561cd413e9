// Packets of protocol version 1: sealing and opening (wire-protocol 2.3 to 2.6, 2.9).
//
//   [!ID!] ":" blowfish(B)   or   [!ID!] "#AES:" IV aes(B)
//   B = one to eight "!", then the zlib stream of
//       md5 of what follows (32)  random (5)  global (10) ":" local (4) ":" message
//
// The three steps of a receiver, each with its own faults:
//   1. ParsePrefix: who claims to send, with which cipher. Find the agent, check its address.
//   2. Open: is it authentic, and what does it say?
//   3. ReplayWindow::Accept with its counter. Only then believe anything, the cipher to answer in
//      included.
// Version 2 stands in v2/; VersionOf tells the two apart by the first byte.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "secure/cipher.h"

namespace ospatrol::secure {

inline constexpr size_t kMaxDatagram = 6144;
inline constexpr size_t kMaxMessage = 6016;
// What a running agent of version 1 reads at most; what a manager sends must not be larger.
inline constexpr size_t kMaxDatagramToAgent = 1024;
// Content of a shared file that surely fits into such a datagram.
inline constexpr size_t kFileChunk = 900;

enum class WireVersion : uint8_t { kNone, kV1, kV2 };
// kNone: empty, or its first byte belongs to no version.
WireVersion VersionOf(std::string_view datagram);

// Position in the sequence of one sender. Later messages have greater ones.
struct Counter {
  uint32_t global = 0;
  uint32_t local = 0;  // 1 to 9997 as sent; 0 only in "nothing yet"
  auto operator<=>(const Counter&) const = default;

  static constexpr uint32_t kLastLocal = 9997;
  // What follows it: 0:9997 is followed by 1:1.
  Counter Next() const;
  std::string Text() const;  // "12:345:", as in queue/rids
  // Reads "12:345:" and whatever older digits stand behind it; nothing when it is no counter.
  static std::optional<Counter> Parse(std::string_view text);
};

struct PacketPrefix {
  enum class State : uint8_t {
    kOk,
    kBadId,      // begins with "!" but no "digits!" follows: 1403 with the source address
    kBadCipher,  // neither ":" nor "#AES:": 1403 with the agent's id
  };
  State state = State::kBadCipher;
  std::string_view id;                // empty: the packet names none
  Cipher cipher = Cipher::kBlowfish;  // kAes from "#AES" on, so that a policy can be applied
  std::string_view sealed;            // behind the cipher prefix; only with kOk
};

// Looks at the clear part of a datagram. Views point into it.
PacketPrefix ParsePrefix(std::string_view datagram);

// Why a packet is not opened. The numbers are those of the log.
enum class OpenFault : uint16_t {
  kNone = 0,
  kMalformed = 1403,  // wrong lengths, block too short, no counters where they belong
  kWrongKey = 1404,   // padding or first byte is wrong after decryption
  kChecksum = 1406,
  kInflate = 2202,
  kNoBlowfish = 1,  // the legacy provider is not loaded
};

struct Opened {
  OpenFault fault = OpenFault::kNone;
  Counter counter;
  // At least one byte; may contain NUL. Points into the engine and is valid until its next Seal or
  // Open.
  std::string_view message;

  explicit operator bool() const { return fault == OpenFault::kNone; }
};

// Opens what ParsePrefix gave. Lengths are checked before anything is decrypted; nothing of an
// earlier packet can show through.
Opened Open(CipherEngine& engine, const DerivedKeys& keys, Cipher cipher, std::string_view sealed);

// What makes two packets of one message differ.
struct SealRandom {
  uint16_t number = 0;
  CipherEngine::AesIv iv{};  // AES only

  static SealRandom Fresh();
};

enum class SealFault : uint8_t {
  kNone,
  kMessageSize,  // empty, or more than kMaxMessage: "Incorrect message size: N"; counter not used
                 // up
  kTooLarge,     // does not compress into a datagram
  kNoBlowfish,
};

struct Sealed {
  SealFault fault = SealFault::kNone;
  // The datagram, at most kMaxDatagram bytes. Points into the engine and is valid until its next
  // Seal or Open.
  std::string_view datagram;

  explicit operator bool() const { return fault == SealFault::kNone; }
};

// `id` is written in clear in front of the packet when it is not empty: only agents do so, when
// AddressRule::NeedsId. Ask SealableSize before a counter is taken for the message.
Sealed Seal(CipherEngine& engine, const DerivedKeys& keys, Cipher cipher, std::string_view id,
            Counter counter, std::string_view message,
            const SealRandom& random = SealRandom::Fresh());

inline bool SealableSize(std::string_view message) {
  return !message.empty() && message.size() <= kMaxMessage;
}

}  // namespace ospatrol::secure
