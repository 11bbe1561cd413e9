// libraries: secure
// under test: shared/secure/sealed_message.cpp shared/secure/cipher.cpp
// Packets of protocol version 1. The first byte says how deep the rest is: a datagram as it comes,
// what the cipher hides (key known to the attacker), or a block with and without its checksum.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "secure/replay_window.h"
#include "secure/sealed_message.h"

namespace {

using namespace ospatrol::secure;

DerivedKeys FixedKeys() {
  DerivedKeys keys;
  keys.text.fill('k');
  return keys;
}

void CheckOpened(const Opened& opened) {
  if (!opened) {
    if (!opened.message.empty()) std::abort();
    return;
  }
  if (opened.message.empty() || opened.message.size() > kMaxDatagram) std::abort();
  ReplayWindow window;
  window.Accept(opened.counter);
  if (window.Accept(opened.counter) == ReplayWindow::Verdict::kNew) std::abort();
}

void OpenDatagram(CipherEngine& engine, std::string_view datagram) {
  const PacketPrefix prefix = ParsePrefix(datagram);
  if (prefix.state != PacketPrefix::State::kOk) return;
  if (prefix.sealed.size() >= datagram.size()) std::abort();
  CheckOpened(Open(engine, FixedKeys(), prefix.cipher, prefix.sealed));
}

void OpenHidden(CipherEngine& engine, Cipher cipher, std::string input) {
  if (input.size() > kMaxDatagram - 64) return;
  std::string sealed(16 + input.size() + 16, '\0');
  auto* out = reinterpret_cast<uint8_t*>(sealed.data());
  if (cipher == Cipher::kBlowfish) {
    input.resize(input.size() / 8 * 8);
    const std::span in(reinterpret_cast<const uint8_t*>(input.data()), input.size());
    if (!engine.EncryptBlowfish(FixedKeys(), in, out)) std::abort();
    sealed.resize(input.size());
  } else {
    const std::span in(reinterpret_cast<const uint8_t*>(input.data()), input.size());
    sealed.resize(16 + engine.EncryptAes(FixedKeys(), {}, in, out + 16));
  }
  CheckOpened(Open(engine, FixedKeys(), cipher, sealed));
}

void OpenBlock(CipherEngine& engine, Cipher cipher, std::string block, bool right_sum) {
  if (right_sum && block.size() > 32) {
    const auto sum = engine.Md5(std::string_view(block).substr(32));
    std::copy(sum.begin(), sum.end(), block.begin());
  }
  std::vector<uint8_t> stream(block.size() + 1024);
  const auto length = engine.Deflate(block, stream);
  if (!length) std::abort();
  const std::string marks(8 - *length % 8, '!');
  OpenHidden(
      engine, cipher,
      marks + std::string(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(*length)));
}

void SealAndOpen(CipherEngine& engine, Cipher cipher, std::string_view message) {
  const Sealed sealed = Seal(engine, FixedKeys(), cipher, "12345678", {7, 9997}, message, {});
  if (!sealed) {
    if (sealed.fault == SealFault::kMessageSize && SealableSize(message)) std::abort();
    return;
  }
  const std::string datagram(sealed.datagram);
  const PacketPrefix prefix = ParsePrefix(datagram);
  const Opened opened = Open(engine, FixedKeys(), prefix.cipher, prefix.sealed);
  if (opened.message != message || opened.counter != Counter{7, 9997}) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool loaded = !LoadLegacyProvider();
  static CipherEngine engine;
  if (!loaded) std::abort();
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Cipher cipher = (data[0] & 8) != 0 ? Cipher::kBlowfish : Cipher::kAes;
  switch (data[0] & 7) {
    case 0:
      OpenDatagram(engine, rest);
      break;
    case 1:
      OpenHidden(engine, cipher, std::string(rest));
      break;
    case 2:
      OpenBlock(engine, cipher, std::string(rest), false);
      break;
    case 3:
      OpenBlock(engine, cipher, std::string(rest), true);
      break;
    default:
      SealAndOpen(engine, cipher, rest);
      break;
  }
  return 0;
}
