#include "pattern/ip_list.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

#include "base/text.h"

namespace ospatrol::pattern {
namespace {

constexpr int kMappedBits = 96;
constexpr size_t kMaxLengthDigits = 3;
constexpr IpAddress kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0};

bool IsMapped(const IpAddress& address) {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.begin() + kMappedBits / 8,
                    address.begin());
}

// "address" or "address/len", numeric.
struct AddressWithLength {
  IpAddress address{};
  int prefix = 128;
};

std::optional<IpAddress> ParseNumeric(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof buffer) return std::nullopt;
  buffer[text.copy(buffer, text.size())] = '\0';
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  IpAddress address = kMappedPrefix;
  if (inet_pton(AF_INET, buffer, address.data() + kMappedBits / 8) == 1) return address;
  if (inet_pton(AF_INET6, buffer, address.data()) == 1) return address;
  return std::nullopt;
}

// A length of up to 32 behind an IPv4-mapped IPv6 address counts as the IPv4 length.
std::optional<int> ParseLength(std::string_view text, const IpAddress& address, bool dotted) {
  if (text.size() > kMaxLengthDigits || !base::AllDigits(text)) return std::nullopt;
  const auto length = base::ParseNumber<int>(text);
  if (!length || *length > (dotted ? 32 : 128)) return std::nullopt;
  if (*length == 0) return 0;
  return IsMapped(address) && *length <= 32 ? *length + kMappedBits : *length;
}

std::optional<AddressWithLength> ParseWithLength(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view number = text.substr(0, slash);
  const auto address = ParseNumeric(number);
  if (!address) return std::nullopt;
  AddressWithLength result{.address = *address};
  if (slash == std::string_view::npos) return result;
  const bool dotted = number.find(':') == std::string_view::npos;
  const auto prefix = ParseLength(text.substr(slash + 1), *address, dotted);
  if (!prefix) return std::nullopt;
  result.prefix = *prefix;
  return result;
}

}  // namespace

std::optional<IpAddress> ParseAddress(std::string_view text) {
  const auto parsed = ParseWithLength(text);
  if (!parsed) return std::nullopt;
  return parsed->address;
}

std::optional<IpNetwork> IpNetwork::Parse(std::string_view text) {
  IpNetwork network;
  network.negated = text.starts_with('!');
  if (network.negated) text.remove_prefix(1);
  if (text == "any") return network;
  const auto parsed = ParseWithLength(text);
  if (!parsed) return std::nullopt;
  network.address = parsed->address;
  network.prefix = parsed->prefix;
  return network;
}

bool IpNetwork::Contains(const IpAddress& other) const {
  const auto whole = static_cast<size_t>(prefix / 8);
  const int rest = prefix % 8;
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole),
                  other.begin()))
    return false;
  return rest == 0 || ((address[whole] ^ other[whole]) >> (8 - rest)) == 0;
}

bool IpList::MatchesRule(std::string_view address) const {
  const auto parsed = ParseAddress(address);
  if (!parsed || entries_.empty()) return false;
  for (const IpNetwork& entry : entries_) {
    if (entry.Contains(*parsed)) return !entry.negated;
  }
  return entries_.back().negated;
}

bool IpList::MatchesConfiguration(std::string_view address) const {
  const auto parsed = ParseAddress(address);
  if (!parsed || entries_.empty()) return false;
  for (const IpNetwork& entry : entries_) {
    if (entry.Contains(*parsed)) return !entry.negated;
  }
  return std::all_of(entries_.begin(), entries_.end(),
                     [](const IpNetwork& entry) { return entry.negated; });
}

}  // namespace ospatrol::pattern
