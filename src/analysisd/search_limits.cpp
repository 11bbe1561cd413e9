#include "analysisd/search_limits.h"

#include <fmt/format.h>

#include <utility>

#include "analysisd/decoder.h"
#include "analysisd/decoder_set.h"
#include "analysisd/rule.h"
#include "analysisd/rule_set.h"
#include "analysisd/ruleset.h"
#include "log/log.h"
#include "pattern/pattern.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kShownText = 120;

bool Has(const DecoderPattern& pattern, std::string_view text) {
  return pattern && pattern.pattern->text() == text;
}

bool Has(const Decoder& decoder, std::string_view text) {
  return Has(decoder.program_name, text) || Has(decoder.prematch, text) || Has(decoder.regex, text);
}

bool Has(const Rule& rule, std::string_view text) {
  for (const auto& condition : rule.conditions) {
    const std::string* pattern = condition->PatternText();
    if (pattern != nullptr && *pattern == text) return true;
  }
  return false;
}

std::string Shown(std::string_view text) {
  const bool cut = text.size() > kShownText;
  return std::string(text.substr(0, kShownText)) + (cut ? "..." : "");
}

}  // namespace

std::string OwnersOfPattern(const Ruleset& ruleset, std::string_view text) {
  std::string first;
  size_t count = 0;
  for (const auto& decoder : ruleset.decoders().decoders()) {
    if (!Has(*decoder, text)) continue;
    if (count++ == 0) first = fmt::format("decoder '{}'", decoder->declared_name);
  }
  for (const auto& rule : ruleset.rules().rules()) {
    if (!Has(*rule, text)) continue;
    if (count++ == 0) first = fmt::format("rule {} ({}:{})", rule->id, rule->file, rule->line);
  }
  if (count == 0) return "a pattern that is not in use any more";
  if (count == 1) return first;
  return fmt::format("{} and {} {}", first, count - 1, count == 2 ? "other" : "others");
}

SearchLimits::SearchLimits() : told_(pattern::Pattern::LimitErrors()) {}

bool SearchLimits::HasNews() const { return pattern::Pattern::LimitErrors() != told_; }

void SearchLimits::Tell(const Ruleset& ruleset, std::chrono::steady_clock::time_point now) {
  if (!HasNews() || (last_ && now - *last_ < log::LimitedBase::kPause)) return;
  last_ = now;
  const uint64_t count = pattern::Pattern::LimitErrors();
  const uint64_t fresh = count - std::exchange(told_, count);
  const std::string text = pattern::Pattern::LastLimitError();
  log::Write<msg::kSearchGivenUp>(fresh, OwnersOfPattern(ruleset, text), Shown(text));
}

}  // namespace ospatrol::analysisd
