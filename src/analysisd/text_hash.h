// Hashes of texts for tables whose keys come from outside.
#pragma once

#include <cstdint>
#include <string_view>

namespace ospatrol::analysisd {

// Another function in each process, so nobody knows texts that collide.
class TextHash {
 public:
  using is_transparent = void;  // for tables with keys of std::string
  TextHash();
  // `number` makes it another hash of the same text.
  uint64_t operator()(std::string_view text, uint32_t number = 0) const;

 private:
  uint64_t seed_;
};

}  // namespace ospatrol::analysisd
