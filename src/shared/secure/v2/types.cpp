#include <openssl/crypto.h>

#include <cstring>

#include "base/random.h"
#include "secure/v2/types.h"

namespace ospatrol::secure::v2 {

void KernelRandom::Fill(MutableBytes bytes) {
  std::string random = base::RandomBytes(bytes.size());
  std::memcpy(bytes.data(), random.data(), bytes.size());
  OPENSSL_cleanse(random.data(), random.size());
}

uint64_t RandomBelow(RandomSource& random, uint64_t bound) {
  std::array<uint8_t, 8> bytes{};
  random.Fill(bytes);
  uint64_t value = 0;
  for (const uint8_t byte : bytes) value = value << 8 | byte;
  return value % bound;
}

uint32_t RandomConnectionId(RandomSource& random) {
  for (;;) {
    const auto id = static_cast<uint32_t>(RandomBelow(random, uint64_t{1} << 32));
    if (id != 0) return id;
  }
}

void Wipe(MutableBytes bytes) { OPENSSL_cleanse(bytes.data(), bytes.size()); }

bool EqualInConstantTime(Bytes a, Bytes b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string_view AsText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace ospatrol::secure::v2
