#include "remoted/shared_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "../temporary_directory.h"
#include "base/digest.h"
#include "base/files.h"

namespace ospatrol::remoted {
namespace {

class SharedFilesTest : public testing::Test {
 protected:
  SharedFilesTest() { std::filesystem::create_directories(folder_); }

  void Put(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name) << content;
  }
  std::string Merged() { return base::ReadFile(folder_ / "merged.mg"); }
  // A change counts when a second look finds it the same.
  bool Changed() {
    const bool first = files_.Check();
    return files_.Check() || first;
  }

  TemporaryDirectory directory_;
  std::filesystem::path folder_ = directory_ / "etc/shared";
  SharedFiles files_{Home(directory_.path())};
};

TEST_F(SharedFilesTest, MergesRegularFilesByName) {
  Put("b.txt", "bb");
  Put("a.conf", "a\n");
  Put(".hidden", "x");
  std::filesystem::create_directory(folder_ / "folder");
  files_.Build();
  EXPECT_EQ(Merged(), "!2 a.conf\na\n!2 b.txt\nbb");
  EXPECT_EQ(files_.bundle()->merged(), Merged());
  EXPECT_EQ(files_.bundle()->md5, base::Md5Hex(Merged()));
  EXPECT_EQ(files_.bundle()->files.size(), 2U);
}

TEST_F(SharedFilesTest, NoticesChangesOnceTheyHaveSettled) {
  Put("a", "one");
  files_.Build();
  EXPECT_FALSE(Changed());
  Put("a", "other");
  EXPECT_FALSE(files_.Check());
  EXPECT_TRUE(files_.Check());
  EXPECT_EQ(Merged(), "!5 a\nother");
  std::filesystem::remove(folder_ / "a");
  EXPECT_TRUE(Changed());
  EXPECT_EQ(Merged(), "");
}

TEST_F(SharedFilesTest, SaysNothingWhenTheContentIsTheSame) {
  Put("a", "one");
  files_.Build();
  std::filesystem::remove(folder_ / "a");
  Put("a", "one");
  EXPECT_FALSE(Changed());
}

TEST_F(SharedFilesTest, LeavesOutWhatCannotBeSent) {
  Put("good", "x");
  Put("nul", std::string("a\0b", 3));
  Put("large", std::string(secure::kMaxSharedFile + 1, 'x'));
  std::filesystem::create_symlink("/etc/passwd", folder_ / "link");
  files_.Build();
  EXPECT_EQ(Merged(), "!1 good\nx");
}

TEST_F(SharedFilesTest, KeepsTheLastAgentConfThatParses) {
  Put("agent.conf", "<agent_config>\n</agent_config>\n");
  files_.Build();
  const std::string good = Merged();
  Put("agent.conf", "<agent_config>\n<broken>\n");
  EXPECT_FALSE(Changed());
  EXPECT_EQ(Merged(), good);
  Put("other", "x");
  EXPECT_TRUE(Changed());
  EXPECT_EQ(Merged(), good + "!1 other\nx");

  // Over a restart, too.
  SharedFiles again{Home(directory_.path())};
  again.Build();
  EXPECT_EQ(Merged(), good + "!1 other\nx");
}

TEST_F(SharedFilesTest, SendsNoAgentConfBeforeThereWasAGoodOne) {
  Put("agent.conf", "<agent_config>\n<broken>\n");
  Put("other", "x");
  files_.Build();
  EXPECT_EQ(Merged(), "!1 other\nx");
}

TEST(Md5Text, IsThirtyTwoLowerCaseDigits) {
  EXPECT_TRUE(IsMd5Hex("0cc175b9c0f1b6a831c399e269772661"));
  EXPECT_FALSE(IsMd5Hex("0cc175b9c0f1b6a831c399e26977266"));
  EXPECT_FALSE(IsMd5Hex("0CC175B9C0F1B6A831C399E269772661"));
  EXPECT_FALSE(IsMd5Hex("x"));
  EXPECT_EQ(Md5FromHex("0cc175b9c0f1b6a831c399e269772661")[0], 0x0c);
}

}  // namespace
}  // namespace ospatrol::remoted
