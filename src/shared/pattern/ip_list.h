// Addresses, networks and ordered lists of them (configuration-and-operation 3.3,
// rules-and-decoders 2.9).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace ospatrol::pattern {

// 16 bytes, network order; IPv4 as ::ffff:a.b.c.d.
using IpAddress = std::array<uint8_t, 16>;

// Numeric IPv4 (four decimal parts) or IPv6; nothing else. A "/len" behind it is accepted and
// ignored.
std::optional<IpAddress> ParseAddress(std::string_view text);

// One entry: [!] address [/len] | any | !any.
struct IpNetwork {
  IpAddress address{};
  int prefix =
      0;  // 0-128; an IPv4 /n is stored as 96 + n. `any` (and /0) has 0 and contains both families
  bool negated = false;

  static std::optional<IpNetwork> Parse(std::string_view text);
  bool Contains(const IpAddress& other) const;
};

class IpList {
 public:
  void Add(const IpNetwork& entry) { entries_.push_back(entry); }
  bool empty() const { return entries_.empty(); }

  // Conditions of rules: first entry that contains the address decides; no hit = the last entry was
  // negated. A text that is no address never matches.
  bool MatchesRule(std::string_view address) const;

  // Configuration lists: no hit = not in the list, unless all entries are negated.
  bool MatchesConfiguration(std::string_view address) const;

 private:
  std::vector<IpNetwork> entries_;
};

}  // namespace ospatrol::pattern
