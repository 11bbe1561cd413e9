// A <rule> element as written: what the file says, before patterns are compiled. Kept apart from
// Rule because `overwrite` works on what was written (4.8).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysisd/correlation.h"
#include "analysisd/rule.h"
#include "config/dialect.h"
#include "config/problems.h"
#include "log/messages.h"

namespace ospatrol::analysisd {

class DecoderSet;
class ListSet;

// Where a rule stands, and the way its problems are told: "rules/x.xml:14: rule 5716: ...".
class RuleScope {
 public:
  RuleScope(const DecoderSet& known_decoders, const ListSet& known_lists,
            config::Problems& problems, std::string file)
      : decoders(known_decoders), lists(known_lists), problems_(problems), file_(std::move(file)) {}

  void SetRule(int id, int line) { id_ = id, line_ = line; }
  const std::string& file() const { return file_; }
  int line() const { return line_; }

  // `line` 0 = the rule's own line. `id` is the number of the message.
  void Error(int id, int line, const std::string& text, std::string remedy = {});
  void Warning(int line, const std::string& text, std::string remedy = {}) {
    WarningWithId(msg::kRuleDoubtful.id, line, text, std::move(remedy));
  }
  void WarningWithId(int id, int line, const std::string& text, std::string remedy = {});
  size_t error_count() const { return problems_.error_count(); }

  const DecoderSet& decoders;
  const ListSet& lists;

 private:
  std::string Prefix() const;

  config::Problems& problems_;
  std::string file_;
  int id_ = 0;
  int line_ = 0;
};

struct RuleDraft {
  int id = 0;
  std::optional<int> level;
  int maxsize = 0;
  int frequency = 0;
  std::optional<int> timeframe;
  int ignore_seconds = 0;
  bool accurate = true;
  bool noalert = false;
  bool overwrite = false;

  // Texts of repeated elements are joined without separator.
  struct Joined {
    std::string text;
    int line = 0;  // of the first; 0 = not given
    explicit operator bool() const { return line != 0; }
    void Append(const config::Element& element) {
      text += element.content;
      if (line == 0) line = element.line;
    }
  };
  Joined if_sid, if_group, if_level;
  Joined if_matched_sid, if_matched_group, if_matched_regex;

  std::vector<ComparedValue> same, different;
  int comparison_line = 0;  // of the first same_ or different_ element

  std::optional<Category> category;
  std::string description, group, info_text, cve;
  std::vector<Rule::Info> infos;
  std::vector<std::string> mitre_ids;
  unsigned ignore_fields = 0, check_ignored_fields = 0;
  std::vector<std::string> options;

  std::vector<config::Element> conditions;  // elements of the condition table, in file order
  bool both_urls = false;  // overwrite_compat: the old <url_pcre2> holds beside the new <url>

  std::string file;
  int line = 0;
};

// An attribute that is not among `known`. One that looks like a misspelt name of them is an error,
// and any is when `strict`; others are ignored with a warning, because rules written for other
// programs have them (2.1, 4.16).
void TellUnknownAttribute(const config::Element& element, const config::Attribute& attribute,
                          std::span<const std::string_view> known, bool strict, RuleScope& scope);

// Reads one element. `group` is the name of the enclosing <group>. Nothing when there was an error
// (told to `scope`).
std::optional<RuleDraft> ReadRule(const config::Element& element, std::string_view group,
                                  RuleScope& scope);

// Names of everything that a <rule> may hold, conditions included, and of its attributes: for
// messages and tests.
std::vector<std::string_view> RuleElementNames();
std::vector<std::string_view> RuleAttributeNames();

// 4.8: `replacement` put in place of `original`, as OSPatrol does it (everything) or as OSSEC does
// (`compatible`).
RuleDraft Overwrite(const RuleDraft& original, RuleDraft replacement, bool compatible);

}  // namespace ospatrol::analysisd
