#include "config/rule_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace ospatrol::config {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;
namespace fs = std::filesystem;

class RuleFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(prefix_);
    for (const char* name : {"rules/b_rules.xml", "rules/a_rules.xml", "rules/notes.txt",
                             "rules/.hidden.xml", "rules/Z.xml", "other/a_rules.xml",
                             "other/own.xml", "etc/decoder.xml", "decoders/one.xml"}) {
      fs::create_directories((prefix_ / name).parent_path());
      std::ofstream(prefix_ / name) << "\n";
    }
    fs::create_directories(prefix_ / "rules/sub.xml");
  }
  void TearDown() override { fs::remove_all(prefix_); }

  static RulesSection::Entry File(std::string path) {
    return {RulesSection::File{std::move(path), {"etc/ospatrol.conf", 3}}, std::nullopt};
  }
  static RulesSection::Entry Directory(std::string path, std::string pattern = ".xml$") {
    return {std::nullopt,
            RulesSection::Directory{std::move(path), std::move(pattern), {"etc/ospatrol.conf", 4}}};
  }

  std::vector<std::string> Expand(RuleFileKind kind) {
    std::vector<std::string> paths;
    for (const auto& file : ExpandRuleFiles(Home(prefix_), section_, kind, problems_)) {
      paths.push_back(file.path);
    }
    return paths;
  }

  const fs::path prefix_ =
      fs::path(::testing::TempDir()) / ("rule_files_test." + std::to_string(::getpid()));
  RulesSection section_;
  Problems problems_;
};

TEST_F(RuleFiles, KeepTheOrderAndListDirectoriesInByteOrder) {
  section_.rules = {File("rules/b_rules.xml"), Directory("rules"), File("rules/last.xml")};
  EXPECT_THAT(Expand(RuleFileKind::kRules),
              ElementsAre("rules/b_rules.xml", "rules/.hidden.xml", "rules/Z.xml",
                          "rules/a_rules.xml", "rules/last.xml"));
  EXPECT_FALSE(problems_.HasErrors());
}

TEST_F(RuleFiles, SearchThePatternInDirectoryAndName) {
  section_.rules = {Directory("rules", "_rules.xml$")};
  EXPECT_THAT(Expand(RuleFileKind::kRules), ElementsAre("rules/a_rules.xml", "rules/b_rules.xml"));
  section_.rules = {Directory("rules", "^rules/b")};
  EXPECT_THAT(Expand(RuleFileKind::kRules), ElementsAre("rules/b_rules.xml"));
}

TEST_F(RuleFiles, SkipAFileWhoseBareNameWasListed) {
  section_.rules = {File("rules/a_rules.xml"), Directory("other")};
  EXPECT_THAT(Expand(RuleFileKind::kRules), ElementsAre("rules/a_rules.xml", "other/own.xml"));
}

TEST_F(RuleFiles, NameTheLineOfADirectoryThatCannotBeRead) {
  section_.rules = {Directory("missing")};
  EXPECT_TRUE(Expand(RuleFileKind::kRules).empty());
  ASSERT_EQ(problems_.error_count(), 1U);
  EXPECT_EQ(problems_.all()[0].Line(),
            "etc/ospatrol.conf:4: <rules>: directory 'missing' cannot be read: No such file or "
            "directory; expected a directory relative to the installation");
}

TEST_F(RuleFiles, RefuseAPatternThatDoesNotCompile) {
  section_.rules = {Directory("rules", "(x")};
  EXPECT_TRUE(Expand(RuleFileKind::kRules).empty());
  ASSERT_EQ(problems_.error_count(), 1U);
  EXPECT_THAT(problems_.all()[0].Line(), StartsWith("etc/ospatrol.conf:4: <rules>: pattern '(x'"));
}

TEST_F(RuleFiles, FallBackToTheDefaultDecoders) {
  EXPECT_THAT(Expand(RuleFileKind::kDecoders), ElementsAre("etc/decoder.xml"));
  std::ofstream(prefix_ / "etc/local_decoder.xml") << "\n";
  EXPECT_THAT(Expand(RuleFileKind::kDecoders),
              ElementsAre("etc/decoder.xml", "etc/local_decoder.xml"));
  section_.decoders = {Directory("decoders")};
  EXPECT_THAT(Expand(RuleFileKind::kDecoders), ElementsAre("decoders/one.xml"));
  section_.decoders = {Directory("decoders", "nothing")};
  EXPECT_THAT(Expand(RuleFileKind::kDecoders),
              ElementsAre("etc/decoder.xml", "etc/local_decoder.xml"));
}

}  // namespace
}  // namespace ospatrol::config
