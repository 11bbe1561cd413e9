#include "pattern/text_gate.h"

#include <algorithm>
#include <bit>

#include "base/text.h"

namespace ospatrol::pattern {
namespace {

// Where the rarest of the neighbouring bytes begin.
size_t RarestBytes(const std::string& text, size_t count) {
  size_t best = 0;
  double least = 2;
  for (size_t at = 0; at + count <= text.size(); ++at) {
    double share = 1;
    for (size_t i = 0; i < count; ++i) share *= ByteShare(text[at + i]);
    if (share >= least) continue;
    least = share;
    best = at;
  }
  return best;
}

}  // namespace

TextGate::TextGate(const std::vector<std::string>& texts) {
  for (size_t number = 0; number < texts.size(); ++number) {
    const std::string& text = texts[number];
    const size_t known = std::min(text.size(), kBytes);
    const size_t offset = RarestBytes(text, known);
    // Texts that are sorted, as those of one pattern are, share bytes with their neighbours.
    const size_t group = number * kGroups / texts.size();
    const auto bit = static_cast<uint8_t>(1U << group);
    for (size_t i = 0; i < kBytes; ++i) {
      auto& table = tables_[i];
      if (i >= known) {
        for (uint8_t& groups : table) groups |= bit;
        continue;
      }
      const auto lower = static_cast<uint8_t>(text[offset + i]);
      table[lower] |= bit;
      if (base::IsLower(text[offset + i])) table[lower ^ 0x20] |= bit;
    }
    groups_[group].push_back({Literal(text), static_cast<uint32_t>(offset)});
  }
}

bool TextGate::Opens(std::string_view subject) const {
  const auto* at = reinterpret_cast<const uint8_t*>(subject.data());
  const size_t size = subject.size();
  size_t i = 0;
  for (; i + 2 < size; ++i) {
    const uint8_t groups = tables_[0][at[i]] & tables_[1][at[i + 1]] & tables_[2][at[i + 2]];
    if (groups != 0 && OccursAt(i, groups, subject)) return true;
  }
  // Only shorter texts fit in.
  for (; i < size; ++i) {
    const uint8_t groups =
        tables_[0][at[i]] & (i + 1 < size ? tables_[1][at[i + 1]] : uint8_t{0xff});
    if (groups != 0 && OccursAt(i, groups, subject)) return true;
  }
  return false;
}

bool TextGate::OccursAt(size_t place, uint8_t groups, std::string_view subject) const {
  for (unsigned left = groups; left != 0; left &= left - 1) {
    for (const Entry& entry : groups_[static_cast<size_t>(std::countr_zero(left))]) {
      if (place < entry.offset) continue;
      const size_t begin = place - entry.offset;
      if (entry.text.size() <= subject.size() - begin &&
          entry.text.EqualsAt(subject.data() + begin)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace ospatrol::pattern
