// Finds the decoders without a parent that can fit an event, by how what they test must begin.
//
// Every alternative of every root is a column. For each of the first bytes of a subject and each
// value of that byte a row of bits tells which columns allow it; the rows of a subject, taken
// together, leave the columns that can match: a handful of loads for hundreds of decoders. What is
// left is tried in load order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "pattern/beginning.h"

namespace ospatrol::analysisd {

struct Decoder;

class RootIndex {
 public:
  // Roots come in load order. No `beginnings`: any subject can fit.
  void Add(const Decoder& root, const std::vector<pattern::Beginning>& beginnings);
  // REQUIRES: once, behind the last Add.
  void Build();

  // The roots that can fit, until `visit` gives true.
  template <typename Visit>
  void ForEach(std::string_view subject, Visit&& visit) const {
    const Decoder* last = nullptr;
    for (size_t word = 0; word < words_; ++word) {
      uint64_t bits = ~uint64_t{0};
      for (size_t i = 0; i < pattern::Beginning::kBytes && bits != 0; ++i) {
        bits &= Row(i, subject)[word / kWords].words[word % kWords];
      }
      for (; bits != 0; bits &= bits - 1) {
        const Decoder* root = roots_[word * 64 + static_cast<size_t>(__builtin_ctzll(bits))];
        if (root == last) continue;  // another alternative of it
        last = root;
        if (visit(*root)) return;
      }
    }
  }

 private:
  static constexpr size_t kEnd = 256;  // in the place of a byte: the subject ends before it
  static constexpr size_t kValues = 257;

  // A row is made of whole lines of the processor's caches.
  static constexpr size_t kWords = 8;
  struct alignas(64) Line {
    uint64_t words[kWords] = {};
  };

  const Line* Row(size_t place, std::string_view subject) const {
    const size_t value = place < subject.size() ? static_cast<uint8_t>(subject[place]) : kEnd;
    return rows_.data() + (place * kValues + value) * lines_;
  }

  void FillRows(size_t place);
  static void Set(Line* row, size_t column) {
    Line& line = row[column / 64 / kWords];
    line.words[column / 64 % kWords] |= uint64_t{1} << (column % 64);
  }

  std::vector<const Decoder*> roots_;        // by column
  std::vector<pattern::Beginning> columns_;  // until Build
  std::vector<Line> rows_;
  size_t words_ = 0;  // that are used, and ...
  size_t lines_ = 0;  // ... lines of a row
};

}  // namespace ospatrol::analysisd
