#include "pattern/literal.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/text.h"

namespace ospatrol::pattern {
namespace {

// Most frequent bytes of log lines first. Bytes not named are rarer than all of these.
constexpr std::string_view kCommonBytes = " eotainsr01dlc2m.pu3f45g6:-h798/=_\"bv,wk";

constexpr auto kFrequencies = [] {
  std::array<uint8_t, 256> frequencies{};
  for (size_t i = 0; i < kCommonBytes.size(); ++i) {
    frequencies[static_cast<uint8_t>(kCommonBytes[i])] =
        static_cast<uint8_t>(kCommonBytes.size() - i);
  }
  return frequencies;
}();

bool Folds(char byte, char lower, char case_bit) {
  return static_cast<char>(byte | case_bit) == lower;
}

}  // namespace

size_t ByteFrequency(char lower) { return kFrequencies[static_cast<uint8_t>(lower)]; }

double ByteShare(char lower) {
  constexpr double kShares[] = {0x1p-8, 0x1p-7, 0x1p-6, 0x1p-5, 0x1p-4, 0x1p-3};
  return kShares[(ByteFrequency(lower) + 9) / 10];
}

Literal::Literal(std::string_view text)
    : lower_(base::ToLower(text)), case_bits_(lower_.size(), '\0') {
  for (size_t i = 0; i < lower_.size(); ++i) {
    if (base::IsLower(lower_[i])) case_bits_[i] = 0x20;
  }
  const auto rarest = [this](size_t except) {
    size_t best = except == 0 && size() > 1 ? 1 : 0;
    for (size_t i = 0; i < size(); ++i) {
      if (i != except && ByteFrequency(lower_[i]) < ByteFrequency(lower_[best])) best = i;
    }
    return best;
  };
  probe_[0] = rarest(npos);
  probe_[1] = size() > 1 ? rarest(probe_[0]) : probe_[0];
}

template <typename Word>
bool Literal::WordEqualsAt(const char* at, size_t offset) const {
  Word bytes, lower, bits;
  std::memcpy(&bytes, at + offset, sizeof(Word));
  std::memcpy(&lower, lower_.data() + offset, sizeof(Word));
  std::memcpy(&bits, case_bits_.data() + offset, sizeof(Word));
  return (bytes | bits) == lower;
}

// The last word overlaps the one before it.
bool Literal::EqualsAt(const char* at) const {
  const size_t n = size();
  if (n >= 8) {
    for (size_t i = 0; i + 8 < n; i += 8) {
      if (!WordEqualsAt<uint64_t>(at, i)) return false;
    }
    return WordEqualsAt<uint64_t>(at, n - 8);
  }
  if (n >= 4) return WordEqualsAt<uint32_t>(at, 0) && WordEqualsAt<uint32_t>(at, n - 4);
  if (n >= 2) return WordEqualsAt<uint16_t>(at, 0) && WordEqualsAt<uint16_t>(at, n - 2);
  return n == 0 || Folds(*at, lower_[0], case_bits_[0]);
}

size_t Literal::FindFrom(const char* subject, size_t first, size_t last) const {
  const char lower = lower_[probe_[0]];
  const char bit = case_bits_[probe_[0]];
  for (size_t at = first; at <= last; ++at) {
    if (Folds(subject[at + probe_[0]], lower, bit) && EqualsAt(subject + at)) return at;
  }
  return npos;
}

size_t Literal::Find(std::string_view subject) const {
  if (subject.size() < size()) return npos;
  if (size() == 0) return 0;
  const size_t last = subject.size() - size();
#if defined(__SSE2__)
  constexpr size_t kBlock = 16;
  if (last + 1 >= kBlock) {
    const __m128i lower0 = _mm_set1_epi8(lower_[probe_[0]]);
    const __m128i lower1 = _mm_set1_epi8(lower_[probe_[1]]);
    const __m128i bit0 = _mm_set1_epi8(case_bits_[probe_[0]]);
    const __m128i bit1 = _mm_set1_epi8(case_bits_[probe_[1]]);
    const auto load = [&](size_t at) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(subject.data() + at));
    };
    // The last block overlaps the one before it, so that no byte behind the subject is read.
    for (size_t block = 0;; block = std::min(block + kBlock, last + 1 - kBlock)) {
      const __m128i hit0 = _mm_cmpeq_epi8(_mm_or_si128(load(block + probe_[0]), bit0), lower0);
      const __m128i hit1 = _mm_cmpeq_epi8(_mm_or_si128(load(block + probe_[1]), bit1), lower1);
      auto hits = static_cast<unsigned>(_mm_movemask_epi8(_mm_and_si128(hit0, hit1)));
      for (; hits != 0; hits &= hits - 1) {
        const size_t at = block + static_cast<size_t>(std::countr_zero(hits));
        if (EqualsAt(subject.data() + at)) return at;
      }
      if (block + kBlock > last) return npos;
    }
  }
#endif
  return FindFrom(subject.data(), 0, last);
}

}  // namespace ospatrol::pattern
