// Decoders that are never reached, and names that do not fit the captures.
#include <fmt/format.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "analysisd/decoder_set.h"
#include "config/show.h"
#include "logtest/elements.h"
#include "logtest/lint_checks.h"
#include "logtest/pattern_facts.h"

namespace ospatrol::logtest {
namespace {

using analysisd::Decoder;
using analysisd::DecoderPattern;

void Warn(const Decoder& decoder, int line, std::string_view text, std::string remedy,
          config::Problems& found) {
  found.Warning(0, decoder.file, line,
                fmt::format("decoder '{}': {}", config::Show(decoder.declared_name), text),
                std::move(remedy));
}

bool SamePattern(const DecoderPattern& a, const DecoderPattern& b) {
  if (!a || !b) return !a && !b;
  return a.pattern->language() == b.pattern->language() && a.pattern->text() == b.pattern->text();
}

// Whatever `later` takes at the top level, `earlier` takes before it.
bool Covers(const Decoder& earlier, const Decoder& later) {
  if (!SamePattern(earlier.program_name, later.program_name)) return false;
  return !earlier.prematch || SamePattern(earlier.prematch, later.prematch);
}

// Why each child of `parent` is not reached; empty = it is.
std::vector<std::string> ReasonsBelow(const Decoder& parent) {
  std::vector<std::string> reasons;
  std::string stop;  // once a child takes everything
  std::vector<const Decoder*> heads;
  bool continues = false;
  for (const Decoder* child : parent.children) {
    if (continues) {
      reasons.push_back(reasons.back());
    } else if (!stop.empty()) {
      reasons.push_back(stop);
    } else {
      std::string reason;
      for (const Decoder* head : heads) {
        if (!SamePattern(head->prematch, child->prematch)) continue;
        if (head->prematch_offset != child->prematch_offset) continue;
        reason = fmt::format("the child at {}:{} has the same <prematch> and comes before it",
                             head->file, head->line);
      }
      reasons.push_back(reason);
      heads.push_back(child);
      if (!child->prematch) {
        stop =
            fmt::format("the child '{}' at {}:{} has no <prematch> and takes all that reaches it",
                        config::Show(child->declared_name), child->file, child->line);
      }
    }
    continues = child->get_next;
  }
  return reasons;
}

}  // namespace

void FindUnreachableRoots(const LintInput& input, config::Problems& found) {
  std::vector<const Decoder*> roots;
  for (const auto& decoder : input.ruleset.decoders().decoders()) {
    if (!decoder->parents.empty()) continue;
    for (const Decoder* earlier : roots) {
      if (!Covers(*earlier, *decoder)) continue;
      Warn(*decoder, decoder->line,
           fmt::format("is never reached: the decoder at {}:{} takes all that it would take",
                       earlier->file, earlier->line),
           "put the one that asks for more first, or make it a child", found);
      break;
    }
    roots.push_back(decoder.get());
  }
}

void FindUnreachableChildren(const LintInput& input, config::Problems& found) {
  std::unordered_map<const Decoder*, std::string> unreached;
  for (const auto& parent : input.ruleset.decoders().decoders()) {
    const std::vector<std::string> reasons = ReasonsBelow(*parent);
    for (size_t i = 0; i < reasons.size(); ++i) {
      const auto [known, first] = unreached.emplace(parent->children[i], reasons[i]);
      if (!first && reasons[i].empty()) known->second.clear();
    }
  }
  for (const auto& decoder : input.ruleset.decoders().decoders()) {
    const auto known = unreached.find(decoder.get());
    if (known == unreached.end() || known->second.empty()) continue;
    Warn(*decoder, decoder->line, "is never reached: " + known->second,
         "give the earlier one a <prematch> of its own, or both one name to continue it", found);
  }
}

void FindOrderMismatches(const LintInput& input, config::Problems& found) {
  for (const auto& decoder : input.ruleset.decoders().decoders()) {
    if (!decoder->regex) continue;
    const config::Element* element = ElementOf(input.documents, *decoder);
    if (element == nullptr) continue;
    const auto facts = FactsOf(decoder->regex.pattern->language(), decoder->regex.pattern->text());
    const size_t captures = facts ? facts->most_captures : decoder->regex.pattern->GroupCount();
    const size_t names = decoder->order.size();
    if (names > captures) {
      Warn(*decoder, LineOf(*element, {"order"}),
           fmt::format("<order> has {} names, but the pattern captures at most {} texts", names,
                       captures),
           "remove the last names, or put ( ) around what they are to hold", found);
    } else if (facts && captures > names) {
      Warn(*decoder, LineOf(*element, {"regex", "pcre2"}),
           fmt::format("the pattern captures up to {} texts, but <order> has {} names", captures,
                       names),
           "name them all, or do not capture: (?: ) in <pcre2>", found);
    }
  }
}

}  // namespace ospatrol::logtest
