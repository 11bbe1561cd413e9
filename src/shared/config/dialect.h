// The XML dialect of ospatrol.conf, agent.conf, rules and decoders
// (configuration-and-operation 3.1).
//
// It is not XML: several roots, bare & and <, no entities, `\<`, Latin-1 bytes, `<! ... !>`
// comments. Translate() turns it into XML with the same number of lines, reversibly; libxml2 reads
// that; ReadDialect gives back the original bytes.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.h"

namespace ospatrol::config {

struct Attribute {
  std::string name;
  std::string value;
};

struct Element {
  std::string name;
  std::vector<Attribute> attributes;  // in file order
  // Bytes between the tags, never trimmed; with children: only what follows the last child.
  std::string content;
  std::vector<Element> children;
  int line = 0;  // of the opening tag, 1-based

  const std::string* FindAttribute(std::string_view attribute_name) const;
  const std::string* FindAttributeIgnoringCase(std::string_view attribute_name) const;
};

struct Document {
  std::string file;  // as shown in messages
  std::vector<Element> roots;
};

// Parses `text`. On a syntax error: one Problem (file, line, cause) and an empty document.
Document ParseDialect(std::string_view text, std::string_view file, Problems& problems);

// Reads the file, then ParseDialect. A file that cannot be read is a Problem. `shown` is the name
// in messages.
Document ReadDialect(const std::filesystem::path& path, std::string_view shown, Problems& problems);

// <var name="X">value</var> and $X in rules and decoders (rules-and-decoders 4.1): applied in
// place, <var> removed.
void ExpandVariables(Document& document, Problems& problems);

}  // namespace ospatrol::config
