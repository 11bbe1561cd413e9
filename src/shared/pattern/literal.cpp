#include "pattern/literal.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/text.h"
#include "pattern/characters.h"

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

constexpr uint32_t kMaxTimes = 64;  // that a repeated character is written out

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

bool Literal::EqualsAt(const char* at) const {
  const char* lower = lower_.data();
  const char* bits = case_bits_.data();
  for (size_t i = 0; i < lower_.size(); ++i) {
    if (!Folds(at[i], lower[i], bits[i])) return false;
  }
  return true;
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

LiteralSet LiteralSet::Anchored(std::string_view text, bool start, bool end) {
  LiteralSet set;
  set.alternatives_.push_back({Literal(text), start, end ? End::kVeryEnd : End::kFree});
  return set;
}

LiteralSet LiteralSet::Words(std::string_view text) {
  LiteralSet set;
  if (text.empty()) return set;
  for (std::string_view word : base::Split(text, '|')) {
    const bool start = word.starts_with('^');
    if (start) word.remove_prefix(1);
    set.alternatives_.push_back({Literal(word), start, End::kFree});
  }
  return set;
}

std::optional<LiteralSet> LiteralSet::From(const Syntax& syntax) {
  if (syntax.groups != 0) return std::nullopt;
  LiteralSet set;
  set.characters_ = syntax.characters;
  const bool several = syntax.root.kind == Node::Kind::kAlternatives;
  const std::span<const Node> nodes =
      several ? std::span(syntax.root.children) : std::span(&syntax.root, 1);
  for (const Node& node : nodes) {
    bool possible = true;
    auto alternative = AlternativeFrom(syntax, node, possible);
    if (!alternative) return std::nullopt;
    if (!possible) continue;
    if (!IsAscii(alternative->text.lower()) && syntax.characters) {
      set.ascii_only_ = true;
      continue;
    }
    set.twin_letters_ |= alternative->text.lower().find_first_of("sk") != std::string::npos;
    set.alternatives_.push_back(std::move(*alternative));
  }
  return set;
}

// `possible` becomes false when the alternative can't match anything ("a^b").
std::optional<LiteralSet::Alternative> LiteralSet::AlternativeFrom(const Syntax& syntax,
                                                                   const Node& node,
                                                                   bool& possible) {
  if (node.kind != Node::Kind::kSequence) return std::nullopt;
  std::string text;
  bool start = false;
  End end = End::kFree;
  for (const Node& piece : node.children) {
    const bool repeats = piece.kind == Node::Kind::kRepeat && piece.min == piece.max &&
                         piece.min > 0 && piece.min <= kMaxTimes;
    const Node& single = repeats ? piece.children.front() : piece;
    if (single.kind == Node::Kind::kSet) {
      const CharSet& set = syntax.sets[single.set];
      auto literal = FoldedLiteral(syntax, set);
      if (!literal && syntax.characters && !set.wide && !set.exceptions.empty() &&
          !set.HasAnyAbove(0)) {
        literal = '\x80';  // some character above ASCII
      }
      if (!literal) return std::nullopt;
      if (end == End::kEndOrFinalNewline && *literal == '\n') return std::nullopt;
      if (end != End::kFree) possible = false;
      text.append(repeats ? piece.min : 1, *literal);
    } else if (piece.kind == Node::Kind::kAssertion && piece.assertion == Assertion::kStart) {
      start = true;
      if (!text.empty()) possible = false;
    } else if (piece.kind == Node::Kind::kAssertion && piece.assertion == Assertion::kEnd) {
      end = End::kVeryEnd;
    } else if (piece.kind == Node::Kind::kAssertion &&
               piece.assertion == Assertion::kEndOrFinalNewline) {
      if (end == End::kFree) end = End::kEndOrFinalNewline;
    } else {
      return std::nullopt;
    }
  }
  return Alternative{Literal(text), start, end};
}

bool LiteralSet::Covers(std::string_view subject) const {
  if (!characters_ || (!ascii_only_ && !twin_letters_) || IsAscii(subject)) return true;
  return !ascii_only_ && !HasLetterTwins(subject);
}

// Where the alternative begins to match, or npos.
size_t LiteralSet::Begin(const Alternative& alternative, std::string_view subject) {
  const Literal& text = alternative.text;
  if (alternative.end == End::kFree) {
    if (!alternative.start) return text.Find(subject);
    return text.StartsAt(subject) ? 0 : Literal::npos;
  }
  const auto ends_at = [&](size_t end) {
    return end >= text.size() && (!alternative.start || end == text.size()) &&
           text.EqualsAt(subject.data() + end - text.size());
  };
  if (alternative.end == End::kEndOrFinalNewline && subject.ends_with('\n') &&
      ends_at(subject.size() - 1)) {
    return subject.size() - 1 - text.size();
  }
  return ends_at(subject.size()) ? subject.size() - text.size() : Literal::npos;
}

bool LiteralSet::Matches(std::string_view subject) const {
  return std::any_of(
      alternatives_.begin(), alternatives_.end(),
      [&](const Alternative& alternative) { return Begin(alternative, subject) != Literal::npos; });
}

std::optional<LiteralSet::Hit> LiteralSet::Find(std::string_view subject) const {
  std::optional<Hit> best;
  for (const Alternative& alternative : alternatives_) {
    const size_t begin = Begin(alternative, subject);
    if (begin == Literal::npos || (best && best->begin <= begin)) continue;
    best = Hit{begin, begin + alternative.text.size()};
  }
  return best;
}

std::vector<std::string> LiteralSet::Texts() const {
  std::vector<std::string> texts;
  for (const Alternative& alternative : alternatives_) {
    const std::string& text = alternative.text.lower();
    if (text.empty() || !IsAscii(text)) return {};
    texts.push_back(text);
  }
  return ascii_only_ ? std::vector<std::string>() : texts;
}

}  // namespace ospatrol::pattern
