// Does one of a few short texts occur? What lets most subjects pass by a pattern that searches for
// many alternatives, at a fraction of the price of its engine.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pattern/literal.h"

namespace ospatrol::pattern {

// Of each text up to three neighbouring bytes, rare ones, are known to three tables: by the value
// of a byte, which groups of texts have it there. A place where one group has all three is compared
// with the texts of that group. Cost: some eight instructions for each byte of the subject. Worst
// case, for a subject made for it: size of the subject times number of texts.
class TextGate {
 public:
  // Texts: ASCII, letters in lower case, not empty.
  explicit TextGate(const std::vector<std::string>& texts);

  // Does one of them occur, in any case? Thread-safe.
  bool Opens(std::string_view subject) const;

 private:
  static constexpr size_t kGroups = 8;
  static constexpr size_t kBytes = 3;

  struct Entry {
    Literal text;
    uint32_t offset;  // of the bytes that the tables know
  };

  bool OccursAt(size_t place, uint8_t groups, std::string_view subject) const;

  std::array<std::array<uint8_t, 256>, kBytes> tables_{};
  std::array<std::vector<Entry>, kGroups> groups_;
};

}  // namespace ospatrol::pattern
