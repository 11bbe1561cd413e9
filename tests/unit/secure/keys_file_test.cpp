#include "secure/keys_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "../temporary_directory.h"
#include "base/error.h"
#include "base/files.h"
#include "wire_vectors.h"

namespace ospatrol::secure {
namespace {

using testing::HasSubstr;

constexpr uid_t kNobody = 65534;

class KeysFileTest : public testing::Test {
 protected:
  KeysFileTest() : home_(directory_.path()), file_(home_) {
    std::filesystem::create_directories(home_ / "etc");
    std::filesystem::create_directories(home_ / "var/run");
  }

  void Write(const std::string& text) { std::ofstream(file_.path()) << text; }
  std::string Read() const { return base::ReadFile(file_.path()); }
  static AgentKey Agent(const std::string& id, const std::string& name = "web") {
    return MakeAgentKey(id, name, "any", std::string(64, 'a')).value();
  }

  // In a child that may change the file but not its directory, as authd.
  template <typename Body>
  int AsOwnerOfTheFileOnly(const Body& body) {
    chmod(directory_.path().c_str(), 0755);
    file_.HandTo(kNobody, kNobody);
    std::filesystem::permissions(home_ / "var/run", std::filesystem::perms::all);
    const pid_t child = fork();
    if (child == 0) {
      if (setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(99);
      try {
        _exit(body());
      } catch (const std::exception&) {
        _exit(98);
      }
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  TemporaryDirectory directory_;
  Home home_;
  KeysFile file_;
};

TEST_F(KeysFileTest, SaysWhenThereIsNoFile) {
  EXPECT_FALSE(file_.Load().present);
  Write("");
  EXPECT_TRUE(file_.Load().present);
}

TEST_F(KeysFileTest, AppendsWholeLines) {
  Write("001 a any k");  // without line feed, as a hand leaves it
  const AgentKey agents[] = {Agent("002"), Agent("003")};
  file_.Append(file_.Lock(), agents);
  EXPECT_EQ(Read(), fmt::format("001 a any k\n{}\n{}\n", FormatKeyLine(agents[0]),
                                FormatKeyLine(agents[1])));
  EXPECT_EQ(file_.Load().keys.size(), 3U);
}

TEST_F(KeysFileTest, MakesTheFileWhenThereIsNone) {
  const AgentKey agents[] = {Agent("001")};
  file_.Append(file_.Lock(), agents);
  struct stat facts {};
  ASSERT_EQ(stat(file_.path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0640U);
}

TEST_F(KeysFileTest, KeepsOwnerAndMode) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  Write("001 a any k\n");
  ASSERT_EQ(chown(file_.path().c_str(), 12, 34), 0);
  ASSERT_EQ(chmod(file_.path().c_str(), 0440), 0);
  const AgentKey agents[] = {Agent("002")};
  file_.Append(file_.Lock(), agents);
  EXPECT_TRUE(file_.Remove(file_.Lock(), "001"));
  struct stat facts {};
  ASSERT_EQ(stat(file_.path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_uid, 12U);
  EXPECT_EQ(facts.st_gid, 34U);
  EXPECT_EQ(facts.st_mode & 07777, 0440U);
}

TEST_F(KeysFileTest, RemovesWithoutLeavingTheKey) {
  const auto& vector = Vectors()["client_keys_removed_entry"];
  Write("001 a any k1\n" + vector["line_before"].get<std::string>() + "\n0055 b any k2\n");
  EXPECT_TRUE(file_.Remove(file_.Lock(), "005"));
  EXPECT_EQ(Read(), "001 a any k1\n" + vector["line_after_ospatrol"].get<std::string>() +
                        "\n0055 b any k2\n");
  EXPECT_FALSE(file_.Remove(file_.Lock(), "005")) << "a removed entry is none";
  EXPECT_FALSE(file_.Remove(file_.Lock(), "00"));
  EXPECT_TRUE(file_.Load().keys.IsTaken("005"));
}

TEST_F(KeysFileTest, AppendsAndRemovesInPlaceWithoutRightsOnTheDirectory) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const std::string secret(64, 'f');
  Write("001 old any " + secret + "\n002 torn any");
  EXPECT_EQ(AsOwnerOfTheFileOnly([&] {
              const AgentKey agents[] = {Agent("003", "new")};
              const KeysLock lock = file_.Lock();
              file_.Append(lock, agents);
              return file_.Remove(lock, "001") ? 0 : 1;
            }),
            0);
  const LoadedKeys loaded = file_.Load();
  ASSERT_EQ(loaded.keys.size(), 1U);
  EXPECT_EQ(loaded.keys.entries()[0].id, "003");
  EXPECT_EQ(loaded.problems.size(), 1U) << "the torn line is named";
  EXPECT_TRUE(loaded.keys.IsTaken("001"));
  EXPECT_EQ(Read().find(secret.substr(0, 8)), std::string::npos);
}

TEST_F(KeysFileTest, OneWriterAtATime) {
  std::thread other;
  std::atomic<bool> done = false;
  {
    const KeysLock lock = file_.Lock();
    other = std::thread([&] {
      const KeysLock second = file_.Lock();
      done = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(done);
    EXPECT_THROW(file_.Lock(std::chrono::milliseconds(30)), Error);
  }
  other.join();
  EXPECT_TRUE(done);
}

TEST_F(KeysFileTest, ReplacesAll) {
  Write("001 a any k\n002 b any k\n");
  const AgentKey agents[] = {Agent("007")};
  file_.ReplaceAll(file_.Lock(), agents);
  EXPECT_EQ(Read(), FormatKeyLine(agents[0]) + "\n");
  file_.ReplaceAll(file_.Lock(), {});
  EXPECT_EQ(Read(), "");
}

TEST_F(KeysFileTest, KilledWritersLeaveAValidFile) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  chmod(directory_.path().c_str(), 0755);
  Write("");
  file_.HandTo(kNobody, kNobody);
  std::filesystem::permissions(home_ / "var/run", std::filesystem::perms::all);
  for (int round = 0; round < 20; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      if (setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(99);
      for (int i = 0;; ++i) {
        const AgentKey agents[] = {Agent(fmt::format("{}", round * 1000 + i % 1000))};
        file_.Append(file_.Lock(), agents);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3 + round % 5));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    std::string text = Read();
    EXPECT_TRUE(text.empty() || text.back() == '\n');
    for (const KeyProblem& problem : file_.Load().problems) {
      EXPECT_THAT(problem.detail, HasSubstr("has this id")) << problem.subject;
    }
  }
}

TEST_F(KeysFileTest, WatchSeesEveryKindOfChange) {
  KeysWatch watch(file_.path());
  EXPECT_TRUE(watch.Changed());
  EXPECT_FALSE(watch.Changed());
  Write("001 a any k\n");
  EXPECT_TRUE(watch.Changed());
  EXPECT_FALSE(watch.Changed());
  file_.ReplaceAll(file_.Lock(), file_.Load().keys.entries());
  EXPECT_TRUE(watch.Changed()) << "the same text in another file";
  std::filesystem::remove(file_.path());
  EXPECT_TRUE(watch.Changed());
  EXPECT_FALSE(watch.Changed());
}

TEST(MakeKey, IsDifferentEachTime) {
  EXPECT_EQ(MakeKey().size(), 64U);
  EXPECT_EQ(KeyFault(MakeKey()), std::nullopt);
  EXPECT_NE(MakeKey(), MakeKey());
}

TEST(NameFault, TellsWhy) {
  EXPECT_EQ(NameFault("web-01.example_x"), std::nullopt);
  EXPECT_EQ(NameFault(std::string(127, 'a')), std::nullopt);
  const std::pair<std::string, const char*> bad[] = {
      {"", "0 bytes"},         {"a", "1 bytes"},           {std::string(128, 'a'), "128 bytes"},
      {"a/b", "letters"},      {"../x", "letters"},        {"a..b", "'..'"},
      {"..", "'..'"},          {"bad name", "letters"},    {"a\nb", "letters"},
      {"name\x01", "letters"}, {"n\xc3\xa4me", "letters"}, {std::string("a\0b", 3), "letters"},
  };
  for (const auto& [name, reason] : bad) {
    const auto fault = NameFault(name);
    ASSERT_TRUE(fault) << name;
    EXPECT_THAT(*fault, HasSubstr(reason)) << name;
  }
}

TEST(IdFault, WantsDigits) {
  EXPECT_EQ(IdFault("001"), std::nullopt);
  EXPECT_EQ(IdFault("12345678"), std::nullopt);
  for (const char* id : {"", "123456789", "a", "1 ", "-1"}) EXPECT_TRUE(IdFault(id)) << id;
  EXPECT_EQ(PaddedId("7"), "007");
  EXPECT_EQ(PaddedId("1024"), "1024");
  EXPECT_EQ(PaddedId("0007"), "007");
  EXPECT_EQ(PaddedId("x"), std::nullopt);
}

TEST(KeyFault, WantsHexDigits) {
  EXPECT_EQ(KeyFault(std::string(64, 'A')), std::nullopt);
  EXPECT_TRUE(KeyFault(std::string(63, 'a')));
  EXPECT_TRUE(KeyFault(std::string(64, 'g')));
}

KeyTable Keys(std::string_view text) {
  std::vector<KeyProblem> problems;
  return ParseKeys(text, problems);
}

TEST(SuggestedId, IsOneAboveTheHighest) {
  EXPECT_EQ(SuggestedId(Keys("")), "001");
  EXPECT_EQ(SuggestedId(Keys("001 a any k\n1024 b any k\n007 c any k\n")), "1025");
  EXPECT_EQ(SuggestedId(Keys("001 a any k\n009 #*#*\n")), "010");
}

TEST(FreeId, IsTheLowestThatNobodyHad) {
  EXPECT_EQ(FreeId(Keys("")), "1024");
  EXPECT_EQ(FreeId(Keys("1024 a any k\n1025 #*#*\n1027 b any k\n001 c any k\n")), "1026");
  EXPECT_EQ(FreeId(Keys("99999999 a any k\n"), 99999999), std::nullopt);
}

TEST(ExportString, IsThatOfTheVectors) {
  for (const auto& vector : Vectors()["manage_agents_export"]) {
    if (!vector.contains("export_string")) continue;
    SCOPED_TRACE(vector["id"].get<std::string>());
    const std::string line = vector["client_keys_line"];
    EXPECT_EQ(ExportString(AgentOf(line)), vector["export_string"].get<std::string>());
    const ImportedKey imported = ImportString(vector["export_string"].get<std::string>());
    ASSERT_TRUE(imported.agent) << imported.reason;
    EXPECT_EQ(FormatKeyLine(*imported.agent), line);
  }
}

std::string Base64(const std::string& line) {
  AgentKey agent;
  // FormatKeyLine puts three spaces between four fields.
  const size_t first = line.find(' ');
  const size_t second = line.find(' ', first + 1);
  const size_t third = line.find(' ', second + 1);
  agent.id = line.substr(0, first);
  agent.name = line.substr(first + 1, second - first - 1);
  agent.address_text = line.substr(second + 1, third - second - 1);
  agent.key = line.substr(third + 1);
  return ExportString(agent);
}

TEST(ImportString, IgnoresWhatIsNotInTheAlphabet) {
  for (const auto& vector : Vectors()["manage_agents_export"]) {
    if (!vector.contains("import_string")) continue;
    const ImportedKey imported = ImportString(vector["import_string"].get<std::string>());
    ASSERT_TRUE(imported.agent) << imported.reason;
    EXPECT_EQ(FormatKeyLine(*imported.agent),
              vector["resulting_client_keys_line"].get<std::string>());
  }
}

TEST(ImportString, RefusesWhatIsNoKeyLine) {
  EXPECT_THAT(ImportString("").reason, HasSubstr("ID NAME ADDRESS KEY"));
  EXPECT_THAT(ImportString("bm90IGEgbGluZQ==").reason, HasSubstr("ID NAME ADDRESS KEY"));
  const std::pair<std::string, const char*> bad[] = {
      {"001 a/b any key", "ID NAME"},     {"001 a any key\n002 b any key", "control"},
      {"x01 web any key", "id"},          {"001 w any key", "name"},
      {"001 web nowhere key", "ID NAME"}, {"# web any key", "ID NAME"},
      {"001 #web any key", "ID NAME"},    {"001 web any " + std::string(250, 'k'), "bytes"},
  };
  for (const auto& [line, reason] : bad) {
    const ImportedKey imported = ImportString(Base64(line));
    EXPECT_FALSE(imported.agent) << line;
    EXPECT_THAT(imported.reason, HasSubstr(reason)) << line;
  }
}

}  // namespace
}  // namespace ospatrol::secure
