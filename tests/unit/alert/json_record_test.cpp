#include "alert/json_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "sample_alerts.h"

namespace ospatrol::alert {
namespace {

using nlohmann::ordered_json;
using ::testing::ElementsAre;

std::string Data(const std::string& name) {
  std::ifstream file(std::string(OSPATROL_TEST_DATA) + "/alert/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Record(const Alert& alert) {
  std::string out;
  AppendJsonRecord(alert, out);
  return out;
}

std::string Archive(const Alert& alert, std::string_view log) {
  std::string out;
  AppendJsonArchive(alert, log, out);
  return out;
}

std::vector<std::string> Keys(const ordered_json& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  return keys;
}

// Also refuses a key that stands twice in one object.
ordered_json Parsed(const std::string& line) {
  EXPECT_TRUE(line.ends_with('\n'));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  std::vector<std::vector<std::string>> open;
  const auto check = [&open](int, ordered_json::parse_event_t event, ordered_json& value) {
    using Event = ordered_json::parse_event_t;
    if (event == Event::object_start) open.emplace_back();
    if (event == Event::object_end) open.pop_back();
    if (event == Event::key) {
      const std::string key = value.get<std::string>();
      EXPECT_EQ(std::count(open.back().begin(), open.back().end(), key), 0) << key;
      open.back().push_back(key);
    }
    return true;
  };
  ordered_json value = ordered_json::parse(line, check, false);
  EXPECT_FALSE(value.is_discarded()) << line;
  return value;
}

class JsonRecord : public ::testing::Test {
 protected:
  JsonRecord() { UseSampleZone(); }
};

TEST_F(JsonRecord, HasTheDocumentedBytes) {
  Alert brute_force = BruteForce();
  brute_force.last_events.push_back(
      "May  7 10:11:09 gw1 sshd[811]: Failed password for root from 198.51.100.7 port 40020 ssh2");
  Alert changed = ChangedFile();
  changed.full_log =
      "Integrity checksum changed for: '/etc/hosts'\n"
      "Permissions changed from 'rw-r--r--' to 'rw-rw-r--'\n";
  changed.file.perm_before = 33188;
  changed.file.perm_after = 33204;
  EXPECT_EQ(Record(brute_force) + Record(changed), Data("records.json"));
}

Alert Everything() {
  Alert alert = BruteForce();
  alert.decoder = {"child", "parent", "comment", 3, true};
  alert.action = "DROP";
  alert.protocol = "TCP";
  alert.srcgeoip = "DE";
  alert.srcuser = "su";
  alert.dstip = "192.0.2.1";
  alert.dstgeoip = "FR";
  alert.dstport = "22";
  alert.last_events = {"one", "two"};
  alert.file.path = "/x";
  alert.status = alert.command = alert.url = alert.data = alert.systemname = alert.id_field = "v";
  alert.rule.cve = "CVE-1";
  alert.rule.info = "info";
  alert.rule.mitre_ids = {"T1110", "T1021"};
  alert.dynamic_fields = {{"dyn", "amic"}};
  return alert;
}

TEST_F(JsonRecord, HasItsKeysInOrder) {
  Alert alert = Everything();
  alert.location = "(w) 10.0.0.5->/l";
  const ordered_json record = Parsed(Record(alert));
  EXPECT_THAT(
      Keys(record),
      ElementsAre("rule", "id", "TimeStamp", "decoder", "decoder_parent", "action", "protocol",
                  "srcip", "srcgeoip", "srcport", "srcuser", "dstip", "dstgeoip", "dstport",
                  "dstuser", "location", "full_log", "previous_output", "SyscheckFile", "hostname",
                  "program_name", "status", "command", "url", "data", "systemname", "dyn",
                  "decoder_desc", "agent_name", "agentip", "timestamp", "logfile"));
  EXPECT_THAT(Keys(record["rule"]),
              ElementsAre("level", "comment", "sidid", "cve", "info", "frequency", "firedtimes",
                          "group", "groups", "mitre"));
  EXPECT_THAT(Keys(record["decoder_desc"]),
              ElementsAre("fts", "accumulate", "parent", "name", "ftscomment"));
  EXPECT_TRUE(record["TimeStamp"].is_number());
  EXPECT_TRUE(record["srcport"].is_string());
  EXPECT_TRUE(record["rule"]["sidid"].is_number());
  EXPECT_TRUE(record["decoder_desc"]["accumulate"].is_number());
  EXPECT_EQ(record["previous_output"], "two");
}

TEST_F(JsonRecord, ArchiveHasItsKeysInOrder) {
  Alert alert = Everything();
  alert.location = "(w) 10.0.0.5->/l";
  alert.file.md5_after = "m";
  alert.file.perm_before = 1;
  alert.file.perm_after = 2;
  const ordered_json record = Parsed(Archive(alert, "the log"));
  EXPECT_THAT(
      Keys(record),
      ElementsAre("program_name", "log", "srcip", "dstip", "srcport", "dstport", "protocol",
                  "action", "srcuser", "dstuser", "id", "status", "command", "url", "data",
                  "systemname", "filename", "md5_after", "perm_before", "perm_after", "rule", "dyn",
                  "decoder", "full_log", "timestamp", "agent_name", "agentip", "logfile"));
  EXPECT_EQ(record["id"], "v");
  EXPECT_EQ(record["decoder"]["name"], "child");
}

TEST_F(JsonRecord, ArchiveWithoutARuleHasNoRule) {
  Alert alert = LinkDown();
  alert.rule = {};
  const ordered_json record = Parsed(Archive(alert, "kernel: x"));
  EXPECT_FALSE(record.contains("rule"));
  EXPECT_EQ(record["log"], "kernel: x");
}

TEST_F(JsonRecord, LevelZeroAndUnsetNumbersAreAbsent) {
  Alert alert = LinkDown();
  alert.rule.level = 0;
  EXPECT_THAT(Keys(Parsed(Record(alert))["rule"]),
              ElementsAre("comment", "sidid", "group", "groups"));
}

TEST_F(JsonRecord, ComplianceGroupsBecomeArraysInOrderOfAppearance) {
  Alert alert = LinkDown();
  alert.rule.group = "a,cis_1.2,pci_dss_10.2.4,b,pci_dss_10.2.5,cis_1.2,gdpr_IV,";
  const ordered_json rule = Parsed(Record(alert))["rule"];
  EXPECT_EQ(rule["groups"].dump(), R"(["a","b","gdpr_IV"])");
  EXPECT_EQ(rule["PCI_DSS"].dump(), R"(["10.2.4","10.2.5"])");
  EXPECT_EQ(rule["CIS"].dump(), R"(["1.2"])");
  EXPECT_THAT(Keys(rule),
              ElementsAre("level", "comment", "sidid", "group", "groups", "CIS", "PCI_DSS"));
}

TEST_F(JsonRecord, RootcheckMarkersBecomeArraysAndMergeWithGroups) {
  Alert alert = LinkDown();
  alert.rule.group = "ossec,rootcheck,pci_dss_2.2,";
  alert.full_log =
      "System Audit: SSH {PCI_DSS: 2.2.4, 2.2} {CIS: 1.1 RHEL7 } {a b: no} {Open {x: 1} {: y} "
      "{bad-name: 1} {bad: va-lue} {empty: , }{level: 99} {CIS: 9.9";
  const ordered_json rule = Parsed(Record(alert))["rule"];
  EXPECT_EQ(rule["PCI_DSS"].dump(), R"(["2.2","2.2.4"])");
  EXPECT_EQ(rule["CIS"].dump(), R"(["1.1 RHEL7"])");
  EXPECT_EQ(rule["x"].dump(), R"(["1"])");
  EXPECT_EQ(rule["level"], 2);
  EXPECT_EQ(rule["fields.level"].dump(), R"(["99"])");
  EXPECT_THAT(Keys(rule), ElementsAre("level", "comment", "sidid", "group", "groups", "PCI_DSS",
                                      "CIS", "x", "fields.level"));
}

TEST_F(JsonRecord, MarkersOutsideRootcheckAreText) {
  Alert alert = LinkDown();
  alert.full_log = "x {PCI_DSS: 1}";
  EXPECT_FALSE(Parsed(Record(alert))["rule"].contains("PCI_DSS"));
}

TEST_F(JsonRecord, HundredsOfMarkersAreBounded) {
  Alert alert = LinkDown();
  alert.rule.group = "rootcheck,";
  alert.full_log.clear();
  for (int i = 0; i < 500; ++i) alert.full_log += "{m" + std::to_string(i) + ": 1}";
  EXPECT_EQ(Parsed(Record(alert))["rule"].size(), 5u + 64u);
}

TEST_F(JsonRecord, DynamicFieldsThatMeetAFixedKeyAreMoved) {
  Alert alert = LinkDown();
  alert.id_field = "7";
  alert.dynamic_fields = {{"id", "a"},  {"rule", "b"},    {"fields.id", "c"}, {"fields.own", "d"},
                          {"log", "e"}, {"quo\"te", "f"}, {"unset", ""}};
  const ordered_json record = Parsed(Record(alert));
  EXPECT_EQ(record["id"], alert.id);
  EXPECT_EQ(record["fields.id"], "a");
  EXPECT_EQ(record["fields.rule"], "b");
  EXPECT_EQ(record["fields.fields.id"], "c");
  EXPECT_EQ(record["fields.own"], "d");
  EXPECT_EQ(record["log"], "e");
  EXPECT_EQ(record["quo\"te"], "f");
  EXPECT_FALSE(record.contains("unset"));
  EXPECT_EQ(Parsed(Archive(alert, "x"))["fields.log"], "e");
}

TEST_F(JsonRecord, FileFactsAreShownWhenTheyDiffer) {
  Alert alert = ChangedFile();
  FileChange& file = alert.file;
  file.md5_before = "a";
  file.md5_after = "b";
  file.sha1_before = file.sha1_after = "same";
  file.sha256_after = "new";
  file.owner_before = "0";
  file.owner_after = "5";
  file.gowner_after = "7";
  file.perm_before = 0;
  file.perm_after = 33188;
  EXPECT_EQ(Parsed(Record(alert))["SyscheckFile"].dump(),
            R"({"path":"/etc/hosts","md5_before":"a","md5_after":"b","sha256_after":"new",)"
            R"("owner_before":"0","owner_after":"5"})");
}

TEST_F(JsonRecord, AgentPartsAreTakenFromTheLocation) {
  Alert alert = LinkDown();
  alert.location = alert.hostname = "(web1) 2001:db8::1->C/x";
  ordered_json record = Parsed(Record(alert));
  EXPECT_EQ(record["agent_name"], "web1");
  EXPECT_EQ(record["agentip"], "2001:db8::1");
  EXPECT_EQ(record["logfile"], "C/x");
  alert.location = alert.hostname = "(web1) any";  // no arrow
  record = Parsed(Record(alert));
  EXPECT_EQ(record["agentip"], "any");
  EXPECT_EQ(record["logfile"], "(web1) any");
  alert.location = alert.hostname = "(open";
  record = Parsed(Record(alert));
  EXPECT_EQ(record["agent_name"], "(open");
  EXPECT_FALSE(record.contains("agentip"));
}

TEST(JsonString, EscapesAndReplaces) {
  const std::string fffd = "\xEF\xBF\xBD";
  const std::vector<std::pair<std::string, std::string>> table{
      {"", ""},
      {"a/b \x7f", "a/b \x7f"},
      {"\"\\", "\\\"\\\\"},
      {"\b\f\n\r\t", "\\b\\f\\n\\r\\t"},
      {std::string("\0\x01\x1f", 3), "\\u0000\\u0001\\u001f"},
      {"gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F"},
      {"\xE2\x82\xAC\xF0\x9F\x98\x80", "\xE2\x82\xAC\xF0\x9F\x98\x80"},
      {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},
      {"x\xFF\xFEy", "x" + fffd + fffd + "y"},
      {"\x80", fffd},
      {"\xC3", fffd},
      {"\xC3(", fffd + "("},
      {"\xC0\xAF", fffd + fffd},                        // overlong
      {"\xE0\x80\xAF", fffd + fffd + fffd},             // overlong
      {"\xED\xA0\x80", fffd + fffd + fffd},             // surrogate
      {"\xF4\x90\x80\x80", fffd + fffd + fffd + fffd},  // above U+10FFFF
      {"\xE2\x82", fffd},                               // ends early
      {"\xF0\x9F\x98\"", fffd + "\\\""},
      {"\xE2\x82\xC3\xBC", fffd + "\xC3\xBC"},
  };
  for (const auto& [text, expected] : table) {
    std::string out;
    AppendJsonString(text, out);
    EXPECT_EQ(out, '"' + expected + '"');
    EXPECT_FALSE(ordered_json::parse(out, nullptr, false).is_discarded()) << out;
  }
}

TEST_F(JsonRecord, OfAnyBytesIsValid) {
  Alert alert = Everything();
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
  alert.full_log = alert.hostname = alert.location = alert.rule.comment = every_byte;
  alert.rule.group = "rootcheck," + every_byte;
  alert.dynamic_fields = {{every_byte, every_byte}};
  Parsed(Record(alert));
  Parsed(Archive(alert, every_byte));
}

}  // namespace
}  // namespace ospatrol::alert
