// Every element and attribute of <rule> has a row in tests/data/rule-elements.tsv:
//   name, attributes and elements of rule 500000, lines that make it fire, lines that do not,
//   attributes and elements with a bad value, and the problem that is told. "||" separates the
//   lines of one sequence, of which the last decides; ";;" separates sequences. "@" at the end of a
//   line: "@10:31" the time of day, "@sunday" the weekday,
//   "@+10" seconds since the line before, "@host2" another host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "analysisd/compiled_rules.h"
#include "analysisd/condition_registry.h"
#include "analysisd/rule_draft.h"
#include "base/text.h"
#include "judging.h"

namespace ospatrol::analysisd {
namespace {

using testing::HasSubstr;

constexpr int kRule = 500000;

struct Row {
  std::string name, attributes, elements, fires, silent, bad_attributes, bad_elements, problem;
};

std::vector<Row> ReadRows() {
  std::ifstream file(std::string(OSPATROL_TEST_DATA) + "/rule-elements.tsv");
  std::vector<Row> rows;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::vector<std::string> cells;
    for (const std::string_view cell : base::Split(line, '\t')) {
      cells.emplace_back(cell == "-" ? "" : cell);
    }
    EXPECT_EQ(cells.size(), 8u) << line;
    cells.resize(8);
    rows.push_back(
        {cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], cells[7]});
  }
  return rows;
}

const std::vector<Row>& Rows() {
  static const std::vector<Row> rows = ReadRows();
  return rows;
}

bool Names(std::string_view attributes, std::string_view name) {
  return attributes.starts_with(fmt::format("{}=", name)) ||
         attributes.find(fmt::format(" {}=", name)) != std::string_view::npos;
}

Parts PartsOf(std::string_view attributes, std::string_view elements) {
  std::string all(attributes);
  if (!Names(attributes, "id")) all += fmt::format(" id=\"{}\"", kRule);
  if (!Names(attributes, "level")) all += " level=\"3\"";
  return Parts{.rules = fmt::format(R"(<group name="local,">
<rule id="400000" level="3"><decoded_as>k</decoded_as><match>count</match><description>c</description><group>counted,</group></rule>
<rule id="400001" level="12"><match>high</match><description>h</description></rule>
<rule id="400002" level="1"><match>prefer</match><description>p</description></rule>
<rule {}>{}<description>d</description></rule>
</group>)",
                                    all, elements),
               .lists = {{"vector", "10.0.0.5:x\n"}}};
}

std::vector<std::string> Pieces(std::string_view text, std::string_view separator) {
  std::vector<std::string> pieces;
  while (true) {
    const size_t at = text.find(separator);
    pieces.emplace_back(base::Trim(text.substr(0, at)));
    if (at == std::string_view::npos) return pieces;
    text = text.substr(at + separator.size());
  }
}

// "k: text" gets a header that names program k; anything else comes as it stands.
class Line {
 public:
  explicit Line(std::string text) : text_(std::move(text)) {
    const size_t at = text_.rfind(" @");
    if (at == std::string::npos) return;
    note_ = text_.substr(at + 2);
    text_.resize(at);
  }
  void Receive(Judging& judging, base::Seconds& time) const {
    if (note_.starts_with('+')) time += *base::ParseNumber<int>(note_.substr(1));
    const size_t colon = text_.find(": ");
    judging.event.Reset();
    judging.event.Assign(
        '1', "/x",
        colon == std::string::npos
            ? text_
            : fmt::format("Feb  9 11:44:56 {} {}: {}", note_ == "host2" ? "host2" : "h",
                          text_.substr(0, colon), text_.substr(colon + 2)),
        time);
    judging.engine->Decode(judging.event);
    judging.event.local.tm_hour = 10;
    judging.event.local.tm_min = 30;
    judging.event.local.tm_wday = note_ == "sunday" ? 0 : 3;
    if (const size_t hour = note_.find(':'); hour != std::string::npos) {
      judging.event.local.tm_hour = *base::ParseNumber<int>(note_.substr(0, hour));
      judging.event.local.tm_min = *base::ParseNumber<int>(note_.substr(hour + 1));
    }
    SetGeo(judging.event, "srcgeoip=", Field::kSrcGeoip);
    SetGeo(judging.event, "dstgeoip=", Field::kDstGeoip);
  }

 private:
  // No decoder delivers these without a database.
  static void SetGeo(Event& event, std::string_view key, Field field) {
    const size_t at = event.log.find(key);
    if (at == std::string_view::npos) return;
    const std::string_view value = event.log.substr(at + key.size());
    event.Set(field, value.substr(0, value.find(' ')));
  }

  std::string text_;
  std::string note_;
};

// Does the last line of the sequence make the rule alert?
bool Fires(const Row& row, const std::string& sequence) {
  Judging judging(PartsOf(row.attributes, row.elements));
  base::Seconds time = 1'000'000;
  bool fires = false;
  for (const std::string& text : Pieces(sequence, "||")) {
    Line(text).Receive(judging, time);
    const Verdict verdict = judging.engine->Judge(judging.event);
    fires = verdict.rule != nullptr && verdict.rule->id == kRule && !verdict.silenced;
  }
  return fires;
}

TEST(RuleElements, HaveARowEach) {
  std::set<std::string> rows;
  for (const Row& row : Rows()) {
    EXPECT_TRUE(rows.insert(row.name).second) << row.name << " has two rows";
  }
  for (const std::string_view name : RuleElementNames()) {
    EXPECT_EQ(rows.erase(std::string(name)), 1u) << "no row for <" << name << ">";
  }
  for (const std::string_view name : RuleAttributeNames()) {
    EXPECT_EQ(rows.erase("@" + std::string(name)), 1u) << "no row for attribute " << name;
  }
  for (const std::string& name : rows) ADD_FAILURE() << "row for unknown " << name;
}

TEST(RuleElements, FireWhenTheirConditionHolds) {
  for (const Row& row : Rows()) {
    if (row.fires.empty()) continue;
    for (const std::string& sequence : Pieces(row.fires, ";;")) {
      EXPECT_TRUE(Fires(row, sequence)) << row.name << ": " << sequence;
    }
  }
}

TEST(RuleElements, AreSilentWhenTheirConditionDoesNotHold) {
  for (const Row& row : Rows()) {
    if (row.silent.empty()) continue;
    for (const std::string& sequence : Pieces(row.silent, ";;")) {
      EXPECT_FALSE(Fires(row, sequence)) << row.name << ": " << sequence;
    }
  }
}

TEST(RuleElements, TellWhatIsWrongWithABadValueAndWhere) {
  for (const Row& row : Rows()) {
    if (row.problem.empty()) continue;
    config::Problems problems;
    MakeRuleset(PartsOf(row.bad_attributes, row.bad_elements), problems);
    const std::string lines = ProblemText(problems);
    EXPECT_THAT(lines, HasSubstr(row.problem)) << row.name;
    EXPECT_THAT(lines, HasSubstr("rules/local_rules.xml:5: ")) << row.name;
    if (!Names(row.bad_attributes, "id")) {
      EXPECT_THAT(lines, HasSubstr("rule 500000: ")) << row.name;
    }
  }
}

TEST(RuleElements, IgnoreTheCaseOfTheirNames) {
  Judging judging(
      R"(<GROUP NAME="l,"><Rule ID="100" Level="3"><Decoded_As>k</Decoded_As><MATCH>x</MATCH><Description>d</Description></Rule></GROUP>)");
  EXPECT_EQ(judging.Rule(Syslog("k", "x")), 100);
}

// --- attributes `type` and `negate` ---

int FiresWith(std::string_view elements, std::string_view text) {
  Judging judging(PartsOf("", elements));
  return judging.Rule(Syslog("k", text)) == kRule;
}

TEST(TextConditions, TakeTheLanguageThatTypeNames) {
  EXPECT_TRUE(FiresWith(R"(<match type="pcre2">^a{3}$</match>)", "aaa"));
  EXPECT_FALSE(FiresWith(R"(<match>^a{3}$</match>)", "aaa"));
  EXPECT_TRUE(FiresWith(R"(<match type="OSRegex">^\d+$</match>)", "12"));
  EXPECT_TRUE(FiresWith(R"(<regex type="osmatch">\d</regex>)", R"(a\d)"));
  EXPECT_TRUE(
      FiresWith(R"(<field name="Colour" type="pcre2">^(red|blue)$</field>)", "colour=blue"));
  EXPECT_TRUE(FiresWith(R"(<action type="osmatch">^dr</action>)", "action=DROP"));
  EXPECT_FALSE(FiresWith(R"(<action>^dr</action>)", "action=DROP"));
}

TEST(TextConditions, NegateComparesOnlyValuesThatAreSet) {
  for (const char* elements :
       {R"(<id negate="yes">^7</id>)", R"(<field name="colour" negate="yes">^7</field>)",
        R"(<action negate="yes">7</action>)", R"(<srcip negate="yes">7.0.0.0/8</srcip>)"}) {
    EXPECT_TRUE(FiresWith(elements, "id=8 colour=8 action=8 srcip=8.8.8.8")) << elements;
    EXPECT_FALSE(FiresWith(elements, "id=7 colour=7 action=7 srcip=7.7.7.7")) << elements;
    EXPECT_FALSE(FiresWith(elements, "nothing")) << elements;
  }
}

TEST(TextConditions, JoinRepeatedElementsWithoutSeparator) {
  EXPECT_TRUE(FiresWith("<match>alpha|</match><match>beta</match>", "beta"));
  EXPECT_TRUE(FiresWith("<match>alp</match><match>ha</match>", "alpha"));
  EXPECT_FALSE(FiresWith("<match>alpha</match><match>beta</match>", "beta"));
  EXPECT_TRUE(FiresWith("<action>dr</action><action>op</action>", "action=drop"));
  // The last element's attributes hold for all of it.
  EXPECT_FALSE(FiresWith(R"(<match>alp</match><match negate="yes">ha</match>)", "alpha"));
}

TEST(TextConditions, PreferThePlainFormAndWarn) {
  Judging judging(PartsOf("", "<match>alpha</match><match_pcre2>beta</match_pcre2>"));
  EXPECT_EQ(judging.Rule(Syslog("k", "alpha")), kRule);
  EXPECT_EQ(judging.Rule(Syslog("k", "beta")), 0);
  EXPECT_THAT(ProblemText(judging.problems),
              HasSubstr("<match_pcre2> is ignored, because <match> is given too"));
}

TEST(TextConditions, WarnOfUnknownAttributesAndValues) {
  Judging judging(
      PartsOf("", R"(<match colour="x">a</match><id type="glob" negate="maybe">b</id>)"));
  const std::string lines = ProblemText(judging.problems);
  EXPECT_THAT(lines, HasSubstr("<match>: unknown attribute 'colour' is ignored; expected one of: "
                               "type, negate"));
  EXPECT_THAT(lines, HasSubstr("<id>: type='glob' is unknown and ignored"));
  EXPECT_THAT(lines, HasSubstr("<id>: negate='maybe' is unknown and ignored"));
}

// What a load of the elements tells as errors; "" = nothing.
std::string Errors(std::string_view elements) {
  config::Problems problems;
  MakeRuleset(PartsOf("", elements), problems);
  std::string lines;
  for (const config::Problem& problem : problems.all()) {
    if (problem.kind == config::Problem::Kind::kError && problem.line > 0) {
      lines += problem.Line() + "\n";
    }
  }
  return lines;
}

TEST(Attributes, ThatLookLikeAMisspeltNameAreErrors) {
  const std::pair<const char*, const char*> kRows[] = {
      {R"(<match typ="pcre2">a</match>)", "<match>: unknown attribute 'typ'; did you mean 'type'?"},
      {R"(<srcip negat="yes">10.0.0.1</srcip>)", "'negat'; did you mean 'negate'?"},
      {R"(<field name="a" tpye="pcre2">a</field>)", "<field>: unknown attribute 'tpye'"},
      {R"(<list field="srcip" lookkup="match_key">vector</list>)",
       "<list>: unknown attribute 'lookkup'; did you mean 'lookup'?"},
      {R"(<list field="srcip" colour="red">vector</list>)",
       "<list>: unknown attribute 'colour'; expected one of: field, lookup, check_value"},
      {R"(<info typpe="link">x</info>)", "<info>: unknown attribute 'typpe'; did you mean 'type'?"},
      {R"(<info type="lnk">x</info>)", "<info>: no type 'lnk'; did you mean 'link'?"},
      {"<compiled_rule>check_id_sise</compiled_rule>",
       "<compiled_rule>: no function 'check_id_sise'; did you mean 'check_id_size'?"},
  };
  for (const auto& [elements, error] : kRows) {
    EXPECT_THAT(Errors(elements), HasSubstr(error));
    EXPECT_THAT(Errors(elements), HasSubstr("rules/local_rules.xml:5: rule 500000: "));
  }
}

TEST(Attributes, OfOtherProgramsDoNotStopARuleFromLoading) {
  for (const char* elements :
       {R"(<match colour="red">a</match>)", R"(<pcre2 type="pcre2">a</pcre2>)",
        R"(<info lang="en">x</info>)", R"(<info type="handbook">x</info>)",
        "<compiled_rule>our_own_function</compiled_rule>"}) {
    EXPECT_EQ(Errors(elements), "") << elements;
    config::Problems problems;
    EXPECT_NE(MakeRuleset(PartsOf("", elements), problems), nullptr);
    EXPECT_THAT(ProblemText(problems), HasSubstr("; expected ")) << elements;
  }
}

TEST(Errors, EndWithWhatWasExpected) {
  for (const Row& row : Rows()) {
    if (row.problem.empty() || row.problem == "does not compile") continue;
    config::Problems problems;
    MakeRuleset(PartsOf(row.bad_attributes, row.bad_elements), problems);
    for (const config::Problem& problem : problems.all()) {
      if (problem.kind != config::Problem::Kind::kError || problem.line == 0) continue;
      EXPECT_THAT(problem.remedy, testing::ContainsRegex("^(expected|did you mean|add|check) "))
          << problem.Line();
    }
  }
}

TEST(AddressConditions, FollowTheOrderOfTheirEntries) {
  constexpr const char* kExcept = "<srcip>!10.1.1.1</srcip><srcip>10.0.0.0/8</srcip>";
  EXPECT_FALSE(FiresWith(kExcept, "srcip=10.1.1.1"));
  EXPECT_TRUE(FiresWith(kExcept, "srcip=10.1.1.2"));
  EXPECT_FALSE(FiresWith(kExcept, "srcip=11.1.1.2"));
  EXPECT_TRUE(FiresWith("<srcip>10.0.0.0/8</srcip><srcip>!10.1.1.1</srcip>", "srcip=10.1.1.1"));
}

TEST(FieldConditions, HoldOnlyTogether) {
  constexpr const char* kBoth = R"(<field name="colour">r</field><field name="colour">d$</field>)";
  EXPECT_TRUE(FiresWith(kBoth, "colour=red"));
  EXPECT_FALSE(FiresWith(kBoth, "colour=rot"));
}

// --- check_diff ---

TEST(CheckDiff, GivesThePreviousOutputPerHostAndRule) {
  Judging judging(PartsOf("", "<check_diff/>"));
  const auto judge = [&](std::string_view location, std::string_view text) {
    return judging.Judge(Syslog("k", text), 1000, location);
  };
  EXPECT_EQ(judge("(a) 1.1.1.1->out", "one").rule, nullptr);
  EXPECT_EQ(judge("(b) 1.1.1.2->out", "two").rule, nullptr);
  const Verdict changed = judge("(a) 9.9.9.9->other", "three");
  ASSERT_NE(changed.rule, nullptr);
  EXPECT_THAT(changed.last_events, testing::ElementsAre("Previous output:", "one"));
  EXPECT_EQ(judge("(a) 1.1.1.1->out", "three").rule, nullptr);
  EXPECT_NE(judge("(b) 1.1.1.2->out", std::string(20000, 'x')).rule, nullptr);
}

TEST(CheckDiff, ReplacesCounting) {
  Judging judging(
      PartsOf("frequency=\"9\"", "<if_matched_sid>400000</if_matched_sid><check_diff/>"));
  EXPECT_EQ(judging.Rule(Syslog("k", "count 1")), 400000);
  EXPECT_EQ(judging.Rule(Syslog("k", "count 2")), kRule);
}

// --- compiled rules ---

struct CompiledCase {
  std::string_view name, log;
  std::vector<std::pair<Field, std::string_view>> fields;
  bool holds;
};

TEST(CompiledRules, AnswerAsDescribed) {
  const std::vector<CompiledCase> cases{
      {"comp_srcuser_dstuser", "", {}, true},
      {"comp_srcuser_dstuser", "", {{Field::kSrcUser, "a"}}, true},
      {"comp_srcuser_dstuser", "", {{Field::kSrcUser, "a"}, {Field::kDstUser, "a"}}, true},
      {"comp_srcuser_dstuser", "", {{Field::kSrcUser, "a"}, {Field::kDstUser, "A"}}, false},
      {"check_id_size", "", {{Field::kId, "0123456789"}}, true},
      {"check_id_size", "", {{Field::kId, "012345678"}}, false},
      {"check_id_size", "", {}, false},
      {"is_simple_http_request", "", {{Field::kUrl, "/a"}}, true},
      {"is_simple_http_request", "", {{Field::kUrl, "/a"}, {Field::kAction, "get"}}, true},
      {"is_simple_http_request", "", {{Field::kUrl, "/a"}, {Field::kAction, "POST"}}, false},
      {"is_simple_http_request", "", {{Field::kUrl, "/a?b"}}, false},
      {"is_simple_http_request", "", {}, false},
      {"is_valid_crawler", "66.249.1.1 - -", {}, false},
      {"is_valid_crawler", "72.14.1.1 - -", {}, true},
      {"is_valid_crawler", "x 72.14.1.1", {}, false},
      {"comp_mswin_targetuser_calleruser_diff",
       "Target Account Name: bob  Target Domain: D  Caller User Name: adm  Caller Domain: D",
       {},
       true},
      {"comp_mswin_targetuser_calleruser_diff",
       "Target Account Name: bob  Target Domain: D  Caller User Name: bob  Caller Domain: D",
       {},
       false},
      {"comp_mswin_targetuser_calleruser_diff",
       "Target Account Name: bob  Caller User Name",
       {},
       false},
      {"comp_mswin_targetuser_calleruser_diff", "Caller User Name: bob", {}, false},
  };
  for (const CompiledCase& one : cases) {
    Event event;
    event.log = one.log;
    for (const auto& [field, value] : one.fields) event.Set(field, value);
    const CompiledRule* rule = FindCompiledRule(one.name);
    ASSERT_NE(rule, nullptr) << one.name;
    EXPECT_EQ(rule->holds(event), one.holds) << one.name << " " << one.log;
  }
}

TEST(CompiledRules, AnUnknownFunctionDisablesItsRuleOnly) {
  Judging judging(PartsOf("", "<compiled_rule>my_function</compiled_rule>"));
  EXPECT_EQ(judging.Rule(Syslog("k", "x")), 0);
  EXPECT_EQ(judging.Rule(Syslog("k", "count")), 400000);
}

}  // namespace
}  // namespace ospatrol::analysisd
