// The text of a record while it is put together: a few bytes at a time, so every one of these calls
// is short, and what can be inlined is. One append to the file's buffer follows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace ospatrol::alert {

class RecordText {
 public:
  void Clear() {
    used_ = 0;
    if (size_ > kMemoryKept) Forget();
  }
  std::string_view view() const { return {bytes_.get(), used_}; }
  size_t size() const { return used_; }

  // Where the next byte goes, with room for `most` bytes; End() says how many were put there.
  char* Begin(size_t most) {
    if (size_ - used_ < most) Grow(most);
    return bytes_.get() + used_;
  }
  void End(const char* end) { used_ = static_cast<size_t>(end - bytes_.get()); }

  void Append(std::string_view text) { End(Copy(text, Begin(text.size() + kWord))); }
  void Append(char c) {
    char* const to = Begin(1);
    *to = c;
    End(to + 1);
  }
  void AppendNumber(int64_t number);
  void AppendNumber(uint64_t number);
  // Puts `c` in front of byte `at`.
  void Insert(size_t at, char c);

  // Copies `text` to where there is room for it and kWord bytes more; gives the end.
  static constexpr size_t kWord = sizeof(uint64_t);
  static char* Copy(std::string_view text, char* to) {
    std::memcpy(to, text.data(), text.size());
    return to + text.size();
  }

 private:
  static constexpr size_t kMemoryKept = size_t{1} << 20;
  void Grow(size_t most);
  void Forget();

  std::unique_ptr<char[]> bytes_;
  size_t used_ = 0, size_ = 0;
};

}  // namespace ospatrol::alert
