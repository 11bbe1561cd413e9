// Patterns that are a few single characters one behind the other, each out of a set: `^[45]\d\d$`,
// `^\S`, `.`. Looking at these bytes is all there is to do; calling an engine would cost more.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "pattern/syntax.h"

namespace ospatrol::pattern {

class SetSequence {
 public:
  // Nothing for any other tree, with captures, or in character mode. Not anchored at the start:
  // one set only.
  static std::optional<SetSequence> From(const Syntax& syntax);

  // Where the first match ends.
  std::optional<size_t> Find(std::string_view subject) const;

 private:
  bool Add(const Syntax& syntax, const Node& node);
  bool MatchesAt(std::string_view subject, size_t at) const;

  std::vector<CharSet> sets_;
  bool start_ = false;
  std::optional<Assertion> end_;  // kEnd or kEndOrFinalNewline
};

}  // namespace ospatrol::pattern
