#include "agentd/shared_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

#include "../temporary_directory.h"
#include "base/digest.h"
#include "base/files.h"
#include "secure/merged_file.h"

namespace ospatrol::agentd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kConf = "<agent_config></agent_config>\n";

class SharedFilesTest : public ::testing::Test {
 protected:
  SharedFilesTest() : home_(directory_.path()) {
    for (const std::string_view path : {"etc/shared", "queue/rids"}) {
      base::MakeDirectories(home_ / path, 0750);
    }
    Write("etc/ospatrol.conf", "<ospatrol_config></ospatrol_config>\n");
  }

  SharedFiles Open(bool restore = true) {
    return SharedFiles(home_, {.restore = restore, .user_name = nullptr, .own_uid = ::getuid()});
  }
  void Write(std::string_view path, std::string_view text) {
    std::ofstream(home_ / path, std::ios::binary | std::ios::trunc) << text;
  }
  std::string Read(std::string_view path) {
    return base::ReadFileIfPresent(home_ / path).value_or("(none)");
  }
  static std::string Merged(std::vector<secure::SharedFile> files) {
    return secure::Concatenate(files);
  }
  static std::vector<std::string> Texts(const std::vector<SharedFiles::Change>& changes) {
    std::vector<std::string> texts;
    for (const auto& change : changes) texts.push_back(change.Text());
    return texts;
  }

  TemporaryDirectory directory_;
  Home home_;
};

TEST_F(SharedFilesTest, PutsAReceivedFileAndItsEntriesInPlace) {
  SharedFiles files = Open();
  EXPECT_EQ(files.merged_md5(), "");
  const std::string merged =
      Merged({{"agent.conf", std::string(kConf)}, {"ar.conf", "a - b - 0\n"}});
  const auto verdict = files.Install("merged.mg", merged);
  EXPECT_TRUE(verdict.accepted);
  EXPECT_TRUE(verdict.agent_conf_changed);
  EXPECT_EQ(verdict.files, 2u);
  EXPECT_EQ(Read("etc/shared/agent.conf"), kConf);
  EXPECT_EQ(Read("etc/shared/ar.conf"), "a - b - 0\n");
  EXPECT_EQ(Read("etc/shared/merged.mg"), merged);
  EXPECT_EQ(files.merged_md5(), base::Md5Hex(merged));
  EXPECT_EQ(files.agent_conf_md5(), base::Md5Hex(kConf));
  EXPECT_THAT(files.FindChanges(), IsEmpty());
  EXPECT_FALSE(files.Install("merged.mg", merged).agent_conf_changed);
}

TEST_F(SharedFilesTest, RefusesWhatIsCutAndLeavesEverythingAsItWas) {
  SharedFiles files = Open();
  files.Install("merged.mg", Merged({{"agent.conf", std::string(kConf)}}));
  const auto verdict = files.Install("merged.mg", "!100 agent.conf\nshort");
  EXPECT_FALSE(verdict.accepted);
  EXPECT_NE(verdict.reason, "");
  EXPECT_EQ(Read("etc/shared/agent.conf"), kConf);
  EXPECT_FALSE(files.Install("../x", "text").accepted);
  EXPECT_FALSE(files.Install(".hidden", "text").accepted);
}

TEST_F(SharedFilesTest, KeepsTheOldFilesWhenAgentConfDoesNotParseButTellsThatItHasThem) {
  SharedFiles files = Open();
  files.Install("merged.mg", Merged({{"agent.conf", std::string(kConf)}, {"a.txt", "old"}}));
  const std::string bad = Merged({{"agent.conf", "<agent_config>\n<oops>\n"}, {"a.txt", "new"}});
  const auto verdict = files.Install("merged.mg", bad);
  EXPECT_FALSE(verdict.accepted);
  EXPECT_THAT(verdict.reason, HasSubstr("agent.conf:"));
  EXPECT_EQ(Read("etc/shared/agent.conf"), kConf);
  EXPECT_EQ(Read("etc/shared/a.txt"), "old");
  EXPECT_EQ(files.merged_md5(), base::Md5Hex(bad)) << "it is not sent again and again";
  EXPECT_EQ(files.agent_conf_md5(), base::Md5Hex(kConf)) << "what is in use";
  EXPECT_THAT(files.FindChanges(), IsEmpty());
}

TEST_F(SharedFilesTest, RestoresWhatSomebodyElseChangedAndTellsItOnce) {
  SharedFiles files = Open();
  files.Install("merged.mg", Merged({{"agent.conf", std::string(kConf)}, {"a.txt", "text"}}));
  Write("etc/shared/agent.conf", "changed");
  ASSERT_EQ(std::filesystem::remove(home_ / "etc/shared/a.txt"), true);
  EXPECT_THAT(Texts(files.FindChanges()),
              ElementsAre("'etc/shared/a.txt' removed; restored",
                          "'etc/shared/agent.conf' modified; restored"));
  EXPECT_EQ(Read("etc/shared/agent.conf"), kConf);
  EXPECT_EQ(Read("etc/shared/a.txt"), "text");
  EXPECT_THAT(files.FindChanges(), IsEmpty());
  Write("etc/shared/merged.mg", "!");
  EXPECT_THAT(Texts(files.FindChanges()), ElementsAre("'etc/shared/merged.mg' modified; restored"));
}

TEST_F(SharedFilesTest, ANewAgentConfIsNotInUseUntilTheAgentReadsIt) {
  SharedFiles files = Open();
  constexpr std::array<uint8_t, 32> kNone{};
  EXPECT_EQ(files.agent_conf_in_use(), kNone);
  files.Install("merged.mg", Merged({{"agent.conf", std::string(kConf)}}));
  EXPECT_EQ(files.agent_conf_in_use(), kNone) << "received is not applied";
  files.TakeIntoUse();
  const auto in_use = files.agent_conf_in_use();
  EXPECT_NE(in_use, kNone);
  files.Install("merged.mg", Merged({{"agent.conf", "<agent_config>\n</agent_config>\n"}}));
  EXPECT_EQ(files.agent_conf_in_use(), in_use);
  EXPECT_NE(Open().agent_conf_in_use(), in_use) << "a new start reads the new one";
}

TEST_F(SharedFilesTest, OnlyTellsWhenItIsNotToRestore) {
  SharedFiles files = Open(false);
  files.Install("merged.mg", Merged({{"agent.conf", std::string(kConf)}}));
  Write("etc/shared/agent.conf", "changed");
  EXPECT_THAT(Texts(files.FindChanges()), ElementsAre("'etc/shared/agent.conf' modified"));
  EXPECT_EQ(Read("etc/shared/agent.conf"), "changed");
  EXPECT_EQ(files.agent_conf_md5(), base::Md5Hex("changed")) << "the manager is told the truth";
  EXPECT_THAT(files.FindChanges(), IsEmpty());
}

TEST_F(SharedFilesTest, FindsWhatChangedWhileNobodyLooked) {
  {
    SharedFiles files = Open();
    files.Install("merged.mg", Merged({{"agent.conf", std::string(kConf)}}));
  }
  Write("etc/shared/agent.conf", "changed");
  Write("etc/shared/foreign.txt", "new");
  Write("etc/ospatrol.conf", "<ospatrol_config><x/></ospatrol_config>\n");
  SharedFiles files = Open();
  EXPECT_THAT(Texts(files.FindChanges()), ElementsAre("'etc/ospatrol.conf' modified",
                                                      "'etc/shared/agent.conf' modified; restored",
                                                      "'etc/shared/foreign.txt' added"));
  EXPECT_EQ(Read("etc/shared/foreign.txt"), "new");
  EXPECT_THAT(files.FindChanges(), IsEmpty());
}

TEST_F(SharedFilesTest, TakesWhatIsThereAtTheFirstStartOfAllForGood) {
  Write("etc/shared/rootkits.txt", "local");
  SharedFiles files = Open();
  EXPECT_THAT(files.FindChanges(), IsEmpty());
  Write("etc/shared/rootkits.txt", "other");
  EXPECT_THAT(Texts(files.FindChanges()), ElementsAre("'etc/shared/rootkits.txt' modified"));
  EXPECT_EQ(Read("etc/shared/rootkits.txt"), "other") << "it was not received";
}

TEST_F(SharedFilesTest, AsksForTheFilesAgainWhenItsCopyIsGoneToo) {
  SharedFiles files = Open();
  files.Install("merged.mg", Merged({{"agent.conf", std::string(kConf)}}));
  Write("queue/rids/shared.mg", "!1 x\ny");
  Write("etc/shared/agent.conf", "changed");
  EXPECT_THAT(Texts(files.FindChanges()),
              ElementsAre("'etc/shared/agent.conf' modified; cannot be restored, asked for again",
                          "'etc/shared/merged.mg' removed; cannot be restored, asked for again"));
  EXPECT_EQ(files.merged_md5(), "") << "the next keep-alive asks for it";
}

TEST_F(SharedFilesTest, SymbolicLinksAreNotFollowed) {
  SharedFiles files = Open();
  Write("queue/outside", "outside");
  std::filesystem::create_symlink(home_ / "queue/outside", home_ / "etc/shared/a.txt");
  files.Install("merged.mg", Merged({{"a.txt", "inside"}}));
  EXPECT_EQ(Read("queue/outside"), "outside");
  EXPECT_FALSE(std::filesystem::is_symlink(home_ / "etc/shared/a.txt"));
}

}  // namespace
}  // namespace ospatrol::agentd
