// Numbers and texts as bytes, for state that is saved at a stop: little-endian, texts with their
// length in front.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ospatrol::analysisd {

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void Number(uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) out_ += static_cast<char>(value >> shift & 0xff);
  }
  void Signed(int64_t value) { Number(static_cast<uint64_t>(value)); }
  void Text(std::string_view text) {
    Number(text.size());
    out_.append(text);
  }

 private:
  std::string& out_;
};

// Reads never leave the bytes; after the first one that would, ok() is false and everything reads
// as 0 or empty.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return bytes_.empty(); }

  uint64_t Number() {
    if (!Need(8)) return 0;
    uint64_t value = 0;
    for (size_t i = 8; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes_[i]);
    bytes_.remove_prefix(8);
    return value;
  }
  int64_t Signed() { return static_cast<int64_t>(Number()); }
  // A number that must lie in [0, limit]; one beyond it spoils the whole.
  uint64_t Limited(uint64_t limit) {
    const uint64_t value = Number();
    if (value > limit) ok_ = false;
    return ok_ ? value : 0;
  }
  // A count of things that take at least `bytes_each`: never more than can still follow.
  size_t Count(size_t bytes_each) { return Limited(bytes_.size() / bytes_each); }
  std::string_view Text() {
    const size_t size = Limited(bytes_.size());
    if (!Need(size)) return {};
    const std::string_view text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return text;
  }

 private:
  bool Need(size_t size) {
    if (size > bytes_.size()) ok_ = false;
    return ok_;
  }

  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace ospatrol::analysisd
