// The options of one section as a table: one line an option, typed. Used by section_<name>.cpp
// only.
//
//   constexpr OptionRow<AlertsSection> kOptions[] = {
//       {"log_alert_level", Number<&AlertsSection::log_alert_level, 0, 255>},
//   };
//
// A reader function gets the option and the struct; it stores the value or reports what was
// expected.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/dialect.h"
#include "config/problems.h"
#include "log/message.h"
#include "pattern/ip_list.h"

namespace ospatrol::config {

// One option where it stands, with the words to complain about it.
class Option {
 public:
  Option(const Element& section, const Element& element, std::string_view file, Problems& problems)
      : section_(section), element_(element), file_(file), problems_(problems) {}

  const Element& element() const { return element_; }
  std::string_view name() const { return element_.name; }
  std::string_view file() const { return file_; }
  int line() const { return element_.line; }

  const std::string& raw() const { return element_.content; }
  std::string_view trimmed() const;

  // "<section><option>: 'value' is not valid; expected EXPECTED", error 1235.
  void Invalid(std::string_view expected) const;
  void Error(const log::Message& message, std::string_view text, std::string remedy) const;
  void Warn(const log::Message& message, std::string_view text, std::string remedy) const;

 private:
  std::string Where() const;

  const Element& section_;
  const Element& element_;
  std::string_view file_;
  Problems& problems_;
};

// Typed values; nothing after a complaint. White space around them does not count (3.1).
std::optional<bool> YesNoValue(const Option& option);
std::optional<int64_t> NumberValue(const Option& option, int64_t min, int64_t max);

// Ids separated by commas and white space. Reading stops at the first other character, with a WARN.
std::vector<int> IdListValue(const Option& option);

// Index of the trimmed value in `words`.
std::optional<size_t> WordValue(const Option& option, std::span<const std::string_view> words);

// One numeric address, without "/len".
std::optional<std::string> AddressValue(const Option& option);
// [!] address [/len], any, !any.
std::optional<pattern::IpNetwork> NetworkValue(const Option& option);

// As written, but not empty; an empty one is error 1235 naming `expected`.
std::optional<std::string> TextValue(const Option& option, std::string_view expected);

// The five predefined entities decoded (only for the options that 3.1 names).
std::string DecodeEntities(std::string_view text);

template <typename Section>
struct OptionRow {
  std::string_view name;
  void (*read)(const Option& option, Section& section);
  bool any_case = false;  // the name is compared without case
};

template <auto Member, typename Section>
void YesNo(const Option& option, Section& section) {
  if (const auto value = YesNoValue(option)) section.*Member = *value;
}

template <auto Member, int64_t kMin, int64_t kMax, typename Section>
void Number(const Option& option, Section& section) {
  if (const auto value = NumberValue(option, kMin, kMax))
    section.*Member = static_cast<int>(*value);
}

// As written: not trimmed, may be empty.
template <auto Member, typename Section>
void String(const Option& option, Section& section) {
  section.*Member = option.raw();
}

// As written, with the predefined entities decoded.
template <auto Member, typename Section>
void Decoded(const Option& option, Section& section) {
  section.*Member = DecodeEntities(option.raw());
}

void WarnNoEffect(const Option& option);
void WarnNotBuilt(const Option& option, std::string_view feature);

// Options that are accepted so that old files load.
template <typename Section>
void NoEffect(const Option& option, Section& /*section*/) {
  WarnNoEffect(option);
}

struct SectionText {
  const Element& section;
  std::string_view file;
  Problems& problems;
};

void ReportUnknownOption(const SectionText& text, const Element& element,
                         std::span<const std::string_view> known);
bool SameName(std::string_view name, std::string_view known, bool any_case);

enum class UnknownOptions { kError, kIgnore };

// Reads all children of a section by its table. <var> elements are skipped (3.1).
template <typename Section, size_t N>
void ReadOptions(const SectionText& text, const OptionRow<Section> (&rows)[N], Section& section,
                 UnknownOptions unknown = UnknownOptions::kError) {
  for (const Element& element : text.section.children) {
    if (element.name == "var") continue;
    const OptionRow<Section>* match = nullptr;
    for (const OptionRow<Section>& row : rows) {
      if (SameName(element.name, row.name, row.any_case)) match = &row;
    }
    if (match != nullptr) {
      match->read(Option(text.section, element, text.file, text.problems), section);
    } else if (unknown == UnknownOptions::kError) {
      std::vector<std::string_view> known;
      for (const OptionRow<Section>& row : rows) known.push_back(row.name);
      ReportUnknownOption(text, element, known);
    }
  }
}

}  // namespace ospatrol::config
