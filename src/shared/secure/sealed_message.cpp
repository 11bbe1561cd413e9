#include "secure/sealed_message.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

#include "base/random.h"
#include "base/text.h"
#include "secure/buffers.h"

namespace ospatrol::secure {

namespace {

constexpr char kV2Magic = '\xF2';
constexpr std::string_view kAesMark = "#AES";
constexpr size_t kMaxIdText = 127;

// Offsets in a block.
constexpr size_t kChecksum = 32;
constexpr size_t kGlobal = kChecksum + 5;
constexpr size_t kGlobalDigits = 10;
constexpr size_t kLocal = kGlobal + kGlobalDigits + 1;
constexpr size_t kLocalDigits = 4;
constexpr size_t kMessage = kLocal + kLocalDigits + 1;

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string_view Text(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Opened Refused(OpenFault fault) { return {.fault = fault, .counter = {}, .message = {}}; }

// Decrypts into engine.buffers().input; the result is its length. Lengths first: what has the wrong
// one is not decrypted, and nothing that the buffer held before is ever looked at.
OpenFault Decrypt(CipherEngine& engine, const DerivedKeys& keys, Cipher cipher,
                  std::string_view sealed, size_t& length) {
  uint8_t* out = engine.buffers().input.data();
  if (cipher == Cipher::kBlowfish) {
    if (!BlowfishAvailable()) return OpenFault::kNoBlowfish;
    if (sealed.empty()) return OpenFault::kMalformed;
    // A packet that was cut on its way; its last bytes are missing from the compressed stream.
    if (sealed.size() % CipherEngine::kBlowfishBlock != 0) return OpenFault::kInflate;
    length = sealed.size();
    return engine.DecryptBlowfish(keys, Bytes(sealed), out) ? OpenFault::kNone
                                                            : OpenFault::kWrongKey;
  }
  if (sealed.size() < 2 * CipherEngine::kAesBlock) return OpenFault::kWrongKey;
  const auto iv = Bytes(sealed).first<CipherEngine::kAesBlock>();
  const auto size = engine.DecryptAes(keys, iv, Bytes(sealed).subspan(iv.size()), out);
  length = size.value_or(0);
  return size ? OpenFault::kNone : OpenFault::kWrongKey;
}

Opened ReadBlock(CipherEngine& engine, std::string_view block) {
  if (block.size() <= kMessage) return Refused(OpenFault::kMalformed);
  const CipherEngine::Md5Text sum = engine.Md5(block.substr(kChecksum));
  if (CRYPTO_memcmp(sum.data(), block.data(), sum.size()) != 0) {
    return Refused(OpenFault::kChecksum);
  }
  const std::string_view global = block.substr(kGlobal, kGlobalDigits);
  const std::string_view local = block.substr(kLocal, kLocalDigits);
  const auto global_number = base::ParseNumber<uint32_t>(global);
  const auto local_number = base::ParseNumber<uint32_t>(local);
  if (!global_number || !local_number || block[kLocal - 1] != ':') {
    return Refused(OpenFault::kMalformed);
  }
  return {.fault = OpenFault::kNone,
          .counter = {.global = *global_number, .local = *local_number},
          .message = block.substr(kMessage)};
}

std::string_view BuildBlock(CipherEngine& engine, uint16_t random, Counter counter,
                            std::string_view message) {
  char* block = reinterpret_cast<char*>(engine.buffers().block.data());
  char* end = fmt::format_to(block + kChecksum, "{:05}{:010}:{:04}:", random, counter.global,
                             counter.local % 10000);
  end = std::copy(message.begin(), message.end(), end);
  const std::string_view summed(block + kChecksum, static_cast<size_t>(end - block) - kChecksum);
  const CipherEngine::Md5Text sum = engine.Md5(summed);
  std::copy(sum.begin(), sum.end(), block);
  return {block, static_cast<size_t>(end - block)};
}

// Compresses the block and puts one to eight "!" in front, so that the length is a multiple of 8.
// Empty when it does not fit.
std::span<const uint8_t> BuildInput(CipherEngine& engine, std::string_view block) {
  using Buffers = CipherEngine::Buffers;
  auto& input = engine.buffers().input;
  const auto length =
      engine.Deflate(block, std::span(input).subspan(Buffers::kMaxPadding, Buffers::kMaxStream));
  if (!length) return {};
  const size_t marks = Buffers::kMaxPadding - *length % Buffers::kMaxPadding;
  const size_t begin = Buffers::kMaxPadding - marks;
  std::fill_n(input.begin() + static_cast<std::ptrdiff_t>(begin), marks, uint8_t{'!'});
  return std::span(input).subspan(begin, marks + *length);
}

}  // namespace

WireVersion VersionOf(std::string_view datagram) {
  if (datagram.empty()) return WireVersion::kNone;
  switch (datagram.front()) {
    case kV2Magic:
      return WireVersion::kV2;
    case ':':
    case '#':
    case '!':
      return WireVersion::kV1;
    default:
      return WireVersion::kNone;
  }
}

Counter Counter::Next() const {
  if (local >= kLastLocal) return {.global = global + 1, .local = 1};
  return {.global = global, .local = local + 1};
}

std::string Counter::Text() const { return fmt::format("{}:{}:", global, local); }

std::optional<Counter> Counter::Parse(std::string_view text) {
  const size_t first = text.find(':');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = text.find(':', first + 1);
  const auto global = base::ParseNumber<uint32_t>(text.substr(0, first));
  const auto local =
      base::ParseNumber<uint32_t>(base::Trim(text.substr(first + 1, second - first - 1)));
  if (!global || !local || *local > 9999) return std::nullopt;
  return Counter{.global = *global, .local = *local};
}

PacketPrefix ParsePrefix(std::string_view datagram) {
  PacketPrefix prefix;
  if (datagram.starts_with('!')) {
    const size_t end = datagram.find('!', 1);
    const std::string_view id = datagram.substr(1, end - 1);
    if (end == std::string_view::npos || !base::AllDigits(id) || id.size() > kMaxIdText) {
      prefix.state = PacketPrefix::State::kBadId;
      return prefix;
    }
    prefix.id = id;
    datagram.remove_prefix(end + 1);
  }
  if (datagram.starts_with(kAesMark)) {
    prefix.cipher = Cipher::kAes;
    datagram.remove_prefix(kAesMark.size());
  }
  if (!datagram.starts_with(':')) return prefix;
  prefix.state = PacketPrefix::State::kOk;
  prefix.sealed = datagram.substr(1);
  return prefix;
}

Opened Open(CipherEngine& engine, const DerivedKeys& keys, Cipher cipher, std::string_view sealed) {
  if (sealed.size() > kMaxDatagram) return Refused(OpenFault::kMalformed);
  size_t length = 0;
  const OpenFault fault = Decrypt(engine, keys, cipher, sealed, length);
  if (fault != OpenFault::kNone) return Refused(fault);

  auto& buffers = engine.buffers();
  const auto plain = std::span<const uint8_t>(buffers.input).first(length);
  const auto stream = std::find_if(plain.begin(), plain.end(), [](uint8_t b) { return b != '!'; });
  if (stream == plain.begin()) return Refused(OpenFault::kWrongKey);
  const auto skipped = static_cast<size_t>(stream - plain.begin());
  const auto size = engine.Inflate(plain.subspan(skipped), buffers.block);
  if (!size) return Refused(OpenFault::kInflate);
  return ReadBlock(engine, Text(std::span<const uint8_t>(buffers.block).first(*size)));
}

SealRandom SealRandom::Fresh() {
  SealRandom random;
  const std::string bytes = base::RandomBytes(sizeof random.number + random.iv.size());
  std::memcpy(&random.number, bytes.data(), sizeof random.number);
  std::memcpy(random.iv.data(), bytes.data() + sizeof random.number, random.iv.size());
  return random;
}

Sealed Seal(CipherEngine& engine, const DerivedKeys& keys, Cipher cipher, std::string_view id,
            Counter counter, std::string_view message, const SealRandom& random) {
  if (!SealableSize(message)) return {.fault = SealFault::kMessageSize, .datagram = {}};
  if (cipher == Cipher::kBlowfish && !BlowfishAvailable()) {
    return {.fault = SealFault::kNoBlowfish, .datagram = {}};
  }
  const Sealed too_large{.fault = SealFault::kTooLarge, .datagram = {}};
  if (id.size() > kMaxIdText) return too_large;
  const auto input = BuildInput(engine, BuildBlock(engine, random.number, counter, message));
  if (input.empty()) return too_large;

  auto& packet = engine.buffers().packet;
  char* begin = reinterpret_cast<char*>(packet.data());
  char* end = begin;
  if (!id.empty()) end = fmt::format_to(end, "!{}!", id);
  end = fmt::format_to(end, "{}", cipher == Cipher::kAes ? "#AES:" : ":");
  auto* sealed = reinterpret_cast<uint8_t*>(end);
  size_t size = input.size();
  if (cipher == Cipher::kBlowfish) {
    if (!engine.EncryptBlowfish(keys, input, sealed)) return too_large;
  } else {
    std::copy(random.iv.begin(), random.iv.end(), sealed);
    size = random.iv.size() + engine.EncryptAes(keys, random.iv, input, sealed + random.iv.size());
  }
  size += static_cast<size_t>(end - begin);
  if (size > kMaxDatagram) return too_large;
  return {.fault = SealFault::kNone, .datagram = {begin, size}};
}

}  // namespace ospatrol::secure
