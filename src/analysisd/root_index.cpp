#include "analysisd/root_index.h"

#include <algorithm>
#include <bit>

namespace ospatrol::analysisd {

using pattern::Beginning;

void RootIndex::Add(const Decoder& root, const std::vector<Beginning>& beginnings) {
  if (beginnings.empty()) {
    Beginning any;
    any.bytes.fill(Beginning::kAnyByte);
    any.ends.fill(true);
    columns_.push_back(any);
  }
  columns_.insert(columns_.end(), beginnings.begin(), beginnings.end());
  roots_.resize(columns_.size(), &root);
}

void RootIndex::Build() {
  words_ = (columns_.size() + 63) / 64;
  lines_ = (words_ + kWords - 1) / kWords;
  rows_ = std::vector<Line>(Beginning::kBytes * kValues * lines_);
  for (size_t place = 0; place < Beginning::kBytes; ++place) FillRows(place);
  columns_ = {};
}

void RootIndex::FillRows(size_t place) {
  Line* const rows = rows_.data() + place * kValues * lines_;
  // Most columns allow any byte.
  std::vector<Line> always(lines_);
  for (size_t column = 0; column < columns_.size(); ++column) {
    if (columns_[column].bytes[place] == Beginning::kAnyByte) Set(always.data(), column);
  }
  for (size_t value = 0; value < kEnd; ++value) {
    std::copy(always.begin(), always.end(), rows + value * lines_);
  }
  for (size_t column = 0; column < columns_.size(); ++column) {
    const Beginning& beginning = columns_[column];
    if (beginning.ends[place]) Set(rows + kEnd * lines_, column);
    const Beginning::Bytes& bytes = beginning.bytes[place];
    if (bytes == Beginning::kAnyByte) continue;
    for (size_t word = 0; word < bytes.size(); ++word) {
      for (uint64_t bits = bytes[word]; bits != 0; bits &= bits - 1) {
        const size_t value = word * 64 + static_cast<size_t>(std::countr_zero(bits));
        Set(rows + value * lines_, column);
      }
    }
  }
}

}  // namespace ospatrol::analysisd
