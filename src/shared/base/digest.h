// Digests through OpenSSL EVP. Results are lower-case hex unless said otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ospatrol::base {

std::string Md5Hex(std::string_view bytes);
std::string Sha1Hex(std::string_view bytes);
std::string Sha256Hex(std::string_view bytes);

std::string ToHex(std::string_view bytes);
// The bytes that `hex` stands for, in either case; nothing when it is not pairs of hex digits.
std::optional<std::string> FromHex(std::string_view hex);

}  // namespace ospatrol::base
