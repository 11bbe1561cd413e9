#include "analysisd/prefix_guard.h"

#include <optional>
#include <string>

#include "base/text.h"

namespace ospatrol::analysisd {
namespace {

using pattern::Language;

bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// Reads the literal beginnings of a pattern. Any doubt ends the literal or gives up (nullopt = open
// guard).
class Beginnings {
 public:
  Beginnings(Language language, std::string_view text) : language_(language), text_(text) {}

  std::optional<std::vector<std::string>> Read() {
    if (language_ == Language::kWord || text_.empty()) return std::nullopt;
    if (language_ == Language::kPcre2 && HasOptions()) return std::nullopt;
    std::vector<std::string> found;
    size_t begin = 0;
    while (true) {
      const auto end = AlternativeEnd(begin, text_.size());
      if (!end || begin == *end || text_[begin] != '^') return std::nullopt;
      if (!Sequence(begin + 1, *end, {}, true, found)) return std::nullopt;
      if (*end == text_.size()) break;
      begin = *end + 1;
    }
    return found;
  }

 private:
  static constexpr size_t kMaxAlternatives = 64;

  // Inline options, verbs, comments and quoting change what the bytes of a PCRE2 pattern mean.
  bool HasOptions() const {
    if (text_.starts_with("(*") || text_.find("\\Q") != std::string_view::npos) return true;
    for (size_t i = text_.find("(?"); i != std::string_view::npos; i = text_.find("(?", i + 1)) {
      const char kind = i + 2 < text_.size() ? text_[i + 2] : '\0';
      if (std::string_view(":=!<P>'").find(kind) == std::string_view::npos) return true;
    }
    return false;
  }

  // Behind a token that begins at `i`; nullopt when the pattern is not well formed.
  std::optional<size_t> AfterToken(size_t i) const {
    if (language_ == Language::kOsMatch) return i + 1;
    if (text_[i] == '\\') return i + 2;
    if (language_ == Language::kPcre2 && text_[i] == '[') return AfterClass(i);
    return i + 1;
  }

  std::optional<size_t> AfterClass(size_t i) const {
    ++i;
    if (i < text_.size() && text_[i] == '^') ++i;
    if (i < text_.size() && text_[i] == ']') ++i;
    while (i < text_.size() && text_[i] != ']') {
      if (text_[i] == '\\') {
        i += 2;
      } else if (text_.substr(i).starts_with("[:")) {
        const size_t end = text_.find(":]", i + 2);
        i = end == std::string_view::npos ? i + 1 : end + 2;
      } else {
        ++i;
      }
    }
    if (i >= text_.size()) return std::nullopt;
    return i + 1;
  }

  // The '|' or `end` that ends the alternative at `i`.
  std::optional<size_t> AlternativeEnd(size_t i, size_t end) const {
    int depth = 0;
    while (i < end) {
      if (text_[i] == '|' && depth == 0) return i;
      if (language_ != Language::kOsMatch) depth += (text_[i] == '(') - (text_[i] == ')');
      if (depth < 0) return std::nullopt;
      const auto next = AfterToken(i);
      if (!next) return std::nullopt;
      i = *next;
    }
    if (i != end || depth != 0) return std::nullopt;
    return end;
  }

  // The ')' of the group whose content begins at `i`.
  std::optional<size_t> GroupEnd(size_t i) const {
    int depth = 1;
    while (i < text_.size()) {
      depth += (text_[i] == '(') - (text_[i] == ')');
      if (depth == 0) return i;
      const auto next = AfterToken(i);
      if (!next) return std::nullopt;
      i = *next;
    }
    return std::nullopt;
  }

  // The literal byte of the token at `i`, whose length goes to `length`.
  std::optional<char> Literal(size_t i, size_t end, size_t& length) const {
    const char c = text_[i];
    length = 1;
    if (!IsAscii(c)) return std::nullopt;
    if (language_ == Language::kOsMatch) {
      return c == '^' || c == '$' ? std::nullopt : std::optional(c);
    }
    if (c == '\\') {
      length = 2;
      if (i + 1 >= end || base::IsAlnum(text_[i + 1]) || !IsAscii(text_[i + 1])) {
        return std::nullopt;
      }
      return text_[i + 1];
    }
    const std::string_view special = language_ == Language::kOsRegex ? "^$()|+*" : "^$.[|()?*+{";
    return special.find(c) == std::string_view::npos ? std::optional(c) : std::nullopt;
  }

  bool IsQuantifier(size_t i, size_t end) const {
    if (language_ == Language::kOsMatch || i >= end) return false;
    return text_[i] == '+' || text_[i] == '*' ||
           (language_ == Language::kPcre2 && (text_[i] == '?' || text_[i] == '{'));
  }

  // Adds the beginnings of text_[i, end) behind `prefix`. A group is looked into once. False =
  // nothing literal.
  bool Sequence(size_t i, size_t end, std::string prefix, bool groups,
                std::vector<std::string>& found) const {
    while (i < end && prefix.size() < PrefixGuard::kMaxLength) {
      size_t length = 0;
      const auto literal = Literal(i, end, length);
      if (!literal || IsQuantifier(i + length, end)) break;
      prefix.push_back(base::ToLower(*literal));
      i += length;
    }
    if (groups && i < end && text_[i] == '(' && language_ != Language::kOsMatch &&
        Group(i, end, prefix, found)) {
      return true;
    }
    if (prefix.empty() || found.size() >= kMaxAlternatives) return false;
    found.push_back(std::move(prefix));
    return true;
  }

  bool Group(size_t i, size_t end, const std::string& prefix,
             std::vector<std::string>& found) const {
    size_t begin = i + 1;
    if (language_ == Language::kPcre2) {
      const std::string_view inside = text_.substr(begin);
      if (inside.starts_with("?:")) {
        begin += 2;
      } else if (inside.starts_with("?") || inside.starts_with("*")) {
        return false;
      }
    }
    const auto close = GroupEnd(begin);
    if (!close || *close >= end || IsQuantifier(*close + 1, end)) return false;
    std::vector<std::string> inner;
    while (true) {
      const auto stop = AlternativeEnd(begin, *close);
      if (!stop || !Sequence(begin, *stop, prefix, false, inner)) return false;
      if (*stop == *close) break;
      begin = *stop + 1;
    }
    found.insert(found.end(), inner.begin(), inner.end());
    return found.size() <= kMaxAlternatives;
  }

  Language language_;
  std::string_view text_;
};

}  // namespace

PrefixGuard::PrefixGuard(Language language, std::string_view pattern) {
  const auto beginnings = Beginnings(language, pattern).Read();
  if (!beginnings) return;
  for (const std::string& text : *beginnings) {
    Prefix prefix{};
    prefix.size = static_cast<uint8_t>(text.copy(prefix.bytes.data(), kMaxLength));
    prefixes_.push_back(prefix);
  }
}

bool PrefixGuard::AnyPrefix(std::string_view subject) const {
  for (const Prefix& prefix : prefixes_) {
    size_t i = 0;
    while (i < prefix.size && i < subject.size() && base::ToLower(subject[i]) == prefix.bytes[i]) {
      ++i;
    }
    if (i == prefix.size || (i < subject.size() && !IsAscii(subject[i]))) return true;
  }
  return false;
}

std::bitset<256> PrefixGuard::FirstBytes() const {
  std::bitset<256> bytes;
  if (prefixes_.empty()) bytes.set();
  for (const Prefix& prefix : prefixes_) {
    bytes.set(static_cast<unsigned char>(prefix.bytes[0]));
  }
  return bytes;
}

bool PrefixGuard::NeedsAll(std::string_view subject) {
  return subject.empty() || !IsAscii(subject[0]);
}

}  // namespace ospatrol::analysisd
