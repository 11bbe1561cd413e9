// The 16 clear bytes in front of every datagram of version 2: big-endian, authenticated wherever a
// key exists.
//
//   0  1  magic F2: version 1 datagrams begin with ':', '#' or '!', so one byte tells them apart
//   1  1  version 2
//   2  1  type
//   3  1  flags: 0, unknown ones are ignored
//   4  4  connection id chosen by the receiver; in HELLO 0; in RESET the id that is not known
//   8  8  DATA: packet number; HELLO, WELCOME, STALE: hello counter; else 0
#pragma once

#include <optional>

#include "secure/v2/types.h"

namespace ospatrol::secure::v2 {

inline constexpr uint8_t kMagic = 0xF2;
inline constexpr uint8_t kProtocolVersion = 2;
inline constexpr size_t kHeaderSize = 16;
inline constexpr size_t kTagSize = 16;  // of both ciphers
inline constexpr size_t kFrameHeaderSize = 3;
inline constexpr size_t kMinData = kHeaderSize + kFrameHeaderSize + kTagSize;  // shortest DATA

enum class PacketType : uint8_t {
  kHello = 1,
  kWelcome = 2,
  kCookie = 3,
  kData = 4,
  kReset = 5,
  kVersion = 6,
  kStale = 7,
};

struct Header {
  PacketType type = PacketType::kData;
  uint8_t flags = 0;
  uint32_t connection = 0;
  uint64_t number = 0;
};

// True when the datagram is for this folder, whatever its version.
inline bool IsVersion2(Bytes datagram) { return !datagram.empty() && datagram[0] == kMagic; }

// Empty when the datagram is too short, has another magic or version, or an unknown type.
std::optional<Header> ParseHeader(Bytes datagram);

// REQUIRES: out.size() >= kHeaderSize.
void WriteHeader(const Header& header, MutableBytes out);

}  // namespace ospatrol::secure::v2
