// os_regex looks like a regular expression but is not one: `+` and `*` repeat only what is written
// with a backslash,
// `.` `[` `?` `{` are plain text, and a quantifier takes as little as possible unless it stands
// last, where it takes all. The reference translates it to PCRE2, so that PCRE2's matching of that
// translation is the definition. Both are made here in one walk from left to right: the text for
// PCRE2, and the same thing as a tree for everything else.
//
// Three rules of the translation are worth knowing before changing it:
//  * whether `+` is a quantifier is decided by the byte two positions before it alone, so in `\\a+`
//  (an escaped
//    backslash, then a+) it repeats the a, and in `(\\)+` the group;
//  * "last" means that only closing parentheses follow before a `|` or the end, so in `(\w+|\d+) x`
//  the first quantifier
//    is greedy and the second is not;
//  * classes fold case like everything else: in a UTF-8 subject `\w` also takes U+017F and U+212A.
//
// Cost: linear in the pattern, at load time only.
#include "pattern/os_regex.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "pattern/characters.h"

namespace ospatrol::pattern {
namespace {

constexpr std::string_view kClasses = "wWdDsSp.t";
constexpr std::string_view kEscapable = "$(){}[]\\|<";
constexpr std::string_view kPunctuation = "()*+,-.:;<=>?[]!\"'#$%&|{}";
constexpr std::string_view kTwinLetters = "sk";  // letters with a case above ASCII
constexpr std::string_view kPcre2Special = "\\^$.[]|()?*+{}";

struct Class {
  CharSet set;
  std::string_view pcre2;
};

Class ClassOf(char letter) {
  CharSet set;
  switch (base::ToLower(letter)) {
    case 'w':
      set.AddRange('0', '9');
      set.AddRange('A', 'Z');
      set.AddRange('a', 'z');
      set.Add("@_-");
      for (const char twin : kTwinLetters) {
        const CharSet cases = LiteralCharacter(static_cast<char32_t>(twin));
        set.exceptions.insert(set.exceptions.end(), cases.exceptions.begin(),
                              cases.exceptions.end());
      }
      break;
    case 'd':
      set.AddRange('0', '9');
      break;
    case 's':
      set.Add(" ");
      break;
    case 'p':
      set.Add(kPunctuation);
      break;
    case 't':
      set.Add("\t");
      break;
    default:
      break;  // \. is the inverse of nothing
  }
  if (base::IsUpper(letter) || letter == '.') set.InvertCharacters();
  switch (letter) {
    case 'w':
      return {set, "[A-Za-z0-9@_-]"};
    case 'W':
      return {set, "[^A-Za-z0-9@_-]"};
    case 'd':
      return {set, "[0-9]"};
    case 'D':
      return {set, "[^0-9]"};
    case 's':
      return {set, "[ ]"};
    case 'S':
      return {set, "[^ ]"};
    case 'p':
      return {set, "[()*+,\\-.:;<=>?\\[\\]!\"'#$%&|{}]"};
    case 't':
      return {set, "\\t"};
    default:
      return {set, "."};
  }
}

class Translator {
 public:
  Translator(std::string_view text, CompileError& error)
      : text_(text), error_(error), builder_(/*characters=*/true) {}

  std::optional<OsRegex> Translate() {
    if (text_.empty()) return Fail(0, "the pattern is empty");
    while (at_ < text_.size()) {
      if (!Token()) return std::nullopt;
    }
    if (!open_.empty())
      return Fail(open_.back(), "\"(\" without \")\"; write \\( for the character");
    OsRegex result{.bytes = std::move(bytes_), .utf = std::move(utf_), .syntax = std::nullopt};
    if (!is_utf8_) result.utf.clear();
    if (regular_) result.syntax = std::move(builder_).Finish();
    return result;
  }

 private:
  std::nullopt_t Fail(size_t offset, std::string reason) {
    error_ = {.reason = std::move(reason), .offset = offset};
    return std::nullopt;
  }

  void Emit(std::string_view pcre2) {
    bytes_ += pcre2;
    utf_ += pcre2;
  }

  bool Token() {
    const char c = text_[at_];
    if ((c == '+' || c == '*') && at_ >= 2 && text_[at_ - 2] == '\\') return Quantifier(c);
    switch (c) {
      case '\\':
        return Escape();
      case '(':
        open_.push_back(at_++);
        builder_.Open(/*captures=*/true);
        Emit("(");
        return true;
      case ')':
        return Close();
      case '|':
        ++at_;
        builder_.Alternative();
        Emit("|");
        return true;
      case '^':
        ++at_;
        builder_.AddAssertion(Assertion::kStart);
        Emit("^");
        return true;
      case '$':
        ++at_;
        builder_.AddAssertion(Assertion::kEnd);
        Emit("\\z");
        return true;
      default:
        Literal();
        return true;
    }
  }

  bool Close() {
    if (open_.empty()) {
      Fail(at_, "\")\" without \"(\"; write \\) for the character");
      return false;
    }
    open_.pop_back();
    ++at_;
    Emit(")");
    return builder_.Close();
  }

  bool Escape() {
    if (at_ + 1 == text_.size()) {
      Fail(at_, "a backslash at the end; write \\\\ for the character");
      return false;
    }
    const char c = text_[at_ + 1];
    if (kClasses.find(c) != std::string_view::npos) {
      const Class known = ClassOf(c);
      builder_.AddSet(known.set);
      Emit(known.pcre2);
    } else if (kEscapable.find(c) != std::string_view::npos) {
      builder_.AddCharacter(static_cast<char32_t>(c));
      EmitLiteral(static_cast<char32_t>(c));
    } else {
      Fail(at_, fmt::format("a backslash before \"{}\"; known are \\w \\W \\d \\D \\s \\S \\p \\. "
                            "\\t and, for the "
                            "character itself, \\$ \\( \\) \\{{ \\}} \\[ \\] \\\\ \\| \\<",
                            base::EscapeControls(
                                text_.substr(at_ + 1, DecodeCharacter(text_, at_ + 1).size))));
      return false;
    }
    at_ += 2;
    return true;
  }

  void Literal() {
    const Character character = DecodeCharacter(text_, at_);
    builder_.AddCharacter(character.code);
    if (character.code < 0x80) {
      EmitLiteral(character.code);
    } else {
      EmitWide(LiteralCharacter(character.code), text_.substr(at_, character.size));
      is_utf8_ &= character.code < kStrayByte;
    }
    at_ += character.size;
  }

  // In an ASCII subject a character above ASCII matches its ASCII twin, if it has one, or nothing.
  void EmitWide(const CharSet& set, std::string_view character) {
    utf_ += character;
    const auto twin = std::find_if(kTwinLetters.begin(), kTwinLetters.end(), [&](char letter) {
      return set.HasByte(static_cast<uint8_t>(letter));
    });
    if (twin != kTwinLetters.end()) {
      bytes_ += *twin;
      return;
    }
    bytes_ += "(?:";
    for (const char byte : character)
      bytes_ += fmt::format("\\x{:02x}", static_cast<uint8_t>(byte));
    bytes_ += ")";
  }

  void EmitLiteral(char32_t ascii) {
    const char c = static_cast<char>(ascii);
    if (c == '\0') {
      Emit("\\x00");
      return;
    }
    if (kPcre2Special.find(c) != std::string_view::npos) Emit("\\");
    Emit({&c, 1});
  }

  bool Quantifier(char c) {
    const bool behind_backslash = text_[at_ - 1] == '\\';
    ++at_;
    const size_t rest = text_.find_first_not_of(')', at_);
    const bool last = rest == std::string_view::npos || text_[rest] == '|';
    const bool greedy = last && !behind_backslash;
    Emit({&c, 1});
    if (!greedy) Emit("?");
    regular_ &= builder_.Repeat(c == '+' ? 1 : 0, Node::kUnlimited, greedy);
    return true;
  }

  const std::string_view text_;
  CompileError& error_;
  size_t at_ = 0;
  std::vector<size_t> open_;
  SyntaxBuilder builder_;
  std::string bytes_;
  std::string utf_;
  bool is_utf8_ = true;
  bool regular_ = true;
};

}  // namespace

std::optional<OsRegex> TranslateOsRegex(std::string_view text, CompileError& error) {
  return Translator(text, error).Translate();
}

}  // namespace ospatrol::pattern
