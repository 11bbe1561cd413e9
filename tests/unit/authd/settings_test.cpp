#include "authd/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "../temporary_directory.h"

namespace ospatrol::authd {
namespace {

using testing::HasSubstr;

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() : home_(directory_.path()) { std::filesystem::create_directories(home_ / "etc"); }

  void Write(std::string_view file, const std::string& text) {
    std::ofstream(home_ / file) << text;
  }
  Password Load() { return LoadPassword(home_, false, problems_); }

  TemporaryDirectory directory_;
  Home home_;
  config::Problems problems_;
};

TEST_F(SettingsTest, ThePasswordIsTheFirstLine) {
  for (const char* content : {"topsecret\n", "topsecret", "topsecret\r\nmore\n"}) {
    Write(paths::kAuthdPassword, content);
    EXPECT_EQ(Load().text, "topsecret");
  }
  EXPECT_FALSE(problems_.HasErrors());
}

TEST_F(SettingsTest, WithoutAFileThereIsNone) {
  EXPECT_EQ(Load().text, std::nullopt);
  EXPECT_FALSE(problems_.HasErrors());
  EXPECT_EQ(RandomPassword().size(), 32U);
  EXPECT_NE(RandomPassword(), RandomPassword());
}

TEST_F(SettingsTest, AShortPasswordIsAnErrorAndNeverNone) {
  for (const char* content : {"", "\n", "x\n", "ab\n", "\nsecond line\n"}) {
    Write(paths::kAuthdPassword, content);
    config::Problems problems;
    LoadPassword(home_, false, problems);
    EXPECT_TRUE(problems.HasErrors()) << content;
    EXPECT_THAT(problems.all().front().Line(), HasSubstr("etc/authd.pass:1: "));
  }
}

TEST_F(SettingsTest, NoPasswordWithTheFlag) {
  Write(paths::kAuthdPassword, "topsecret\n");
  EXPECT_EQ(LoadPassword(home_, true, problems_).text, std::nullopt);
}

TEST_F(SettingsTest, FlagsWinOverOptions) {
  Write(paths::kInternalOptions, "authd.force_after=100\nauthd.rate_limit=7\n");
  Write(paths::kLocalInternalOptions, "");
  EXPECT_EQ(LoadSettings(home_, {}, problems_).force_after, std::chrono::seconds(100));
  EXPECT_EQ(LoadSettings(home_, {}, problems_).attempts_per_minute, 7U);
  EXPECT_FALSE(LoadSettings(home_, {}, problems_).source_address);
  Flags flags;
  flags.force_after = std::chrono::seconds(5);
  flags.source_address = true;
  EXPECT_EQ(LoadSettings(home_, flags, problems_).force_after, std::chrono::seconds(5));
  EXPECT_TRUE(LoadSettings(home_, flags, problems_).source_address);
}

}  // namespace
}  // namespace ospatrol::authd
