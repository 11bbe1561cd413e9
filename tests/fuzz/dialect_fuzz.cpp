// libraries: config base
// under test: shared/config/dialect.cpp shared/config/translate.cpp
// The translation of the dialect to XML: lines stay, the library agrees with the dialect's own
// judgement, and every byte comes back.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/dialect.h"
#include "config/translate.h"

namespace {

using ospatrol::config::Attribute;
using ospatrol::config::Document;
using ospatrol::config::Element;
using ospatrol::config::ParseDialect;
using ospatrol::config::Problems;
using ospatrol::config::Translate;
using ospatrol::config::Translation;

void Require(bool holds) {
  if (!holds) std::abort();
}

auto LineFeeds(std::string_view text) { return std::ranges::count(text, '\n'); }

void Write(const Element& element, std::string& out) {
  out += "<" + element.name;
  for (const Attribute& attribute : element.attributes) {
    const char quote = attribute.value.find('"') == std::string::npos ? '"' : '\'';
    out += " " + attribute.name + "=" + quote + attribute.value + quote;
  }
  out += " >";
  for (const Element& child : element.children) Write(child, out);
  out += element.content + "</" + element.name + ">";
}

bool Equal(const Element& a, const Element& b) {
  const auto same_attribute = [](const Attribute& x, const Attribute& y) {
    return x.name == y.name && x.value == y.value;
  };
  return a.name == b.name && a.content == b.content &&
         std::ranges::equal(a.attributes, b.attributes, same_attribute) &&
         std::ranges::equal(a.children, b.children, Equal);
}

// What was read, written in the dialect and read again, is the same. A comment that was cut out may
// have left a new comment's beginning behind, which cannot be written.
void CheckFixpoint(const Document& document) {
  std::string text;
  for (const Element& root : document.roots) Write(root, text);
  if (text.find("<!") != std::string::npos || text.starts_with("<?xml")) return;
  Problems problems;
  const Document again = ParseDialect(text, "again", problems);
  Require(!problems.HasErrors());
  Require(std::ranges::equal(document.roots, again.roots, Equal));
}

// Any bytes, as content and as the value of an attribute.
void CheckBytes(std::string_view bytes) {
  std::string content(bytes.substr(0, ospatrol::config::kMaxPieceBytes));
  std::string value = content;
  std::erase(content, '<');
  while (content.ends_with('\\')) content.pop_back();  // it would make the closing tag content
  std::erase(value, '"');
  Problems problems;
  const Document document =
      ParseDialect("<a b=\"" + value + "\">" + content + "</a>", "bytes", problems);
  Require(!problems.HasErrors() && document.roots.size() == 1);
  Require(document.roots[0].content == content);
  Require(document.roots[0].attributes[0].value == value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Translation translation = Translate(text);
  Problems problems;
  Document document = ParseDialect(text, "input", problems);
  Require(translation.ok == !problems.HasErrors());
  if (translation.ok) {
    Require(LineFeeds(translation.xml) == LineFeeds(text));
    CheckFixpoint(document);
    ospatrol::config::ExpandVariables(document, problems);
  } else {
    Require(problems.all().size() == 1);
    Require(translation.error.line >= 1 && translation.error.line <= LineFeeds(text) + 1);
    Require(LineFeeds(problems.all()[0].Line()) == 0);
  }
  CheckBytes(text);
  return 0;
}
