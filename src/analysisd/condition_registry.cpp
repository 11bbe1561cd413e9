#include "analysisd/condition_registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysisd/condition_factories.h"
#include "base/text.h"

namespace ospatrol::analysisd {
namespace {

using pattern::Language;
using Source = RequiredTexts::Source;

template <Field F>
std::string_view Read(const Event& event) {
  return event.Get(F);
}
std::string_view ReadProgram(const Event& event) { return event.program_name; }
std::string_view ReadLog(const Event& event) { return event.log; }
std::string_view ReadHostname(const Event& event) { return event.hostname; }
std::string_view ReadUser(const Event& event) {
  const std::string_view destination = event.Get(Field::kDstUser);
  return IsSet(destination) ? destination : event.Get(Field::kSrcUser);
}

ConditionSpec Text(std::string_view element, std::string_view twin,
                   std::string_view (*read)(const Event&), Language language = Language::kOsMatch,
                   std::optional<Source> source = Source::kField) {
  return {.element = element,
          .twin = twin,
          .repetition = Repetition::kTogether,
          .make = MakeText,
          .survives_overwrite = false,
          .read = read,
          .language = language,
          .source = source,
          .attributes = {"type", "negate"}};
}

ConditionSpec Geo(std::string_view element, std::string_view twin,
                  std::string_view (*read)(const Event&)) {
  ConditionSpec spec = Text(element, twin, read, Language::kOsMatch, std::nullopt);
  spec.survives_overwrite = true;
  return spec;
}

ConditionSpec Exact(std::string_view element, std::string_view (*read)(const Event&)) {
  ConditionSpec spec = Text(element, "", read, Language::kOsMatch, std::nullopt);
  spec.exact = true;
  return spec;
}

ConditionSpec Special(std::string_view element, Repetition repetition, ConditionFactory make,
                      bool survives_overwrite = false,
                      std::vector<std::string_view> attributes = {}) {
  return {.element = element,
          .twin = "",
          .repetition = repetition,
          .make = make,
          .survives_overwrite = survives_overwrite,
          .attributes = std::move(attributes)};
}

ConditionSpec DynamicField() {
  ConditionSpec spec =
      Special("field", Repetition::kEach, MakeField, true, {"name", "type", "negate"});
  spec.language = Language::kOsRegex;
  return spec;
}

ConditionSpec ListLookup() {
  ConditionSpec spec =
      Special("list", Repetition::kEach, MakeList, true, {"field", "lookup", "check_value"});
  spec.strict_attributes = true;
  return spec;
}

std::vector<ConditionSpec> BuildTable() {
  return {
      Special("decoded_as", Repetition::kLast, MakeDecodedAs),
      Text("program_name", "program_name_pcre2", ReadProgram),
      Text("id", "id_pcre2", Read<Field::kId>),
      Text("match", "match_pcre2", ReadLog, Language::kOsMatch, Source::kMessage),
      Text("regex", "pcre2", ReadLog, Language::kOsRegex, Source::kMessage),
      Exact("action", Read<Field::kAction>),
      Text("url", "url_pcre2", Read<Field::kUrl>),
      DynamicField(),
      Special("srcip", Repetition::kTogether, MakeSourceAddress, false, {"negate"}),
      Special("dstip", Repetition::kTogether, MakeDestinationAddress, false, {"negate"}),
      Text("srcport", "srcport_pcre2", Read<Field::kSrcPort>),
      Text("dstport", "dstport_pcre2", Read<Field::kDstPort>),
      Special("compiled_rule", Repetition::kLast, MakeCompiledRule),
      Text("user", "user_pcre2", ReadUser),
      Geo("srcgeoip", "srcgeoip_pcre2", Read<Field::kSrcGeoip>),
      Geo("dstgeoip", "dstgeoip_pcre2", Read<Field::kDstGeoip>),
      // The attribute maxsize stands here: see MakeConditions.
      Special("time", Repetition::kLast, MakeTime),
      Special("weekday", Repetition::kLast, MakeWeekday),
      Text("extra_data", "extra_data_pcre2", Read<Field::kData>),
      Text("hostname", "hostname_pcre2", ReadHostname, Language::kOsMatch, std::nullopt),
      Text("status", "status_pcre2", Read<Field::kStatus>),
      Special("check_diff", Repetition::kLast, MakeCheckDiff),
      Special("if_fts", Repetition::kLast, MakeIfFts),
      ListLookup(),
  };
}

constexpr std::string_view kFirstBehindMaxSize = "time";

using Elements = std::vector<const config::Element*>;

struct Given {
  const config::Element* element;
  const ConditionSpec* spec;
  bool twin;
};

std::vector<Given> Look(const RuleDraft& draft) {
  std::vector<Given> found;
  found.reserve(draft.conditions.size());
  for (const config::Element& element : draft.conditions) {
    const ConditionSpec* spec = FindCondition(element.name);
    if (spec == nullptr) continue;
    found.push_back({&element, spec, !base::EqualsIgnoreCase(spec->element, element.name)});
  }
  return found;
}

Elements Select(const std::vector<Given>& given, const ConditionSpec& spec, bool twin) {
  Elements found;
  for (const Given& one : given) {
    if (one.spec == &spec && one.twin == twin) found.push_back(one.element);
  }
  return found;
}

void CheckAttributes(const ConditionInput& input) {
  std::span<const std::string_view> known = input.spec.attributes;
  if (input.pcre2) known = {};
  for (const config::Element* element : input.elements) {
    for (const config::Attribute& attribute : element->attributes) {
      const auto is_it = [&](std::string_view name) {
        return base::EqualsIgnoreCase(name, attribute.name);
      };
      if (std::any_of(known.begin(), known.end(), is_it)) continue;
      TellUnknownAttribute(*element, attribute, known, input.spec.strict_attributes, input.scope);
    }
  }
}

void Make(const ConditionInput& input, std::vector<std::unique_ptr<const Condition>>& made) {
  CheckAttributes(input);
  const auto add = [&](std::span<const config::Element* const> elements) {
    if (auto condition = input.spec.make({input.spec, input.pcre2, elements, input.scope})) {
      made.push_back(std::move(condition));
    }
  };
  switch (input.spec.repetition) {
    case Repetition::kTogether:
      add(input.elements);
      break;
    case Repetition::kLast:
      add(input.elements.last(1));
      break;
    case Repetition::kEach:
      for (size_t i = 0; i < input.elements.size(); ++i) add(input.elements.subspan(i, 1));
      break;
  }
}

}  // namespace

std::string_view ConditionInput::name() const { return pcre2 ? spec.twin : spec.element; }

std::string ConditionInput::Joined() const {
  std::string text;
  for (const config::Element* element : elements) text += element->content;
  return text;
}

void ConditionInput::Error(int id, const std::string& text, std::string remedy) const {
  scope.Error(id, last().line, fmt::format("<{}>: {}", name(), text), std::move(remedy));
}

void ConditionInput::Warning(const std::string& text, std::string remedy) const {
  scope.Warning(last().line, fmt::format("<{}>: {}", name(), text), std::move(remedy));
}

std::span<const ConditionSpec> ConditionTable() {
  static const std::vector<ConditionSpec> table = BuildTable();
  return table;
}

const ConditionSpec* FindCondition(std::string_view element) {
  for (const ConditionSpec& spec : ConditionTable()) {
    if (base::EqualsIgnoreCase(spec.element, element)) return &spec;
    if (!spec.twin.empty() && base::EqualsIgnoreCase(spec.twin, element)) return &spec;
  }
  return nullptr;
}

std::vector<std::unique_ptr<const Condition>> MakeConditions(const RuleDraft& draft,
                                                             RuleScope& scope) {
  std::vector<std::unique_ptr<const Condition>> made;
  const std::vector<Given> given = Look(draft);
  for (const ConditionSpec& spec : ConditionTable()) {
    if (spec.element == kFirstBehindMaxSize && draft.maxsize > 0) {
      made.push_back(MakeMaxSize(draft.maxsize));
    }
    const Elements plain = Select(given, spec, false);
    const Elements pcre2 = Select(given, spec, true);
    const bool both = draft.both_urls && spec.element == "url";
    if (!plain.empty() && !pcre2.empty() && !both) {
      scope.Warning(pcre2.front()->line, fmt::format("<{}> is ignored, because <{}> is given too",
                                                     spec.twin, spec.element));
    }
    if (!plain.empty()) Make({spec, false, plain, scope}, made);
    if (!pcre2.empty() && (plain.empty() || both)) Make({spec, true, pcre2, scope}, made);
  }
  return made;
}

}  // namespace ospatrol::analysisd
