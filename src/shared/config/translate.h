// The first half of reading the dialect (configuration-and-operation 3.1): a pass that judges a
// text by the dialect's own rules and rewrites what it accepts as XML, so that an XML library can
// build the tree.
//
// How bytes travel: every byte that XML could not carry unchanged at its place (all from 0x80 on,
// controls, CR, & < > in content, TAB in attribute values, whatever XML does not allow in names)
// becomes the code point U+E1000 + byte, and Restore() turns it back. These code points are legal
// in names, content and attribute values, and none of them can come from the text itself, because
// its own non-ASCII bytes are mapped one by one. So the mapping is reversible whatever the encoding
// of the file is.
//
// Lines stay where they are: the synthetic root opens on the first line and closes on the last,
// comments and a leading declaration leave their line feeds behind, and a line feed in an attribute
// value (which XML would make a blank) is written as its code point followed by a real line feed,
// which Restore() drops again.
//
// Cost: one pass, O(size); the XML is at most four times as large as the text, plus a constant.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::config {

// Limits of the dialect.
inline constexpr size_t kMaxPieceBytes =
    8191;  // a name, a run of content, an attribute's name or value
inline constexpr size_t kMaxDepth = 1024;

struct SyntaxError {
  int line = 0;          // where it was noticed, 1-based
  std::string cause;     // "element <b> of line 3 is closed by </B>"
  std::string expected;  // "expected </b>"
};

struct Translation {
  bool ok = false;
  std::string xml;         // one root element; as many lines as the text
  std::vector<int> lines;  // of the opening tags, in document order, without the synthetic root
  SyntaxError error;       // when !ok
};

Translation Translate(std::string_view text);

// The original bytes of a name, a piece of content or an attribute value of Translation::xml, as an
// XML parser gives it.
std::string Restore(std::string_view translated);
// False: it is the original already.
bool NeedsRestoring(std::string_view translated);

}  // namespace ospatrol::config
