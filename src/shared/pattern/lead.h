// The first pieces of an anchored pattern, as far as they can be read without a choice: what tells
// `^\S+ - [a-z]` from most subjects by their first words, at a third of the price of the engine.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "pattern/syntax.h"

namespace ospatrol::pattern {

// A sequence of sets, each for one byte or for all bytes in a row that it has. A repeated set has
// no byte of the set behind it, so that there is one way only to read a subject.
class Lead {
 public:
  Lead() = default;  // fits everything
  // Fits everything where a pattern begins otherwise, or with what has a fixed place: that is known
  // from the first bytes of a subject (beginning.h).
  explicit Lead(const Syntax& syntax);

  bool empty() const { return pieces_.empty(); }

  // False: the pattern does not match.
  bool Fits(std::string_view subject) const;

 private:
  struct Piece {
    std::array<uint64_t, 4> bytes;
    bool repeats;
    bool needed;  // at least one byte
    bool Has(uint8_t byte) const { return (bytes[byte >> 6] >> (byte & 63) & 1) != 0; }
  };

  bool Add(const Syntax& syntax, const Node& node);
  bool Add(const Syntax& syntax, const Node& set, bool repeats, bool needed);

  std::vector<Piece> pieces_;
};

}  // namespace ospatrol::pattern
