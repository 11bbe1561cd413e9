#include "secure/keys.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "secure/cipher.h"
#include "wire_vectors.h"

namespace ospatrol::secure {
namespace {

PeerAddress Peer(std::string_view ip) { return PeerAddress::Parse(ip, 1514).value(); }

struct Parsed {
  KeyTable table;
  std::vector<KeyProblem> problems;
};

Parsed Parse(std::string_view text) {
  Parsed parsed;
  parsed.table = ParseKeys(text, parsed.problems);
  return parsed;
}

TEST(ParseKeys, ReadsTheVectorsFile) {
  const auto& vector = Vectors()["client_keys_parsing"];
  std::string text;
  for (const auto& line : vector["file_lines"]) text += line.get<std::string>() + "\n";
  const Parsed parsed = Parse(text);
  const auto& expected = vector["resulting_entries"];
  ASSERT_EQ(parsed.table.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const AgentKey& agent = parsed.table.entries()[i];
    SCOPED_TRACE(agent.id);
    EXPECT_EQ(agent.id, expected[i]["id"].get<std::string>());
    EXPECT_EQ(agent.name, expected[i]["name"].get<std::string>());
    EXPECT_EQ(agent.address, expected[i]["address_text"].get<std::string>());
    EXPECT_EQ(agent.rule.IsSingleHost(), expected[i]["single_host"].get<bool>());
    const DerivedKeys keys = DeriveKeys(agent);
    EXPECT_EQ(std::string(keys.text.begin(), keys.text.end()),
              expected[i]["final_key"].get<std::string>());
  }
  ASSERT_EQ(parsed.problems.size(), 3U);
  const char* subjects[] = {"nospacesatall", "013", "014"};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(parsed.problems[i].message, 1401);
    EXPECT_EQ(parsed.problems[i].subject, subjects[i]);
    EXPECT_EQ(parsed.problems[i].line, static_cast<int>(9 + i));
  }
  ASSERT_EQ(parsed.table.removed_ids().size(), 1U);
  EXPECT_TRUE(parsed.table.IsTaken("009"));
  EXPECT_FALSE(parsed.table.IsTaken("010")) << "a line that begins with # frees the id";
}

TEST(ParseKeys, NamesABrokenLineAndGoesOn) {
  const Parsed parsed = Parse("001 a any k1\n002 b 10.0.0.300 k2\n003 c any k3\n");
  EXPECT_EQ(parsed.table.size(), 2U);
  ASSERT_EQ(parsed.problems.size(), 1U);
  EXPECT_EQ(parsed.problems[0].line, 2);
  EXPECT_EQ(parsed.problems[0].message, 1237);
  EXPECT_EQ(parsed.problems[0].subject, "10.0.0.300");
}

TEST(ParseKeys, RefusesNamesThatAreNoFileNames) {
  for (const char* line : {"001 ../etc any k", "001 a/b any k", "001 .. any k", "../1 name any k",
                           "001 a\tb any k", "001 a\x7f any k", ".. name any k", "001  any k"}) {
    const Parsed parsed = Parse(line);
    EXPECT_TRUE(parsed.table.empty()) << line;
    EXPECT_EQ(parsed.problems.size(), 1U) << line;
  }
}

TEST(ParseKeys, NeverShowsAKey) {
  const std::string key(64, 'a');
  for (const std::string& line : {key, "001 " + key, "001 n x " + key, std::string("001 n any")}) {
    for (const KeyProblem& problem : Parse(line).problems) {
      EXPECT_EQ((problem.subject + problem.detail).find(key), std::string::npos);
    }
  }
}

TEST(ParseKeys, KeepsTheFirstOfTwoEntriesWithOneIdOrAddress) {
  const Parsed parsed = Parse("001 a 10.0.0.1 k1\n001 b 10.0.0.2 k2\n002 c 10.0.0.1 k3\n");
  EXPECT_EQ(parsed.table.Find("001")->name, "a");
  EXPECT_EQ(parsed.table.FindByAddress(Peer("10.0.0.1"))->id, "001");
  EXPECT_EQ(parsed.table.FindByAddress(Peer("10.0.0.2")), nullptr);
  EXPECT_EQ(parsed.problems.size(), 1U);
}

TEST(ParseKeys, CutsLongFieldsAndSkipsLongLines) {
  const std::string name(200, 'n');
  const Parsed parsed = Parse("001 " + name + " any k\n002 b any " + std::string(3000, 'k') + "\n");
  ASSERT_EQ(parsed.table.size(), 1U);
  EXPECT_EQ(parsed.table.entries()[0].name, std::string(127, 'n'));
  ASSERT_EQ(parsed.problems.size(), 1U);
  EXPECT_EQ(parsed.problems[0].line, 2);
}

TEST(ParseKeys, TakesFilesWithoutLastLineFeedAndWithCarriageReturns) {
  const Parsed parsed = Parse("001 a any k1\r\n002 b any k2");
  ASSERT_EQ(parsed.table.size(), 2U);
  EXPECT_EQ(parsed.table.entries()[0].key, "k1");
  EXPECT_EQ(parsed.table.entries()[1].key, "k2");
}

TEST(KeyTable, ComparesIdsAsText) {
  const Parsed parsed = Parse("001 a any k\n");
  EXPECT_NE(parsed.table.Find("001"), nullptr);
  EXPECT_EQ(parsed.table.Find("1"), nullptr);
}

TEST(KeyTable, FindsAnAddressInAnySpelling) {
  const Parsed parsed = Parse("001 a 2001:DB8:0:0::5 k\n002 b 10.0.0.5 k\n003 c 10.0.1.0/24 k\n");
  EXPECT_EQ(parsed.table.FindByAddress(Peer("2001:db8::5"))->id, "001");
  EXPECT_EQ(parsed.table.FindByAddress(Peer("::ffff:10.0.0.5"))->id, "002");
  EXPECT_EQ(parsed.table.FindByAddress(Peer("10.0.1.7")), nullptr) << "a network needs the id";
}

TEST(KeyTable, SurvivesBeingMoved) {
  Parsed parsed = Parse("001 a 10.0.0.5 k\n");
  const KeyTable moved = std::move(parsed.table);
  EXPECT_EQ(moved.Find("001")->name, "a");
  EXPECT_EQ(moved.FindByName("a")->id, "001");
}

TEST(KeyTable, HasNoLimitOfAgents) {
  std::string text;
  for (int i = 0; i < 50000; ++i) {
    text += fmt::format("{:03} host{} 10.{}.{}.{} {:064x}\n", i, i, i >> 16, (i >> 8) & 255,
                        i & 255, i);
  }
  const Parsed parsed = Parse(text);
  EXPECT_EQ(parsed.table.size(), 50000U);
  EXPECT_EQ(parsed.table.Find("49999")->name, "host49999");
  EXPECT_EQ(parsed.table.FindByAddress(Peer("10.0.1.0"))->id, "256");
}

struct RuleCase {
  const char* address;
  const char* source;
  bool allowed;
  bool needs_id;
};

TEST(AddressRule, SaysWhoMaySend) {
  const RuleCase cases[] = {
      {"10.0.0.5", "10.0.0.5", true, false},
      {"10.0.0.5", "10.0.0.6", false, false},
      {"10.0.0.0/8", "10.9.9.9", true, true},
      {"10.0.0.0/8", "11.0.0.1", false, true},
      {"10.0.0.5/32", "10.0.0.5", true, false},
      {"any", "10.0.0.5", true, true},
      {"any", "2001:db8::1", true, true},
      {"0.0.0.0/0", "2001:db8::1", true, true},
      {"!10.1.1.1", "10.1.1.1", false, true},
      {"!10.1.1.1", "10.1.1.2", true, true},
      {"2001:db8::/32", "2001:db8:1::1", true, true},
      {"2001:db8::/32", "2001:db9::1", false, true},
      {"2001:db8::/32", "10.0.0.1", false, true},
      {"2001:db8::5", "2001:db8:0::5", true, false},
      {"10.0.0.5", "::ffff:10.0.0.5", true, false},
  };
  for (const RuleCase& c : cases) {
    SCOPED_TRACE(fmt::format("{} {}", c.address, c.source));
    const auto rule = AddressRule::Parse(c.address);
    ASSERT_TRUE(rule);
    EXPECT_EQ(rule->Allows(Peer(c.source).ip), c.allowed);
    EXPECT_EQ(rule->NeedsId(), c.needs_id);
  }
}

TEST(AddressRule, RefusesEverythingElse) {
  for (const char* text : {"", "10.0.0", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "host", "ANY",
                           "::/129", "10.0.0.5:1514", "!", "10.0.0.0/", "10.0.0.0/-1"}) {
    EXPECT_FALSE(AddressRule::Parse(text)) << text;
  }
}

}  // namespace
}  // namespace ospatrol::secure
