#include "alert/record_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace ospatrol::alert {

void RecordText::Grow(size_t most) {
  constexpr size_t kFirst = 4096;
  const size_t wanted = std::max({used_ + most, size_ * 2, kFirst});
  auto larger = std::make_unique_for_overwrite<char[]>(wanted);
  if (used_ > 0) std::memcpy(larger.get(), bytes_.get(), used_);
  bytes_ = std::move(larger);
  size_ = wanted;
}

void RecordText::Forget() {
  bytes_.reset();
  size_ = 0;
}

void RecordText::AppendNumber(int64_t number) {
  const fmt::format_int text(number);
  Append({text.data(), text.size()});
}

void RecordText::AppendNumber(uint64_t number) {
  const fmt::format_int text(number);
  Append({text.data(), text.size()});
}

void RecordText::Insert(size_t at, char c) {
  char* const end = Begin(1);
  char* const from = bytes_.get() + at;
  std::memmove(from + 1, from, static_cast<size_t>(end - from));
  *from = c;
  End(end + 1);
}

}  // namespace ospatrol::alert
