#include "analysisd/rule_files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "../temporary_directory.h"
#include "analysisd/processors.h"
#include "base/files.h"
#include "judging.h"

namespace ospatrol::analysisd {
namespace {

using testing::HasSubstr;
using testing::Not;

// This thread, and those that it starts, on one processor.
class OneProcessor {
 public:
  OneProcessor() {
    ::sched_getaffinity(0, sizeof(before_), &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE; ++i) {
      if (!CPU_ISSET(i, &before_)) continue;
      CPU_SET(i, &one);
      break;
    }
    ::sched_setaffinity(0, sizeof(one), &one);
  }
  ~OneProcessor() { ::sched_setaffinity(0, sizeof(before_), &before_); }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  cpu_set_t before_;
};

class RuleFilesTest : public testing::Test {
 protected:
  void Write(const std::string& name, std::string_view text) {
    std::filesystem::create_directories(directory_ / "rules");
    if (!text.empty()) base::WriteFileAtomically(directory_ / name, text, 0600);
    section_.rules.push_back(
        {config::RulesSection::File{name, {"etc/ospatrol.conf", 3}}, std::nullopt});
  }

  // What a load tells, and the rules that it makes.
  std::string Load() {
    const Home home(directory_.path());
    config::Problems problems;
    const DecoderSet decoders;
    const ListSet lists;
    RuleFiles files(home, section_);
    const auto rules = LoadRules(files, JudgingOptions(), decoders, lists, problems);
    std::string told = ProblemText(problems);
    for (const auto& rule : rules->rules()) {
      told += fmt::format("{} at {}:{}:", rule->id, rule->file, rule->line);
      for (const auto& condition : rule->conditions) {
        const std::string* text = condition->PatternText();
        told += fmt::format(" {} {}", condition->element(), text != nullptr ? *text : "");
      }
      told += '\n';
    }
    return told;
  }

  TemporaryDirectory directory_;
  config::RulesSection section_;
};

TEST_F(RuleFilesTest, GiveTheSameRulesAndMessagesWithAndWithoutASecondProcessor) {
  Write("rules/rules_config.xml", kTemplates);
  for (int file = 0; file < 40; ++file) {
    const int id = 1000 + file * 10;
    Write(fmt::format("rules/{}.xml", file),
          fmt::format(
              "<var name=\"V\">value{0}</var>\n<group name=\"g{0},\">\n"
              "<rule id=\"{1}\" level=\"3\"><match>$V|b</match><match>c</match></rule>\n"
              "<rule id=\"{2}\" level=\"3\"><if_sid>{1}</if_sid><pcre2>^a(\\d+)$</pcre2>"
              "<id type=\"pcre2\">^{0}</id><action>x</action></rule>\n"
              "<rule id=\"{3}\" level=\"3\"><url>same</url><user type=\"odd\">same</user></rule>\n"
              "{4}</group>",
              file, id, id + 1, id + 2,
              file % 7 == 3 ? "<rule id=\"9\" level=\"1\"><regex>(</regex></rule>\n" : ""));
    if (file % 9 == 4) Write(fmt::format("rules/gone{}.xml", file), "");
    if (file % 9 == 5) Write(fmt::format("rules/bad{}.xml", file), "<group name=\"x\"><rule>");
    if (file % 9 == 6) Write(fmt::format("rules/v{}.xml", file), "<group name=\"$X\"><r/></group>");
  }
  std::string alone;
  {
    const OneProcessor one;
    ASSERT_EQ(Processors(), 1U);
    alone = Load();
  }
  EXPECT_THAT(alone, HasSubstr("1000 at rules/0.xml:3: match value0|bc"));
  EXPECT_THAT(alone, HasSubstr("rules/3.xml:6: rule 9: <regex>: pattern '(' does not compile"));
  EXPECT_THAT(alone, HasSubstr("gone4.xml"));
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Load(), alone);
}

TEST_F(RuleFilesTest, EndWhenNobodyTakesThem) {
  for (int file = 0; file < 30; ++file) {
    Write(fmt::format("rules/{}.xml", file), "<group name=\"g,\"><rule/></group>");
  }
  const Home home(directory_.path());
  const RuleFiles files(home, section_);
  EXPECT_EQ(files.size(), 30U);
}

TEST(PreparedPatterns, AreGivenAwayOnceAndCompiledAgainThen) {
  PreparedPatterns patterns;
  patterns.Add(pattern::Language::kPcre2, "^a+");
  patterns.Add(pattern::Language::kOsRegex, "^a+");
  patterns.Add(pattern::Language::kPcre2, "(");
  pattern::CompileError error;
  for (int i = 0; i < 3; ++i) {
    const auto pattern = patterns.Compile(pattern::Language::kPcre2, "^a+", &error);
    ASSERT_NE(pattern, nullptr);
    EXPECT_EQ(pattern->language(), pattern::Language::kPcre2);
    EXPECT_EQ(pattern->text(), "^a+");
  }
  EXPECT_EQ(patterns.Compile(pattern::Language::kPcre2, "(", &error), nullptr);
  EXPECT_FALSE(error.reason.empty());
}

}  // namespace
}  // namespace ospatrol::analysisd
