#include "config/dialect.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libxml/xmlreader.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"
#include "config/show.h"
#include "config/translate.h"
#include "log/messages.h"

namespace ospatrol::config {
namespace {

struct ReaderCloser {
  void operator()(xmlTextReader* reader) const { xmlFreeTextReader(reader); }
};
using XmlReader = std::unique_ptr<xmlTextReader, ReaderCloser>;

std::string_view Text(const xmlChar* text) {
  return text == nullptr ? std::string_view{} : reinterpret_cast<const char*>(text);
}

// No entities, no DTD, no network; HUGE lifts the library's own limits, the dialect has its own.
// Errors come as the result of reading, not on standard error.
XmlReader OpenReader(const std::string& xml) {
  constexpr int kOptions =
      XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
  return XmlReader(
      xmlReaderForMemory(xml.data(), static_cast<int>(xml.size()), nullptr, "UTF-8", kOptions));
}

// Builds the elements below the synthetic root.
class TreeBuilder {
 public:
  explicit TreeBuilder(const std::vector<int>& lines) : lines_(lines) {}

  // False when the library refuses the text or saw other elements than the translation.
  bool Build(xmlTextReader* reader) {
    int more = xmlTextReaderRead(reader);
    for (; more == 1; more = xmlTextReaderRead(reader)) {
      if (!Node(reader)) return false;
    }
    return more == 0 && open_.empty() && next_line_ == lines_.size();
  }

  std::vector<Element> TakeRoots() { return std::move(synthetic_.children); }

 private:
  bool Node(xmlTextReader* reader) {
    const bool synthetic_root = xmlTextReaderDepth(reader) == 0;
    switch (xmlTextReaderNodeType(reader)) {
      case XML_READER_TYPE_ELEMENT:
        return synthetic_root || Open(reader);
      case XML_READER_TYPE_END_ELEMENT:
        if (!synthetic_root) Close();
        return true;
      case XML_READER_TYPE_TEXT:
      case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
      case XML_READER_TYPE_WHITESPACE:
        if (!open_.empty()) open_.back()->content += Restore(Text(xmlTextReaderConstValue(reader)));
        return true;
      case XML_READER_TYPE_COMMENT:
        return true;
      default:
        return false;
    }
  }

  bool Open(xmlTextReader* reader) {
    if (next_line_ >= lines_.size()) return false;
    Element& parent = open_.empty() ? synthetic_ : *open_.back();
    parent.content.clear();
    Element& element = parent.children.emplace_back();
    element.name = Restore(Text(xmlTextReaderConstName(reader)));
    element.line = lines_[next_line_++];
    const bool empty = xmlTextReaderIsEmptyElement(reader) == 1;
    while (xmlTextReaderMoveToNextAttribute(reader) == 1) {
      element.attributes.push_back({Restore(Text(xmlTextReaderConstName(reader))),
                                    Restore(Text(xmlTextReaderConstValue(reader)))});
    }
    if (!empty) open_.push_back(&element);
    return true;
  }

  void Close() { open_.pop_back(); }

  const std::vector<int>& lines_;
  size_t next_line_ = 0;
  Element synthetic_;
  // A parent's children do not grow while one of them is open, so these stay valid.
  std::vector<Element*> open_;
};

std::string CannotOpen(const std::filesystem::path& path) {
  const base::Fd fd = base::OpenFile(path, O_RDONLY);
  return fd.IsOpen() ? std::string() : base::ErrnoText(errno);
}

}  // namespace

const std::string* Element::FindAttribute(std::string_view attribute_name) const {
  const auto found = std::ranges::find(attributes, attribute_name, &Attribute::name);
  return found == attributes.end() ? nullptr : &found->value;
}

const std::string* Element::FindAttributeIgnoringCase(std::string_view attribute_name) const {
  const auto found = std::ranges::find_if(attributes, [&](const Attribute& attribute) {
    return base::EqualsIgnoreCase(attribute.name, attribute_name);
  });
  return found == attributes.end() ? nullptr : &found->value;
}

Document ParseDialect(std::string_view text, std::string_view file, Problems& problems) {
  Document document;
  document.file = file;
  const Translation translation = Translate(text);
  if (!translation.ok) {
    const SyntaxError& error = translation.error;
    problems.Error(msg::kXmlSyntax.id, file, error.line, error.cause, error.expected);
    return document;
  }
  const XmlReader reader = OpenReader(translation.xml);
  TreeBuilder builder(translation.lines);
  if (reader == nullptr || !builder.Build(reader.get())) {
    const int line = reader == nullptr ? 0 : xmlTextReaderGetParserLineNumber(reader.get());
    problems.Error(msg::kXmlSyntax.id, file, line, "the XML library does not accept this file",
                   "expected well-formed elements at this line");
    return document;
  }
  document.roots = builder.TakeRoots();
  return document;
}

Document ReadDialect(const std::filesystem::path& path, std::string_view shown,
                     Problems& problems) {
  Document nothing;
  nothing.file = shown;
  if (const std::string reason = CannotOpen(path); !reason.empty()) {
    problems.Error(msg::kCannotOpenFile.id, shown, 0, fmt::format("cannot be read: {}", reason),
                   "check that the file exists and that this program may read it");
    return nothing;
  }
  try {
    return ParseDialect(base::ReadFile(path), shown, problems);
  } catch (const Error& error) {
    problems.Error(msg::kCannotOpenFile.id, shown, 0, error.what(),
                   "expected a regular file of at most 64 MiB");
    return nothing;
  }
}

}  // namespace ospatrol::config
