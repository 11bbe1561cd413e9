#include "base/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <charconv>
#include <memory>

#include "base/error.h"

namespace ospatrol::base {

namespace {

struct FreeMethod {
  void operator()(EVP_MD* method) const { EVP_MD_free(method); }
};
using Method = std::unique_ptr<EVP_MD, FreeMethod>;

Method Fetch(const char* name) {
  Method method(EVP_MD_fetch(nullptr, name, nullptr));
  if (!method) {
    throw Error(fmt::format(
        "OpenSSL does not offer the digest {}; check the providers in its openssl.cnf", name));
  }
  return method;
}

std::string Hex(std::string_view bytes, const EVP_MD* method) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, method, nullptr) != 1) {
    throw Error(fmt::format("OpenSSL could not compute a {} digest", EVP_MD_get0_name(method)));
  }
  std::string raw(digest.begin(), digest.begin() + size);
  return ToHex(raw);
}

}  // namespace

std::string ToHex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::string Md5Hex(std::string_view bytes) {
  static const Method method = Fetch("MD5");
  return Hex(bytes, method.get());
}

std::string Sha1Hex(std::string_view bytes) {
  static const Method method = Fetch("SHA1");
  return Hex(bytes, method.get());
}

std::string Sha256Hex(std::string_view bytes) {
  static const Method method = Fetch("SHA256");
  return Hex(bytes, method.get());
}

std::optional<std::string> FromHex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    uint8_t byte = 0;
    const char* end = hex.data() + i + 2;
    const auto [stop, error] = std::from_chars(hex.data() + i, end, byte, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

}  // namespace ospatrol::base
