#include "config/translate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "config/show.h"

namespace ospatrol::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kDeclaration = "<?xml";
constexpr std::string_view kSyntheticRoot = "document";
constexpr std::string_view kLiteralHint = R"(a literal < is written \<)";

// UTF-8 of U+E1000 + byte: F3 A1, then the byte's upper two and lower six bits.
constexpr char kMark1 = '\xF3';
constexpr char kMark2 = '\xA1';
constexpr size_t kMappedBytes = 4;

void AppendMapped(std::string& out, char c) {
  const unsigned byte = static_cast<unsigned char>(c);
  out += kMark1;
  out += kMark2;
  out += static_cast<char>(0x80U | (byte >> 6));
  out += static_cast<char>(0x80U | (byte & 0x3FU));
}

// What is copied as it is, by the place where it stands.
struct Plain {
  std::array<bool, 256> content{};
  std::array<bool, 256> value{};
  std::array<bool, 256> name{};  // behind its first byte

  constexpr Plain() {
    for (unsigned char c = ' '; c <= '~'; ++c) {
      value[c] = c != '&' && c != '<';
      content[c] = value[c] && c != '>';
      const bool digit = c >= '0' && c <= '9';
      const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
      name[c] = letter || digit || c == '_' || c == '-' || c == '.';
    }
    content['\n'] = content['\t'] = true;
  }
};
constexpr Plain kPlain;

bool Has(const std::array<bool, 256>& set, char c) { return set[static_cast<unsigned char>(c)]; }

int LineFeeds(std::string_view text) {
  int count = 0;
  for (size_t at = 0; (at = text.find('\n', at)) != std::string_view::npos; ++at) ++count;
  return count;
}

void AppendContent(std::string& out, char c) {
  if (Has(kPlain.content, c)) {
    out += c;
  } else {
    AppendMapped(out, c);
  }
}

void AppendValue(std::string& out, char c) {
  if (Has(kPlain.value, c)) {
    out += c;
    return;
  }
  AppendMapped(out, c);
  if (c == '\n') out += '\n';
}

// Colons and xmlns are mapped too: they would mean namespaces to an XML parser.
void AppendName(std::string& out, std::string_view name) {
  const auto plain = [](char c) { return Has(kPlain.name, c); };
  const auto starts = [](char c) { return base::IsAlpha(c) || c == '_'; };
  if (name.empty()) return;
  if (starts(name[0]) && name != "xmlns" && std::ranges::all_of(name, plain)) {
    out += name;
    return;
  }
  for (size_t i = 0; i < name.size(); ++i) {
    if (i > 0 ? plain(name[i]) : starts(name[i]) && name != "xmlns") {
      out += name[i];
    } else {
      AppendMapped(out, name[i]);
    }
  }
}

class Translator {
 public:
  explicit Translator(std::string_view text) : text_(text) {}

  Translation Run() {
    out_.xml.reserve(text_.size() + text_.size() / 8 + 64);
    out_.xml += fmt::format("<{}>", kSyntheticRoot);
    out_.ok = Prologue() && Body();
    out_.xml += fmt::format("</{}>", kSyntheticRoot);
    if (!out_.ok) {
      out_.xml.clear();
      out_.lines.clear();
    }
    return std::move(out_);
  }

 private:
  struct OpenElement {
    std::string_view name;
    int line;
  };

  bool AtEnd() const { return at_ >= text_.size(); }
  char Current() const { return text_[at_]; }
  bool Follows(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  bool AtSelfClosing() const { return Current() == '/' && Follows("/>"); }

  void Advance(size_t count) {
    for (const size_t stop = at_ + count; at_ < stop; ++at_) {
      if (text_[at_] == '\n') ++line_;
    }
  }

  // Passes bytes that carry nothing but their line feeds.
  void Drop(size_t count) {
    const int feeds = LineFeeds(text_.substr(at_, count));
    out_.xml.append(static_cast<size_t>(feeds), '\n');
    line_ += feeds;
    at_ += count;
  }

  bool DropSpace() {
    size_t end = at_;
    while (end < text_.size() && base::IsSpace(text_[end])) ++end;
    const bool any = end > at_;
    if (any) Drop(end - at_);
    return any;
  }

  bool Fail(std::string cause, std::string expected) {
    out_.error = {line_, std::move(cause), std::move(expected)};
    return false;
  }

  bool Overflow(std::string_view what) {
    return Fail(fmt::format("{} is longer than {} bytes", what, kMaxPieceBytes),
                "split it or make it shorter");
  }

  bool Prologue() {
    if (Follows(kByteOrderMark)) Advance(kByteOrderMark.size());
    if (!Follows(kDeclaration)) return true;
    const size_t end = text_.find("?>", at_);
    if (end == std::string_view::npos) {
      return Fail("the declaration <?xml is not closed", "expected ?> behind it");
    }
    Drop(end + 2 - at_);
    return true;
  }

  bool Body() {
    while (!AtEnd()) {
      if (!Step()) return false;
    }
    if (open_.empty()) return true;
    const OpenElement& last = open_.back();
    return Fail(fmt::format("the file ends inside element <{}>, opened on line {}", Show(last.name),
                            last.line),
                fmt::format("expected </{}>", Show(last.name)));
  }

  bool Step() {
    if (Follows("<!")) return Comment();
    if (Current() == '<' && !after_backslash_) return Tag();
    return Literal();
  }

  // What stands between two comments joins, so the state of backslash and length is kept.
  bool Comment() {
    const size_t end = EndOfComment();
    if (end == std::string_view::npos) {
      return Fail("a comment is not closed", "comments begin with <! and end with --> or !>");
    }
    out_.xml += "<!--";
    Drop(end - at_);
    out_.xml += "-->";
    return true;
  }

  size_t EndOfComment() const {
    const size_t inside = at_ + 2;
    size_t end = inside;
    while ((end = text_.find('>', end)) != std::string_view::npos) {
      const std::string_view comment = text_.substr(inside, end - inside);
      ++end;
      if (comment.ends_with('!') || comment.ends_with("--")) break;
    }
    return end;
  }

  bool Literal() {
    const char c = Current();
    // Whatever follows a backslash uses it up; another backslash begins anew.
    after_backslash_ = c == '\\';
    if (open_.empty()) {
      Drop(1);
      return true;
    }
    if (++run_length_ > kMaxPieceBytes) {
      return Overflow(fmt::format("the content of element <{}>", Show(open_.back().name)));
    }
    AppendContent(out_.xml, c);
    Advance(1);
    CopyPlainContent();
    return true;
  }

  // The rest of a run, up to what Literal() or Step() must look at.
  void CopyPlainContent() {
    const size_t stop = std::min(text_.size(), at_ + (kMaxPieceBytes - run_length_));
    size_t end = at_;
    while (end < stop && Has(kPlain.content, text_[end])) ++end;
    if (end == at_) return;
    after_backslash_ = text_[end - 1] == '\\';
    const std::string_view run = text_.substr(at_, end - at_);
    line_ += LineFeeds(run);
    out_.xml += run;
    run_length_ += run.size();
    at_ = end;
  }

  bool Tag() {
    run_length_ = 0;
    after_backslash_ = false;
    if (Follows("</")) return ClosingTag();
    if (Follows("<?")) {
      return Fail("<? in the middle of the file",
                  "a declaration may only be the very first bytes of the file");
    }
    return OpeningTag();
  }

  bool OpeningTag() {
    const int line = line_;
    Advance(1);
    const size_t start = at_;
    while (!AtEnd() && !base::IsSpace(Current()) && Current() != '>' && !AtSelfClosing()) {
      if (at_ - start >= kMaxPieceBytes) return Overflow("the name of an element");
      ++at_;
    }
    const std::string_view name = text_.substr(start, at_ - start);
    if (AtEnd()) return Fail("the file ends inside a tag", "expected > behind the element's name");
    if (name.empty()) {
      return Fail("< without the name of an element",
                  fmt::format("expected a name; {}", kLiteralHint));
    }
    if (open_.size() >= kMaxDepth) {
      return Fail(fmt::format("elements are nested more than {} deep", kMaxDepth),
                  "close elements before opening further ones");
    }
    out_.lines.push_back(line);
    out_.xml += '<';
    AppendName(out_.xml, name);
    if (!Attributes(name)) return false;
    if (AtSelfClosing()) {
      Advance(2);
      out_.xml += "/>";
      return true;
    }
    Advance(1);
    out_.xml += '>';
    open_.push_back({name, line});
    return true;
  }

  // Stops before > or />.
  bool Attributes(std::string_view element) {
    std::vector<std::string_view> names;
    while (true) {
      const bool separated = DropSpace();
      if (AtEnd()) {
        return Fail(fmt::format("the file ends inside the tag <{}", Show(element)),
                    "expected > at the end of the tag");
      }
      if (Current() == '>' || AtSelfClosing()) return true;
      if (!separated) {
        return Fail(fmt::format("attribute '{}' of <{}> is badly closed", Show(names.back()),
                                Show(element)),
                    "expected a blank, > or /> behind the closing quote");
      }
      const std::optional<std::string_view> name = AttributeName(element);
      if (!name) return false;
      if (std::ranges::find(names, *name) != names.end()) {
        return Fail(
            fmt::format("attribute '{}' is given twice in <{}>", Show(*name), Show(element)),
            "expected each attribute once");
      }
      names.push_back(*name);
      if (!AttributeValue(*name, element)) return false;
    }
  }

  std::optional<std::string_view> AttributeName(std::string_view element) {
    const size_t start = at_;
    while (!AtEnd() && !base::IsSpace(Current()) && Current() != '=' && Current() != '>') {
      if (at_ - start >= kMaxPieceBytes) {
        Overflow("the name of an attribute");
        return std::nullopt;
      }
      ++at_;
    }
    const std::string_view name = text_.substr(start, at_ - start);
    out_.xml += ' ';
    AppendName(out_.xml, name);
    DropSpace();
    if (AtEnd()) {
      Fail(fmt::format("the file ends inside attribute '{}' of <{}>", Show(name), Show(element)),
           "expected =\"value\"");
      return std::nullopt;
    }
    if (name.empty() || Current() != '=') {
      Fail(fmt::format("attribute '{}' of <{}> has no {}", Show(name), Show(element),
                       name.empty() ? "name" : "value"),
           fmt::format("expected name=\"value\"; {}", kLiteralHint));
      return std::nullopt;
    }
    return name;
  }

  bool AttributeValue(std::string_view name, std::string_view element) {
    Advance(1);
    out_.xml += '=';
    DropSpace();
    const char quote = AtEnd() ? '\0' : Current();
    if (quote != '"' && quote != '\'') {
      return Fail(fmt::format("attribute '{}' of <{}> is not followed by a quote", Show(name),
                              Show(element)),
                  fmt::format("expected {}=\"value\"", Show(name)));
    }
    Advance(1);
    out_.xml += quote;
    size_t length = CopyPlainValue(quote);
    for (; !AtEnd() && Current() != quote; ++length) {
      if (length >= kMaxPieceBytes) {
        return Overflow(fmt::format("the value of attribute '{}'", Show(name)));
      }
      AppendValue(out_.xml, Current());
      Advance(1);
    }
    if (AtEnd()) {
      return Fail(fmt::format("the value of attribute '{}' of <{}> is not closed", Show(name),
                              Show(element)),
                  fmt::format("expected {} at its end", quote));
    }
    Advance(1);
    out_.xml += quote;
    return true;
  }

  // Gives how many bytes.
  size_t CopyPlainValue(char quote) {
    const std::string_view rest = text_.substr(at_, kMaxPieceBytes);
    const auto* end =
        std::ranges::find_if(rest, [quote](char c) { return c == quote || !Has(kPlain.value, c); });
    const auto length = static_cast<size_t>(end - rest.begin());
    out_.xml += rest.substr(0, length);
    at_ += length;
    return length;
  }

  bool ClosingTag() {
    Advance(2);
    const size_t start = at_;
    while (!AtEnd() && Current() != '>' && at_ - start <= kMaxPieceBytes) ++at_;
    const std::string_view written = text_.substr(start, at_ - start);
    if (AtEnd()) return Fail("the file ends inside a closing tag", "expected >");
    if (written.size() > kMaxPieceBytes) return Overflow("the name in a closing tag");
    if (open_.empty()) {
      return Fail(fmt::format("</{}> closes an element that is not open", Show(written)),
                  "remove it, or open the element before");
    }
    if (!Closes(written)) return false;
    out_.xml += "</";
    AppendName(out_.xml, open_.back().name);
    at_ = start;
    Drop(written.size());
    Advance(1);
    out_.xml += '>';
    open_.pop_back();
    return true;
  }

  bool Closes(std::string_view written) {
    const OpenElement& last = open_.back();
    if (written == last.name) return true;
    const std::string expected = fmt::format("expected </{}>", Show(last.name));
    if (!written.starts_with(last.name)) {
      return Fail(fmt::format("element <{}> of line {} is closed by </{}>", Show(last.name),
                              last.line, Show(written)),
                  expected);
    }
    std::string_view rest = written.substr(last.name.size());
    while (!rest.empty() && base::IsSpace(rest.front())) rest.remove_prefix(1);
    if (rest.empty()) return true;
    if (written.size() > last.name.size() && !base::IsSpace(written[last.name.size()])) {
      return Fail(fmt::format("element <{}> of line {} is closed by </{}>", Show(last.name),
                              last.line, Show(written)),
                  expected);
    }
    return Fail(
        fmt::format("'{}' follows the name in the closing tag </{}>", Show(rest), Show(last.name)),
        expected);
  }

  std::string_view text_;
  Translation out_;
  std::vector<OpenElement> open_;
  size_t at_ = 0;
  size_t run_length_ = 0;  // content since the last tag
  int line_ = 1;
  bool after_backslash_ = false;
};

}  // namespace

bool NeedsRestoring(std::string_view translated) {
  return translated.find(kMark1) != std::string_view::npos;
}

Translation Translate(std::string_view text) { return Translator(text).Run(); }

std::string Restore(std::string_view translated) {
  if (!NeedsRestoring(translated)) return std::string(translated);
  std::string out;
  out.reserve(translated.size());
  while (true) {
    const size_t mark = translated.find(kMark1);
    out += translated.substr(0, mark);
    if (mark == std::string_view::npos) return out;
    translated.remove_prefix(mark);
    if (translated.size() < kMappedBytes) {
      out += translated;
      return out;
    }
    const unsigned upper = static_cast<unsigned char>(translated[2]) & 0x03U;
    const unsigned lower = static_cast<unsigned char>(translated[3]) & 0x3FU;
    out += static_cast<char>(upper << 6 | lower);
    translated.remove_prefix(kMappedBytes);
    // The real line feed behind it, by now a blank.
    if (out.back() == '\n' && !translated.empty()) translated.remove_prefix(1);
  }
}

}  // namespace ospatrol::config
