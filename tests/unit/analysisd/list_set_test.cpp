#include "analysisd/list_set.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "../pattern/vectors.h"
#include "../temporary_directory.h"
#include "analysisd/cdb.h"
#include "base/files.h"
#include "judging.h"

namespace ospatrol::analysisd {
namespace {

using testing::HasSubstr;

// --- the vectors: a rule with the list condition, an event with the key as id ---

class ListVectors : public testing::Test {};

bool Holds(const std::string& lookup, const std::string& text, const std::string& key,
           const std::string& check_value) {
  const std::string value =
      lookup.ends_with("_value") ? fmt::format(" check_value=\"{}\"", check_value) : "";
  Judging judging(Parts{
      .rules = fmt::format(
          R"(<group name="l,"><rule id="100" level="3"><list field="id" lookup="{}"{}>vector</list>)"
          R"(<description>d</description></rule></group>)",
          lookup, value),
      .lists = {{"rules/vector", text}}});
  judging.event.Reset();
  judging.event.Assign('1', "/x", "text", 1000);
  judging.engine->Decode(judging.event);
  judging.event.Set(Field::kId, key);
  return judging.engine->Judge(judging.event).rule != nullptr;
}

TEST_F(ListVectors, AgreeExceptForTheLookUpThatTheReferenceInverts) {
  size_t rows = 0;
  for (const pattern::VectorRow& row : pattern::ReadVectors("regex-vectors.tsv")) {
    if (!row.kind.starts_with("cdb-")) continue;
    ++rows;
    const std::string lookup = row.kind.substr(4);
    const size_t separator = row.pattern.find('\x1f');
    const std::string text = row.pattern.substr(0, separator);
    const std::string check_value =
        separator == std::string::npos ? "" : row.pattern.substr(separator + 1);
    const bool inverted = lookup == "address_match_key_value";
    EXPECT_EQ(Holds(lookup, text, row.input, check_value), (row.matched == "1") != inverted)
        << "line " << row.line << ": " << row.kind << " " << row.input << " " << check_value;
  }
  EXPECT_GT(rows, 30u);
}

// --- addresses ---

std::string FindAddress(std::string_view text, std::string_view address) {
  const auto table = ListTable::FromText(text);
  const auto value = table->FindAddress(address);
  return value ? std::string(*value) : "-";
}

TEST(ListTable, PrefersTheAddressThenTheLongestPartThenNetworks) {
  constexpr std::string_view kText =
      "192.168.1.7:host\n192.168.1.:part\n192.:first\n192.168.0.0/16:net16\n192.168.2.0/28:net28\n"
      "10.0.0.0/8:ten\n";
  EXPECT_EQ(FindAddress(kText, "192.168.1.7"), "host");
  EXPECT_EQ(FindAddress(kText, "192.168.1.8"), "part");
  EXPECT_EQ(FindAddress(kText, "192.168.2.3"), "net28");
  EXPECT_EQ(FindAddress(kText, "192.168.2.99"), "net16");
  EXPECT_EQ(FindAddress(kText, "192.169.2.99"), "first");
  EXPECT_EQ(FindAddress(kText, "10.9.9.9"), "ten");
  EXPECT_EQ(FindAddress(kText, "11.9.9.9"), "-");
  EXPECT_EQ(FindAddress(kText, "no address"), "-");
}

TEST(ListTable, KnowsIpv6NetworksAndAddressesInAnySpelling) {
  constexpr std::string_view kText =
      "\"2001:db8::/32\":net\n\"2001:db8:1::/48\":longer\n\"2001:db8::7\":host\n";
  EXPECT_EQ(FindAddress(kText, "2001:db8::7"), "host");
  EXPECT_EQ(FindAddress(kText, "2001:0DB8:0:0::7"), "host");
  EXPECT_EQ(FindAddress(kText, "2001:db8:1::9"), "longer");
  EXPECT_EQ(FindAddress(kText, "2001:db8:2::9"), "net");
  EXPECT_EQ(FindAddress(kText, "2001:db9::9"), "-");
}

// --- files ---

class ListFiles : public testing::Test {
 protected:
  ListFiles() {
    std::filesystem::create_directories(directory_ / "rules");
    configuration_.rules.lists.push_back({"rules/bad", {"etc/ospatrol.conf", 7}});
  }
  void Write(const std::string& name, const std::string& content, int64_t mtime) {
    base::WriteFileAtomically(directory_ / name, content, 0640);
    const timespec times[2] = {{mtime, 0}, {mtime, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, (directory_ / name).c_str(), times, 0), 0);
  }
  std::string Value(const ListSet& set, std::string_view key) {
    const List* list = set.Find("bad");
    if (list == nullptr) return "no list";
    const auto value = list->Find(key);
    return value ? std::string(*value) : "-";
  }
  std::unique_ptr<ListSet> Load() {
    return ListSet::Load(Home(directory_.path()), configuration_, problems_);
  }

  TemporaryDirectory directory_;
  config::Configuration configuration_;
  config::Problems problems_;
};

TEST_F(ListFiles, ReadsTheCompiledFileWhenItIsNotOlder) {
  Write("rules/bad", "k:text\n", 1000);
  Write("rules/bad.cdb", *CompileCdb("k:compiled\n"), 1000);
  EXPECT_EQ(Value(*Load(), "k"), "compiled");
}

TEST_F(ListFiles, CompilesANewerTextInMemory) {
  Write("rules/bad", "k:text\n", 1001);
  Write("rules/bad.cdb", *CompileCdb("k:compiled\n"), 1000);
  EXPECT_EQ(Value(*Load(), "k"), "text");
}

TEST_F(ListFiles, TakesEitherFileWhenTheOtherIsMissing) {
  Write("rules/bad", "k:text\n", 1001);
  EXPECT_EQ(Value(*Load(), "k"), "text");
  std::filesystem::remove(directory_ / "rules/bad");
  Write("rules/bad.cdb", *CompileCdb("k:compiled\n"), 1000);
  EXPECT_EQ(Value(*Load(), "k"), "compiled");
}

TEST_F(ListFiles, FallsBackToTheTextWhenTheCompiledFileIsDamaged) {
  Write("rules/bad", "k:text\n", 1000);
  Write("rules/bad.cdb", "short", 1001);
  EXPECT_EQ(Value(*Load(), "k"), "text");
}

TEST_F(ListFiles, WarnsOfAListWithoutFilesAndRefusesARuleThatNamesIt) {
  const auto lists = Load();
  EXPECT_THAT(ProblemText(problems_), HasSubstr("etc/ospatrol.conf:7: <list>rules/bad: neither "
                                                 "'rules/bad' nor 'rules/bad.cdb' exists"));
  EXPECT_FALSE(problems_.HasErrors());
  DecoderSet decoders;
  std::vector<config::Document> documents;
  documents.push_back(config::ParseDialect(
      R"(<group name="l,"><rule id="100" level="3"><list field="id">bad</list><description>d</description></rule></group>)",
      "rules/l.xml", problems_));
  BuildRules(std::move(documents), JudgingOptions(), decoders, *lists, problems_);
  EXPECT_TRUE(problems_.HasErrors());
  EXPECT_THAT(ProblemText(problems_),
              HasSubstr("rules/l.xml:1: rule 100: <list>: list 'rules/bad' cannot be read"));
}

TEST_F(ListFiles, SwitchesToAChangedFileOnceASecondAndKeepsTheOldOneWhenItVanishes) {
  Write("rules/bad", "k:one\n", 1000);
  const auto lists = Load();
  Write("rules/bad", "k:two\n", 1001);
  EXPECT_EQ(Value(*lists, "k"), "one");
  lists->Refresh(Home(directory_.path()), 5000);
  EXPECT_EQ(Value(*lists, "k"), "two");
  Write("rules/bad", "k:three\n", 1002);
  lists->Refresh(Home(directory_.path()), 5000);
  EXPECT_EQ(Value(*lists, "k"), "two");
  lists->Refresh(Home(directory_.path()), 5001);
  EXPECT_EQ(Value(*lists, "k"), "three");
  std::filesystem::remove(directory_ / "rules/bad");
  lists->Refresh(Home(directory_.path()), 5002);
  EXPECT_EQ(Value(*lists, "k"), "three");
}

TEST(ListSet, FindsAListByTextNameCompiledNameAndBareName) {
  ListSet lists;
  lists.Add("rules/bad", "k:v\n");
  EXPECT_NE(lists.Find("bad"), nullptr);
  EXPECT_NE(lists.Find("bad.cdb"), nullptr);
  EXPECT_NE(lists.Find("rules/bad"), nullptr);
  EXPECT_NE(lists.Find("rules/bad.cdb"), nullptr);
  EXPECT_EQ(lists.Find("etc/bad"), nullptr);
}

// --- the condition ---

Parts ListRule(std::string_view attributes, std::string_view name = "bad") {
  return Parts{
      .rules = fmt::format(
          R"(<group name="l,"><rule id="100" level="3"><decoded_as>k</decoded_as><list {}>{}</list>)"
          R"(<description>d</description></rule></group>)",
          attributes, name),
      .lists = {{"rules/bad", "1.2.3.4:x\nroot:admin\n"}}};
}

TEST(ListCondition, DoesNotHoldForAnUnsetFieldAlsoWhenNegated) {
  for (const char* lookup : {"not_match_key", "not_address_match_key"}) {
    Judging judging(ListRule(fmt::format("field=\"srcip\" lookup=\"{}\"", lookup)));
    EXPECT_EQ(judging.Rule(Syslog("k", "dstip=1.1.1.1")), 0) << lookup;
    EXPECT_EQ(judging.Rule(Syslog("k", "srcip=1.1.1.1")), 100) << lookup;
    EXPECT_EQ(judging.Rule(Syslog("k", "srcip=1.2.3.4")), 0) << lookup;
  }
}

TEST(ListCondition, UserIsTheSourceUserFirst) {
  Judging judging(ListRule("field=\"user\""));
  EXPECT_EQ(judging.Rule(Syslog("k", "srcuser=root dstuser=x")), 100);
  EXPECT_EQ(judging.Rule(Syslog("k", "srcuser=x dstuser=root")), 0);
  EXPECT_EQ(judging.Rule(Syslog("k", "dstuser=root")), 100);
}

TEST(ListCondition, DoesNotHoldForAListThatIsNotConfiguredAndWarns) {
  Judging judging(ListRule("field=\"srcip\" lookup=\"not_match_key\"", "other"));
  EXPECT_EQ(judging.Rule(Syslog("k", "srcip=1.1.1.1")), 0);
  EXPECT_THAT(ProblemText(judging.problems), HasSubstr("no list 'other' is configured"));
}

TEST(ListCondition, TestsEveryOneOfSeveralLists) {
  Judging judging(Parts{
      .rules =
          R"(<group name="l,"><rule id="100" level="3"><list field="id">a</list><list field="id">b</list>
<list field="id">c</list><list field="id">d</list><description>d</description></rule></group>)",
      .lists = {{"a", "1:\n2:\n"}, {"b", "1:\n3:\n"}, {"c", "1:\n"}, {"d", "1:\n2:\n3:\n"}}});
  EXPECT_EQ(judging.Rule(Syslog("k", "id=1")), 100);
  EXPECT_EQ(judging.Rule(Syslog("k", "id=2")), 0);
  EXPECT_EQ(judging.Rule(Syslog("k", "id=3")), 0);
}

}  // namespace
}  // namespace ospatrol::analysisd
