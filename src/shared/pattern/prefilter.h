// What can be said of every match without running the engine: a beginning, and texts of which one
// must occur. Rejects most subjects for the price of a comparison or one literal search.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pattern/lead.h"
#include "pattern/literal.h"
#include "pattern/syntax.h"
#include "pattern/text_gate.h"

namespace ospatrol::pattern {

class Prefilter {
 public:
  Prefilter() = default;  // lets everything pass
  explicit Prefilter(const Syntax& syntax);

  // False: the pattern does not match. For trees in character mode, subjects with letter twins
  // always pass.
  bool Passes(std::string_view subject) const;

  // Lower-case ASCII texts of which at least one occurs in every matching subject without letter
  // twins; empty when nothing is known.
  const std::vector<std::string>& literals() const { return literals_; }

 private:
  std::vector<Literal> prefixes_;  // alternatives; empty: not anchored
  Lead lead_;
  std::vector<Literal> required_;         // short alternatives; empty: none, or not worth a search
  std::unique_ptr<const TextGate> gate_;  // more short texts; may be missing
  std::vector<std::string> literals_;
  bool twin_letters_ = false;
};

}  // namespace ospatrol::pattern
