// Patterns of rules and decoders that compile and yet cannot be meant.
#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>

#include "analysisd/decoder_set.h"
#include "analysisd/rule_set.h"
#include "base/text.h"
#include "config/show.h"
#include "logtest/elements.h"
#include "logtest/lint_checks.h"
#include "logtest/pattern_facts.h"

namespace ospatrol::logtest {
namespace {

using pattern::Language;

struct WrittenPattern {
  const std::string& file;
  int line;
  std::string owner;  // "rule 5710", "decoder 'sshd'"
  std::string_view element;
  Language language;
  std::string text;
};

// Nothing for a condition that is no pattern, and for a negated one.
std::optional<Language> LanguageOf(const WrittenCondition& condition) {
  const bool is_field = condition.spec->element == "field";
  if (condition.spec->read == nullptr && !is_field) return std::nullopt;
  if (condition.pcre2) return Language::kPcre2;
  const config::Element& last = *condition.elements.back();
  const std::string* negate = last.FindAttribute("negate");
  if (negate != nullptr && base::EqualsIgnoreCase(*negate, "yes")) return std::nullopt;
  if (const std::string* type = last.FindAttribute("type")) {
    if (base::EqualsIgnoreCase(*type, "osmatch")) return Language::kOsMatch;
    if (base::EqualsIgnoreCase(*type, "osregex")) return Language::kOsRegex;
    if (base::EqualsIgnoreCase(*type, "pcre2")) return Language::kPcre2;
  }
  if (condition.spec->exact) return std::nullopt;
  return condition.spec->language;
}

template <typename Visit>
void ForEachRulePattern(const LintInput& input, Visit visit) {
  for (const auto& rule : input.ruleset.rules().rules()) {
    const config::Element* element = ElementOf(input.documents, *rule);
    if (element == nullptr) continue;
    const std::string owner = fmt::format("rule {}", rule->id);
    for (const WrittenCondition& condition : ConditionsOf(*element)) {
      const std::optional<Language> language = LanguageOf(condition);
      if (!language) continue;
      visit(WrittenPattern{rule->file, condition.elements.front()->line, owner, condition.name(),
                           *language, condition.Text()});
    }
    if (rule->correlation == nullptr ||
        rule->correlation->kind != analysisd::Correlation::Kind::kRegex)
      continue;
    visit(WrittenPattern{rule->file, LineOf(*element, {"if_matched_regex"}), owner,
                         "if_matched_regex", Language::kOsRegex,
                         rule->correlation->pattern->text()});
  }
}

template <typename Visit>
void ForEachDecoderPattern(const LintInput& input, Visit visit) {
  for (const auto& decoder : input.ruleset.decoders().decoders()) {
    const config::Element* element = ElementOf(input.documents, *decoder);
    if (element == nullptr) continue;
    struct Row {
      const analysisd::DecoderPattern& pattern;
      std::string_view name, twin;
    };
    for (const Row& row : {Row{decoder->program_name, "program_name", "program_name_pcre2"},
                           Row{decoder->prematch, "prematch", "prematch_pcre2"},
                           Row{decoder->regex, "regex", "pcre2"}}) {
      if (!row.pattern) continue;
      const Language language = row.pattern.pattern->language();
      const std::string_view name = language == Language::kPcre2 ? row.twin : row.name;
      visit(WrittenPattern{decoder->file, LineOf(*element, {name}),
                           fmt::format("decoder '{}'", config::Show(decoder->declared_name)), name,
                           language, row.pattern.pattern->text()});
    }
  }
}

template <typename Visit>
void ForEachPattern(const LintInput& input, Visit visit) {
  ForEachRulePattern(input, visit);
  ForEachDecoderPattern(input, visit);
}

void Tell(const WrittenPattern& pattern, std::string_view what, std::string remedy,
          config::Problems& found) {
  found.Warning(0, pattern.file, pattern.line,
                fmt::format("{}: <{}> '{}' {}", pattern.owner, pattern.element,
                            config::Show(pattern.text), what),
                std::move(remedy));
}

}  // namespace

void FindDeadPatterns(const LintInput& input, config::Problems& found) {
  ForEachPattern(input, [&](const WrittenPattern& pattern) {
    const auto facts = FactsOf(pattern.language, pattern.text);
    if (!facts) return;
    if (facts->never_matches) {
      Tell(pattern, "never matches: it wants text behind the end or before the start",
           "put ^ first and $ last, or escape them where they are meant as text", found);
    } else if (facts->dead_alternative) {
      Tell(
          pattern,
          "has an alternative that never matches: it wants text behind the end or before the start",
          "put ^ first and $ last, or escape them where they are meant as text", found);
    }
  });
}

void FindLeadingAnything(const LintInput& input, config::Problems& found) {
  ForEachPattern(input, [&](const WrittenPattern& pattern) {
    const auto facts = FactsOf(pattern.language, pattern.text);
    if (!facts || !facts->leading_anything) return;
    Tell(pattern, "begins with any text, but a pattern is searched for everywhere",
         "leave it out, or put ^ before it when the last occurrence is meant", found);
  });
}

}  // namespace ospatrol::logtest
