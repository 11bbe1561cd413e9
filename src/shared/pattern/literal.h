// Caseless search for literal text, the cheapest and most frequent kind of pattern.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ospatrol::pattern {

// How often a byte (letters: the lower case of it) stands in log lines: 0 = rare, else higher for
// more frequent ones.
size_t ByteFrequency(char lower);
// The share of the places of a log at which it stands, roughly: a power of two.
double ByteShare(char lower);

// One text, compared byte by byte; ASCII letters match in both cases, other bytes only themselves.
//
// Search looks at two bytes of the text at once, those that are rarest in logs, for 16 positions of
// the subject per step (SSE2), and compares the whole text only where both fit: about one step per
// 16 bytes of subject, whatever the text. Worst case, for a subject made for it: size of subject
// times size of text.
class Literal {
 public:
  static constexpr size_t npos = std::string_view::npos;

  explicit Literal(std::string_view text);

  size_t size() const { return lower_.size(); }
  const std::string& lower() const { return lower_; }
  // 0x20 where lower() has a letter, else 0: (byte | bit) == lower is the caseless comparison.
  const std::string& case_bits() const { return case_bits_; }

  // REQUIRES: size() bytes are readable at `at`.
  bool EqualsAt(const char* at) const;
  bool StartsAt(std::string_view subject) const {
    return subject.size() >= size() && EqualsAt(subject.data());
  }

  // First position, or npos. The empty text is found at 0.
  size_t Find(std::string_view subject) const;

 private:
  template <typename Word>
  bool WordEqualsAt(const char* at, size_t offset) const;
  size_t FindFrom(const char* subject, size_t first, size_t last) const;

  std::string lower_, case_bits_;
  size_t probe_[2] = {0, 0};
};

}  // namespace ospatrol::pattern
