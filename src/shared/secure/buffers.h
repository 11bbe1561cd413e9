// Working space of Seal and Open, inside CipherEngine.
#pragma once

#include <array>
#include <cstdint>

#include "secure/cipher.h"
#include "secure/sealed_message.h"

namespace ospatrol::secure {

struct CipherEngine::Buffers {
  static constexpr size_t kMaxStream = 6132;
  static constexpr size_t kMaxPadding = 8;
  static constexpr size_t kMaxPrefix = 160;  // "!ID!", "#AES:" and the IV; an id has 127 bytes

  std::array<uint8_t, kMaxDatagram> block;                // plain text, inflated
  std::array<uint8_t, kMaxPadding + kMaxDatagram> input;  // what the cipher takes or gives
  std::array<uint8_t, kMaxPrefix + kMaxDatagram + kAesBlock> packet;
};

}  // namespace ospatrol::secure
