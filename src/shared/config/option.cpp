#include "config/option.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "config/show.h"
#include "log/messages.h"

namespace ospatrol::config {
namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities{{
    {"&amp;", '&'},
    {"&lt;", '<'},
    {"&gt;", '>'},
    {"&quot;", '"'},
    {"&apos;", '\''},
}};

std::string OptionName(const Element& section, const Element& option) {
  return fmt::format("<{}><{}>", Show(section.name), Show(option.name));
}

}  // namespace

std::string_view Option::trimmed() const { return base::Trim(element_.content); }

std::string Option::Where() const { return OptionName(section_, element_); }

void Option::Invalid(std::string_view expected) const {
  const std::string text =
      raw().empty() ? std::string("is empty") : fmt::format("'{}' is not valid", Show(raw()));
  Error(msg::kInvalidValue, text, fmt::format("expected {}", expected));
}

void Option::Error(const log::Message& message, std::string_view text, std::string remedy) const {
  problems_.Error(message.id, file_, line(), fmt::format("{}: {}", Where(), text),
                  std::move(remedy));
}

void Option::Warn(const log::Message& message, std::string_view text, std::string remedy) const {
  problems_.Warning(message.id, file_, line(), fmt::format("{}: {}", Where(), text),
                    std::move(remedy));
}

std::optional<bool> YesNoValue(const Option& option) {
  const std::string_view value = option.trimmed();
  if (value == "yes") return true;
  if (value == "no") return false;
  option.Invalid("yes or no, in lower case");
  return std::nullopt;
}

std::optional<int64_t> NumberValue(const Option& option, int64_t min, int64_t max) {
  const std::string_view text = option.trimmed();
  const auto value = base::AllDigits(text) ? base::ParseNumber<int64_t>(text) : std::nullopt;
  if (value && *value >= min && *value <= max) return value;
  option.Invalid(fmt::format("a number from {} to {}", min, max));
  return std::nullopt;
}

std::vector<int> IdListValue(const Option& option) {
  std::vector<int> ids;
  const std::string_view text = option.raw();
  size_t end = 0;
  while (end < text.size() &&
         (base::IsDigit(text[end]) || base::IsSpace(text[end]) || text[end] == ',')) {
    ++end;
  }
  for (const std::string_view word : base::SplitWords(text.substr(0, end), ", \t\r\n\v\f")) {
    if (const auto id = base::ParseNumber<int>(word)) {
      ids.push_back(*id);
    } else {
      option.Invalid("rule ids, each a number of at most 9 digits");
      return {};
    }
  }
  if (ids.empty()) {
    option.Invalid("rule ids separated by commas, as in 5712,5720");
  } else if (end < text.size()) {
    option.Warn(msg::kLikelyMistake,
                fmt::format("'{}' and what follows is ignored", Show(text.substr(end))),
                "expected rule ids separated by commas, as in 5712,5720");
  }
  return ids;
}

std::optional<size_t> WordValue(const Option& option, std::span<const std::string_view> words) {
  const auto found = std::ranges::find(words, option.trimmed());
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  option.Invalid(fmt::format("one of: {}", fmt::join(words, ", ")));
  return std::nullopt;
}

std::optional<std::string> TextValue(const Option& option, std::string_view expected) {
  if (!option.trimmed().empty()) return option.raw();
  option.Invalid(expected);
  return std::nullopt;
}

std::optional<std::string> AddressValue(const Option& option) {
  const std::string_view text = option.trimmed();
  if (text.find('/') == std::string_view::npos && pattern::ParseAddress(text)) {
    return std::string(text);
  }
  option.Invalid("an IPv4 or IPv6 address without /");
  return std::nullopt;
}

std::optional<pattern::IpNetwork> NetworkValue(const Option& option) {
  auto network = pattern::IpNetwork::Parse(option.trimmed());
  if (!network) option.Invalid("an address, a network such as 192.0.2.0/24, or any");
  return network;
}

std::string DecodeEntities(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto entity = std::ranges::find_if(
        kEntities, [&](const auto& row) { return text.starts_with(row.first); });
    if (entity == kEntities.end()) {
      out += text.front();
      text.remove_prefix(1);
    } else {
      out += entity->second;
      text.remove_prefix(entity->first.size());
    }
  }
  return out;
}

void WarnNoEffect(const Option& option) {
  option.Warn(msg::kNoEffect, "accepted for compatibility, no effect", "remove it");
}

void WarnNotBuilt(const Option& option, std::string_view feature) {
  option.Warn(msg::kNotBuilt, fmt::format("this build has no {}, the option is ignored", feature),
              "remove it");
}

void ReportUnknownOption(const SectionText& text, const Element& element,
                         std::span<const std::string_view> known) {
  text.problems.Error(msg::kInvalidElement.id, text.file, element.line,
                      OptionName(text.section, element) + ": unknown option",
                      Suggest(element.name, known));
}

bool SameName(std::string_view name, std::string_view known, bool any_case) {
  return any_case ? base::EqualsIgnoreCase(name, known) : name == known;
}

}  // namespace ospatrol::config
