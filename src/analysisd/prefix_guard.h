// A necessary condition of an anchored pattern, so cheap that it pays before every match: the
// literal bytes with which each alternative begins.
//
// `^sshd|^telnetd` on "kernel" is refused after one byte. A pattern with an alternative that is not
// anchored, or begins with anything but literal text, has an open guard that lets everything pass.
// The guard never decides that a pattern matches, so it may be as short and as cautious as it
// likes.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

#include "pattern/pattern.h"

namespace ospatrol::analysisd {

class PrefixGuard {
 public:
  static constexpr size_t kMaxLength = 16;

  PrefixGuard() = default;
  // Reads the literal beginnings out of the text of a pattern of `language`.
  PrefixGuard(pattern::Language language, std::string_view pattern);

  // False only when the pattern cannot match `subject`.
  bool MayMatch(std::string_view subject) const { return prefixes_.empty() || AnyPrefix(subject); }

  // The bytes (lower case) with which a match can begin; all of them when the guard is open.
  // Only for subjects whose first byte is ASCII: see NeedsAll.
  std::bitset<256> FirstBytes() const;

  // Beyond ASCII case folding can lead from other bytes to a literal ("K" = U+212A), so these
  // subjects pass every guard.
  static bool NeedsAll(std::string_view subject);

 private:
  struct Prefix {
    std::array<char, kMaxLength> bytes;  // lower case
    uint8_t size;
  };

  bool AnyPrefix(std::string_view subject) const;

  std::vector<Prefix> prefixes_;
};

}  // namespace ospatrol::analysisd
