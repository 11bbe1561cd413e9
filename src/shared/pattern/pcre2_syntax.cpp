// Reads the regular part of PCRE2's syntax. PCRE2 has compiled the pattern before and stays the
// authority: whatever is not read here with certainty makes the whole pattern "not regular", which
// costs speed on hostile lines, never the right answer.
#include <string>
#include <utility>

#include "base/text.h"
#include "pattern/syntax.h"

namespace ospatrol::pattern {
namespace {

constexpr uint32_t kMaxRepeat = 1000;
constexpr size_t kMaxNesting = 250;  // PCRE2's own

CharSet Digits() {
  CharSet set;
  set.AddRange('0', '9');
  return set;
}

CharSet WordCharacters() {
  CharSet set = Digits();
  set.AddRange('A', 'Z');
  set.AddRange('a', 'z');
  set.Add("_");
  return set;
}

CharSet Spaces() {
  CharSet set;
  set.Add(" \t\n\v\f\r");
  return set;
}

// \d \D \w \W \s \S \h \H of byte mode.
std::optional<CharSet> EscapedClass(char letter) {
  CharSet set;
  switch (base::ToLower(letter)) {
    case 'd':
      set = Digits();
      break;
    case 'w':
      set = WordCharacters();
      break;
    case 's':
      set = Spaces();
      break;
    case 'h':
      set.Add(" \t\xA0");
      break;
    default:
      return std::nullopt;
  }
  if (base::IsUpper(letter)) set.InvertBytes();
  return set;
}

// The inside of [: :], in the C locale.
std::optional<CharSet> NamedClass(std::string_view name) {
  CharSet set;
  if (name == "digit") return Digits();
  if (name == "space") return Spaces();
  if (name == "word") return WordCharacters();
  if (name == "blank") {
    set.Add(" \t");
  } else if (name == "alpha" || name == "alnum") {
    set.AddRange('A', 'Z');
    set.AddRange('a', 'z');
    if (name == "alnum") set.AddRange('0', '9');
  } else if (name == "upper") {
    set.AddRange('A', 'Z');
  } else if (name == "lower") {
    set.AddRange('a', 'z');
  } else if (name == "xdigit") {
    set = Digits();
    set.AddRange('A', 'F');
    set.AddRange('a', 'f');
  } else if (name == "punct") {
    set.AddRange('!', '/');
    set.AddRange(':', '@');
    set.AddRange('[', '`');
    set.AddRange('{', '~');
  } else {
    return std::nullopt;
  }
  return set;
}

int HexValue(char c) {
  if (base::IsDigit(c)) return c - '0';
  const char lower = base::ToLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

class Parser {
 public:
  Parser(std::string_view text, bool outline)
      : text_(text), may_outline_(outline), builder_(/*characters=*/false) {}

  std::optional<Syntax> Parse() {
    while (at_ < text_.size()) {
      const bool behind_nothing = std::exchange(left_out_, false);
      if (behind_nothing && IsQuantifier()) return std::nullopt;
      if (!Piece()) return std::nullopt;
    }
    if (builder_.depth() != 0) return std::nullopt;
    Syntax syntax = std::move(builder_).Finish();
    syntax.exact = exact_;
    syntax.doubtful = doubtful_;
    return syntax;
  }

 private:
  struct Flags {
    bool caseless = true;
    bool dot_all = false;
  };

  struct Saved {
    Flags flags;
    bool leave_out = false;  // the group ...
    bool ahead = false;      // ... which is what must follow
  };

  char Next() { return at_ < text_.size() ? text_[at_++] : '\0'; }
  bool Is(size_t offset, char c) const {
    return at_ + offset < text_.size() && text_[at_ + offset] == c;
  }

  bool Skip(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  bool IsQuantifier() const { return Is(0, '*') || Is(0, '+') || Is(0, '?') || Is(0, '{'); }

  // One atom, group mark or quantifier. False: not regular, or not known.
  bool Piece() {
    const char c = Next();
    switch (c) {
      case '|':
        builder_.Alternative();
        return true;
      case '^':
        builder_.AddAssertion(Assertion::kStart);
        return true;
      case '$':
        builder_.AddAssertion(Assertion::kEndOrFinalNewline);
        return true;
      case '(':
        return Open();
      case ')':
        if (saved_.empty()) return false;
        return Close();
      case '[':
        return Class();
      case '\\':
        return Escape();
      case '.':
        AddDot();
        return true;
      case '*':
        return Quantifier(0, Node::kUnlimited);
      case '+':
        return Quantifier(1, Node::kUnlimited);
      case '?':
        return Quantifier(0, 1);
      case '{':
        return Brace();
      default:
        AddLiteral(static_cast<uint8_t>(c));
        return true;
    }
  }

  // From here on the tree is an outline. False when none is wanted.
  bool Outline() {
    exact_ = false;
    return may_outline_;
  }

  void AddLiteral(uint8_t byte) {
    if (flags_.caseless) return builder_.AddByte(byte);
    CharSet set;
    set.Add(byte);
    builder_.AddSet(set);
  }

  void AddDot() {
    CharSet set;
    set.InvertBytes();
    if (!flags_.dot_all) set.Remove('\n');
    builder_.AddSet(set);
  }

  bool Quantifier(uint32_t min, uint32_t max) {
    const bool lazy = Skip("?");
    if (!lazy && Skip("+") && !Outline()) return false;
    if (max == 0 || max < min || min > kMaxRepeat ||
        (max > kMaxRepeat && max != Node::kUnlimited)) {
      return false;
    }
    if (builder_.Repeat(min, max, !lazy)) return true;
    doubtful_ = true;
    return Outline() && builder_.Blur();
  }

  bool Close() {
    flags_ = saved_.back().flags;
    const Saved group = saved_.back();
    saved_.pop_back();
    if (!group.leave_out) return builder_.Close();
    builder_.CloseAndLeaveOut(group.ahead && saved_.empty());
    left_out_ = true;
    return true;
  }

  // "{" is a quantifier in {n} {n,} {n,m}; forms that some versions of PCRE2 read and others don't
  // are left alone.
  bool Brace() {
    const size_t close = text_.find('}', at_);
    const std::string_view inside =
        close == std::string_view::npos ? "" : text_.substr(at_, close - at_);
    if (inside.empty() || inside.find_first_not_of("0123456789, \t") != std::string_view::npos) {
      AddLiteral('{');
      return true;
    }
    const size_t comma = inside.find(',');
    const auto min = base::ParseNumber<uint32_t>(inside.substr(0, comma));
    if (!min) return false;
    at_ = close + 1;
    if (comma == std::string_view::npos) return Quantifier(*min, *min);
    if (comma + 1 == inside.size()) return Quantifier(*min, Node::kUnlimited);
    const auto max = base::ParseNumber<uint32_t>(inside.substr(comma + 1));
    return max && Quantifier(*min, *max);
  }

  bool Open() {
    if (Is(0, '*') || saved_.size() == kMaxNesting) return false;  // verbs
    Saved outside{.flags = flags_};
    bool captures = true;
    if (Skip("?")) {
      if (Skip(":")) {
        captures = false;
      } else if (const bool ahead = Is(0, '='); SkipLookAround()) {
        if (!Outline()) return false;
        captures = false;
        outside.leave_out = true;
        outside.ahead = ahead;
      } else if (Skip(">")) {
        if (!Outline()) return false;
        captures = false;
      } else if (IsNamed()) {
        const size_t end = text_.find_first_of(">'", at_);
        if (end == std::string_view::npos) return false;
        at_ = end + 1;
        doubtful_ = true;
      } else {
        if (!ReadFlags()) return false;
        if (Skip(")")) {  // until the end of the open group
          left_out_ = true;
          return true;
        }
        if (!Skip(":")) return false;
        captures = false;
      }
    }
    saved_.push_back(outside);
    builder_.Open(captures);
    return true;
  }

  bool SkipLookAround() {
    if (Skip("=") || Skip("!")) return true;
    const bool behind = Skip("<=") || Skip("<!");
    doubtful_ |= behind;
    return behind;
  }

  // Behind "(?": a name? Look-behind begins with "<" too.
  bool IsNamed() {
    if (Is(0, '<') && (Is(1, '=') || Is(1, '!'))) return false;
    return Skip("P<") || Skip("<") || Skip("'");
  }

  // Letters of "(?is-is)"; others than i and s are not known here.
  bool ReadFlags() {
    bool on = true;
    for (; at_ < text_.size() && !Is(0, ')') && !Is(0, ':'); ++at_) {
      if (Is(0, 'i')) {
        flags_.caseless = on;
      } else if (Is(0, 's')) {
        flags_.dot_all = on;
      } else if (Is(0, '-') && on) {
        on = false;
      } else {
        return false;
      }
    }
    return true;
  }

  bool Escape() {
    if (at_ >= text_.size()) return false;
    const char c = text_[at_];
    switch (c) {
      case 'A':
        return Assert(Assertion::kStart);
      case 'z':
        return Assert(Assertion::kEnd);
      case 'Z':
        return Assert(Assertion::kEndOrFinalNewline);
      case 'b':
        return Assert(Assertion::kWordBoundary);
      case 'B':
        return Assert(Assertion::kNoWordBoundary);
      default:
        break;
    }
    if (const auto set = EscapedClass(c)) {
      ++at_;
      builder_.AddSet(*set);
      return true;
    }
    const auto byte = EscapedByte();
    if (byte) AddLiteral(*byte);
    return byte.has_value();
  }

  bool Assert(Assertion assertion) {
    ++at_;
    builder_.AddAssertion(assertion);
    return true;
  }

  // Behind a backslash: one that stands for a single byte, in and outside of classes.
  std::optional<uint8_t> EscapedByte() {
    const char c = Next();
    switch (c) {
      case 't':
        return uint8_t{'\t'};
      case 'n':
        return uint8_t{'\n'};
      case 'r':
        return uint8_t{'\r'};
      case 'f':
        return uint8_t{'\f'};
      case 'a':
        return uint8_t{'\a'};
      case 'e':
        return uint8_t{0x1B};
      case 'x':
        return HexByte();
      default:
        if (base::IsAlnum(c) || static_cast<uint8_t>(c) >= 0x80 || c == '\0') return std::nullopt;
        return static_cast<uint8_t>(c);
    }
  }

  std::optional<uint8_t> HexByte() {
    if (at_ + 2 > text_.size()) return std::nullopt;
    const int high = HexValue(text_[at_]);
    const int low = HexValue(text_[at_ + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    at_ += 2;
    return static_cast<uint8_t>(high * 16 + low);
  }

  // Behind "[".
  bool Class() {
    CharSet set;
    doubtful_ |= Is(0, ':') || Is(0, '.') || Is(0, '=');
    const bool inverted = Skip("^");
    for (bool first = true;; first = false) {
      if (at_ >= text_.size()) return false;
      if (!first && Skip("]")) break;
      if (!ClassItem(set)) return false;
    }
    if (flags_.caseless) set.AddAsciiCase();
    if (inverted) set.InvertBytes();
    builder_.AddSet(set);
    return true;
  }

  bool ClassItem(CharSet& set) {
    if (Is(0, '[') && (Is(1, ':') || Is(1, '.') || Is(1, '='))) return NamedClassItem(set);
    if (Is(0, '\\') && at_ + 1 < text_.size()) {
      if (const auto known = EscapedClass(text_[at_ + 1])) {
        at_ += 2;
        set.Add(*known);
        return !Is(0, '-') || Is(1, ']');
      }
    }
    const auto first = ClassByte();
    if (!first) return false;
    if (!Is(0, '-') || Is(1, ']')) {
      set.Add(*first);
      return true;
    }
    ++at_;
    if (Is(0, '[') || (Is(0, '\\') && at_ + 1 < text_.size() && EscapedClass(text_[at_ + 1])))
      return false;
    const auto last = ClassByte();
    if (!last || *last < *first) return false;
    set.AddRange(*first, *last);
    return true;
  }

  std::optional<uint8_t> ClassByte() {
    if (at_ >= text_.size()) return std::nullopt;
    const char c = Next();
    if (c != '\\') return static_cast<uint8_t>(c);
    if (Skip("b")) return uint8_t{'\b'};
    return EscapedByte();
  }

  bool NamedClassItem(CharSet& set) {
    const size_t end = text_.find(":]", at_ + 2);
    if (!Is(1, ':') || end == std::string_view::npos) return false;
    std::string_view name = text_.substr(at_ + 2, end - at_ - 2);
    const bool inverted = name.starts_with('^');
    if (inverted) name.remove_prefix(1);
    auto known = NamedClass(name);
    if (!known) return false;
    if (flags_.caseless) known->AddAsciiCase();
    if (inverted) known->InvertBytes();
    set.Add(*known);
    at_ = end + 2;
    return !Is(0, '-') || Is(1, ']');
  }

  const std::string_view text_;
  const bool may_outline_;
  size_t at_ = 0;
  SyntaxBuilder builder_;
  Flags flags_;
  std::vector<Saved> saved_;  // of the open groups
  bool left_out_ = false;     // what stands before is nothing that can be repeated
  bool exact_ = true;
  bool doubtful_ = false;
};

}  // namespace

std::optional<Syntax> ParsePcre2(std::string_view text) { return Parser(text, false).Parse(); }

std::optional<Syntax> OutlineOfPcre2(std::string_view text) { return Parser(text, true).Parse(); }

}  // namespace ospatrol::pattern
