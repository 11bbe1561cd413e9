#include "config/dialect.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

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

struct FreeParser {
  void operator()(xmlParserCtxt* parser) const { xmlFreeParserCtxt(parser); }
};
using Parser = std::unique_ptr<xmlParserCtxt, FreeParser>;

std::string_view Text(const xmlChar* begin, const xmlChar* end) {
  return {reinterpret_cast<const char*>(begin), static_cast<size_t>(end - begin)};
}

std::string_view Text(const xmlChar* text) { return reinterpret_cast<const char*>(text); }

// Builds the elements below the synthetic root from what the library reports while it reads.
class TreeBuilder {
 public:
  explicit TreeBuilder(const std::vector<int>& lines) : lines_(lines) {}

  // False when the library refuses the text or saw other elements than the translation; then
  // line() tells where.
  bool Build(const std::string& xml) {
    const Parser parser(xmlCreateMemoryParserCtxt(xml.data(), static_cast<int>(xml.size())));
    if (parser == nullptr) return false;
    *parser->sax = Callbacks();
    parser->userData = this;
    // No entities, no DTD, no network; HUGE lifts the library's own limits, the dialect has its
    // own. Errors come as the result of reading, not on standard error.
    xmlCtxtUseOptions(parser.get(),
                      XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    const bool read = xmlParseDocument(parser.get()) == 0;
    line_ = xmlSAX2GetLineNumber(parser.get());
    return read && next_line_ == lines_.size();
  }

  int line() const { return line_; }
  std::vector<Element> TakeRoots() { return std::move(synthetic_.children); }

 private:
  static xmlSAXHandler Callbacks() {
    xmlSAXHandler handler{};
    handler.initialized = XML_SAX2_MAGIC;
    handler.startElementNs = [](void* builder, const xmlChar* name, const xmlChar*, const xmlChar*,
                                int, const xmlChar**, int count, int, const xmlChar** attributes) {
      static_cast<TreeBuilder*>(builder)->Open(Text(name), count, attributes);
    };
    handler.endElementNs = [](void* builder, const xmlChar*, const xmlChar*, const xmlChar*) {
      static_cast<TreeBuilder*>(builder)->Close();
    };
    handler.characters = [](void* builder, const xmlChar* text, int size) {
      static_cast<TreeBuilder*>(builder)->AddContent(Text(text, text + size));
    };
    handler.ignorableWhitespace = handler.characters;
    return handler;
  }

  // Of each attribute: name, prefix, URI, begin and end of its value.
  void Open(std::string_view name, int count, const xmlChar** attributes) {
    if (open_.empty()) {
      open_.push_back(&synthetic_);
      return;
    }
    Element& parent = *open_.back();
    parent.content.clear();
    if (parent.children.empty()) parent.children.reserve(kUsualChildren);
    Element& element = parent.children.emplace_back();
    element.name = Restore(name);
    if (next_line_ < lines_.size()) element.line = lines_[next_line_];
    ++next_line_;
    element.attributes.reserve(static_cast<size_t>(count));
    for (; count > 0; --count, attributes += 5) {
      element.attributes.push_back(
          {Restore(Text(attributes[0])), Restore(Text(attributes[3], attributes[4]))});
    }
    open_.push_back(&element);
  }

  void Close() {
    std::string& content = open_.back()->content;
    if (NeedsRestoring(content)) content = Restore(content);
    open_.pop_back();
  }

  void AddContent(std::string_view text) { open_.back()->content += text; }

  static constexpr size_t kUsualChildren = 8;

  const std::vector<int>& lines_;
  size_t next_line_ = 0;
  int line_ = 0;
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
  TreeBuilder builder(translation.lines);
  if (!builder.Build(translation.xml)) {
    problems.Error(msg::kXmlSyntax.id, file, builder.line(),
                   "the XML library does not accept this file",
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
