#include "analysisd/root_index.h"

namespace ospatrol::analysisd {

using pattern::Beginning;

void RootIndex::Add(const Decoder& root, const std::vector<Beginning>& beginnings) {
  if (beginnings.empty()) {
    Beginning any;
    for (auto& bytes : any.bytes) bytes.set();
    any.ends.fill(true);
    columns_.push_back(any);
  }
  columns_.insert(columns_.end(), beginnings.begin(), beginnings.end());
  roots_.resize(columns_.size(), &root);
}

void RootIndex::Build() {
  words_ = (columns_.size() + 63) / 64;
  lines_ = (words_ + kWords - 1) / kWords;
  rows_.assign(Beginning::kBytes * kValues * lines_, {});
  for (size_t column = 0; column < columns_.size(); ++column) {
    const Beginning& beginning = columns_[column];
    for (size_t place = 0; place < Beginning::kBytes; ++place) {
      for (size_t value = 0; value < kValues; ++value) {
        const bool allowed =
            value == kEnd ? beginning.ends[place] : beginning.bytes[place].test(value);
        if (!allowed) continue;
        Line& line = rows_[(place * kValues + value) * lines_ + column / 64 / kWords];
        line.words[column / 64 % kWords] |= uint64_t{1} << (column % 64);
      }
    }
  }
  columns_ = {};
}

}  // namespace ospatrol::analysisd
