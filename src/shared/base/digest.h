// Digests through OpenSSL EVP. Results are lower-case hex unless said otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace ospatrol::base {

std::string Md5Hex(std::string_view bytes);
std::string Sha1Hex(std::string_view bytes);
std::string Sha256Hex(std::string_view bytes);

std::string ToHex(std::string_view bytes);

}  // namespace ospatrol::base
