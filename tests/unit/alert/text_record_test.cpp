#include "alert/text_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "alert/custom_record.h"
#include "sample_alerts.h"

namespace ospatrol::alert {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Data(const std::string& name) {
  std::ifstream file(std::string(OSPATROL_TEST_DATA) + "/alert/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Text(const Alert& alert) {
  std::string out;
  AppendTextRecord(alert, out);
  return out;
}

Alert Parse(const std::string& text) {
  size_t consumed = 0;
  const auto alert = ParseTextRecord(text, consumed);
  EXPECT_TRUE(alert.has_value()) << text;
  EXPECT_EQ(consumed, text.size());
  return alert.value_or(Alert{});
}

class TextRecord : public ::testing::Test {
 protected:
  TextRecord() { UseSampleZone(); }
};

TEST_F(TextRecord, HasTheDocumentedBytes) {
  EXPECT_EQ(Text(BruteForce()) + Text(ChangedFile()) + Text(LinkDown()), Data("records.log"));
}

TEST_F(TextRecord, CutsTextAndEarlierEvents) {
  Alert alert = LinkDown();
  alert.full_log = std::string(2000, 'a');
  alert.last_events.assign(20, std::string(2000, 'b'));
  const std::string text = Text(alert);
  EXPECT_THAT(text, HasSubstr("\n" + std::string(kMaxLogText, 'a') + "\n"));
  EXPECT_EQ(static_cast<size_t>(std::count(text.begin(), text.end(), 'b')) -
                static_cast<size_t>(
                    std::count(alert.rule.comment.begin(), alert.rule.comment.end(), 'b')),
            kMaxLastEvents * kMaxLogText);
}

TEST_F(TextRecord, KeepsPreviousOutputInsideTheRecord) {
  Alert alert = LinkDown();
  alert.full_log = "ossec: output: 'netstat':\ntcp 22\n";
  alert.last_events = {"Previous output:", "ossec: output: 'netstat':\n\ntcp 23\n"};
  const std::string text = Text(alert);
  EXPECT_THAT(text,
              HasSubstr("tcp 22\nPrevious output:\nossec: output: 'netstat':\n \ntcp 23\n\n"));
  EXPECT_EQ(text.find("\n\n"), text.size() - 2);
}

TEST_F(TextRecord, OfTheSamplesParsesAndComesOutTheSame) {
  const std::string all = Data("records.log");
  std::string_view rest = all;
  std::string again;
  int records = 0;
  while (!rest.empty()) {
    size_t consumed = 0;
    const auto alert = ParseTextRecord(rest, consumed);
    ASSERT_TRUE(alert.has_value()) << rest;
    Alert copy = *alert;
    if (copy.rule.id == 550) copy.decoder.name = "syscheck_integrity_changed";
    AppendTextRecord(copy, again);
    rest.remove_prefix(consumed);
    ++records;
  }
  EXPECT_EQ(records, 3);
  EXPECT_EQ(again, all);
}

TEST_F(TextRecord, ParsesIntoItsFacts) {
  const Alert alert = Parse(Text(BruteForce()));
  EXPECT_EQ(alert.id, "1715076672.41");
  EXPECT_EQ(alert.time, 1715076672);
  EXPECT_TRUE(alert.mail);
  EXPECT_EQ(alert.rule.id, 5712);
  EXPECT_EQ(alert.rule.level, 10);
  EXPECT_EQ(alert.rule.comment, "SSHD brute force trying to get access to the system.");
  EXPECT_EQ(alert.rule.group, "syslog,sshd,authentication_failures,");
  EXPECT_EQ(alert.Where(), "gw1->/var/log/auth.log");
  EXPECT_EQ(alert.srcip, "198.51.100.7");
  EXPECT_EQ(alert.srcport, "40022");
  EXPECT_EQ(alert.dstuser, "root");
  EXPECT_EQ(alert.dstip, "");
  EXPECT_THAT(alert.full_log, HasSubstr("port 40022 ssh2\nMay  7 10:11:10"));
}

TEST_F(TextRecord, OfAChangedFileParsesIntoFileFacts) {
  Alert alert = ChangedFile();
  alert.full_log =
      "Integrity checksum changed for: '/etc/it's'\nOwnership was '0', now it is '1000'\n"
      "Group ownership was '5', now it is '6'\nOld md5sum was: 'aa'\nNew md5sum is : 'bb'\n"
      "Old sha1sum was: 'cc'\nNew sha1sum is : 'dd'\nOld sha256sum was: 'ee'\n"
      "New sha256sum is : 'ff'\nWhat changed:\n1c1\nOld md5sum was: 'zz'\n";
  const Alert parsed = Parse(Text(alert));
  EXPECT_EQ(parsed.file.path, "/etc/it's");
  EXPECT_EQ(parsed.file.owner_before + parsed.file.owner_after, "01000");
  EXPECT_EQ(parsed.file.gowner_before + parsed.file.gowner_after, "56");
  EXPECT_EQ(parsed.file.md5_before + parsed.file.md5_after, "aabb");
  EXPECT_EQ(parsed.file.sha1_before + parsed.file.sha1_after, "ccdd");
  EXPECT_EQ(parsed.file.sha256_before + parsed.file.sha256_after, "eeff");
}

TEST_F(TextRecord, TakesNoneOfOldRecordsAsAbsent) {
  std::string text = Text(BruteForce());
  text.replace(text.find("198.51.100.7"), 12, "(none)");
  text.replace(text.find("User: root"), 10, "User: (none)");
  const Alert alert = Parse(text);
  EXPECT_EQ(alert.srcip, "");
  EXPECT_EQ(alert.dstuser, "");
}

TEST_F(TextRecord, MayHaveNoLogText) {
  Alert alert = LinkDown();
  alert.full_log.clear();
  EXPECT_EQ(Parse(Text(alert)).full_log, "");
}

TEST_F(TextRecord, CutAnywhereIsIncompleteAndReadAgain) {
  const std::string text = Text(BruteForce());
  for (size_t length = 8; length < text.size(); ++length) {
    size_t consumed = 1;
    EXPECT_FALSE(ParseTextRecord(std::string_view(text).substr(0, length), consumed).has_value());
    EXPECT_EQ(consumed, 0u) << length;
  }
}

TEST_F(TextRecord, TornByTheNextOneIsSkippedUpToIt) {
  const std::string torn = Text(BruteForce()).substr(0, 150) + "\n";
  const std::string text = torn + Text(LinkDown());
  size_t consumed = 0;
  EXPECT_FALSE(ParseTextRecord(text, consumed).has_value());
  EXPECT_EQ(consumed, torn.size());
  EXPECT_TRUE(ParseTextRecord(std::string_view(text).substr(consumed), consumed).has_value());
}

TEST_F(TextRecord, IsFoundBehindLinesThatAreNone) {
  const std::string text = "\nrubbish\n" + Text(LinkDown());
  size_t consumed = 0;
  EXPECT_FALSE(ParseTextRecord(text, consumed).has_value());
  EXPECT_EQ(consumed, 9u);
  EXPECT_FALSE(ParseTextRecord("half a line", consumed).has_value());
  EXPECT_EQ(consumed, 0u);
}

TEST_F(TextRecord, WithABrokenFrameIsSkipped) {
  const std::string good = Text(LinkDown());
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"1715076711.43", "x.43"},
                                                        {"1715076711.43", "1715076711"},
                                                        {" - syslog", " syslog"},
                                                        {"2024 May 07 10:11:51 ", "nodate"},
                                                        {"Rule: 1002", "Rule: abc"},
                                                        {"(level 2)", "(level x)"},
                                                        {"'Unknown", "Unknown"}}) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    size_t consumed = 0;
    EXPECT_FALSE(ParseTextRecord(bad, consumed).has_value()) << bad;
    EXPECT_EQ(consumed, bad.size());
  }
}

struct Forgery {
  const char* name;
  std::string text;
};

class ForgedRecord : public ::testing::TestWithParam<Forgery> {
 protected:
  ForgedRecord() { UseSampleZone(); }

  // Where the attacker's text lands, there is one record, with the facts of the alert and no
  // others.
  static void ExpectHarmless(const Alert& alert) {
    const std::string text = Text(alert);
    size_t consumed = 0;
    const auto parsed = ParseTextRecord(text, consumed);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(consumed, text.size()) << text;
    EXPECT_EQ(parsed->id, alert.id);
    EXPECT_EQ(parsed->rule.id, alert.rule.id);
    EXPECT_EQ(parsed->rule.level, alert.rule.level);
    EXPECT_EQ(parsed->srcip, alert.srcip);
    EXPECT_EQ(parsed->dstuser, alert.dstuser);
    EXPECT_EQ(parsed->file.md5_before, alert.file.md5_before);
    EXPECT_THAT(text, Not(HasSubstr("\r")));
    EXPECT_EQ(text.find("\n** Alert"), std::string::npos) << text;
  }
};

TEST_P(ForgedRecord, InLogTextStaysLogText) {
  Alert alert = LinkDown();
  alert.full_log = GetParam().text;
  ExpectHarmless(alert);
}

TEST_P(ForgedRecord, InContinuationLinesStaysLogText) {
  Alert alert = LinkDown();
  alert.full_log = "first line\n" + GetParam().text;
  ExpectHarmless(alert);
}

TEST_P(ForgedRecord, InEarlierEventsStaysLogText) {
  Alert alert = LinkDown();
  alert.last_events = {"Previous output:", GetParam().text};
  ExpectHarmless(alert);
}

TEST_P(ForgedRecord, InADiffStaysLogText) {
  Alert alert = ChangedFile();
  alert.full_log += "What changed:\n" + GetParam().text;
  ExpectHarmless(alert);
}

TEST_P(ForgedRecord, InFieldsStaysOnTheLine) {
  Alert alert = LinkDown();
  alert.location = alert.rule.comment = alert.rule.group = alert.hostname = GetParam().text;
  alert.srcport = alert.dstip = alert.srcgeoip = GetParam().text;
  const std::string text = Text(alert);
  EXPECT_EQ(text.find("\n** Alert"), std::string::npos) << text;
  EXPECT_EQ(text.find("\n\n"), text.size() - 2) << text;
}

const std::string kWholeRecord =
    "** Alert 1.1: mail  - fake,\n2024 May 07 10:11:12 a->b\nRule: 1 (level 15) -> 'x'\nUser: "
    "u\nt\n";

INSTANTIATE_TEST_SUITE_P(
    TextRecord, ForgedRecord,
    ::testing::Values(Forgery{"WholeRecord", kWholeRecord},
                      Forgery{"RecordBehindAnEnd", "x\n\n" + kWholeRecord + "\n\n"},
                      Forgery{"RecordBehindCr", "x\r\n\r\n\r** Alert 1.1: - f,\r\n"},
                      Forgery{"RecordBehindNul", std::string("x\n\0** Alert 1.1: - f,\n", 22)},
                      Forgery{"Rule", "Rule: 1 (level 15) -> 'x'"},
                      Forgery{"Address", "x\nSrc IP: 1.2.3.4\nUser: root"},
                      Forgery{"AddressFirst", "Src IP: 1.2.3.4"},
                      Forgery{"Digest", "x\nOld md5sum was: 'aa'\nSize changed from '1' to '2'"},
                      Forgery{"OnlyLineFeeds", "\n\n\n"}, Forgery{"LeadingEmptyLine", "\nx"},
                      Forgery{"CrAlone", "\r"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(TextRecord, LinesOfAnOutsiderGetABlankButThoseOfTheEngineDoNot) {
  Alert alert = ChangedFile();
  alert.full_log =
      "Integrity checksum changed for: '/x'\nSize changed from '1' to '2'\nWhat changed:\n"
      "Size changed from '3' to '4'\nUser: root\n";
  const std::string text = Text(alert);
  EXPECT_THAT(text, HasSubstr("\nSize changed from '1'"));
  EXPECT_THAT(text, HasSubstr("\n Size changed from '3'"));
  EXPECT_THAT(text, HasSubstr("\n User: root"));
  alert.decoder.name = "sshd";
  EXPECT_THAT(Text(alert), HasSubstr("\n Size changed from '1'"));
}

TEST_F(TextRecord, WhereNamesHostAndLocationOnce) {
  Alert alert = LinkDown();
  EXPECT_EQ(alert.Where(), "fw1->203.0.113.9");
  alert.hostname = alert.location;
  EXPECT_EQ(alert.Where(), "203.0.113.9");
  alert.hostname.clear();
  EXPECT_EQ(alert.Where(), "203.0.113.9");
}

TEST_F(TextRecord, ArchiveAndFirewallLinesAreOneLineEach) {
  Alert alert = LinkDown();
  alert.full_log = "a\nb\rc" + std::string(3000, 'd');
  std::string line;
  AppendArchiveLine(alert, line);
  EXPECT_EQ(line, "2024 May 07 10:11:51 fw1->203.0.113.9 a b c" + std::string(3000, 'd') + "\n");
  line.clear();
  alert.action = "DROP";
  alert.protocol = "TCP";
  alert.srcip = "198.51.100.7";
  alert.srcport = "40022";
  alert.dstip = "192.0.2.10";
  AppendFirewallLine(alert, line);
  EXPECT_EQ(line,
            "2024 May 07 10:11:51 fw1->203.0.113.9 DROP TCP 198.51.100.7:40022->192.0.2.10:0\n");
}

TEST_F(TextRecord, CustomFormatReplacesTokensOnce) {
  const CustomFormat format(
      "$TIMESTAMP.$FTELL $RULEALERT$HOSTNAME $LOCATION $RULEID/$RULELEVEL $SRCIP $DSTUSER "
      "[$FULLLOG] $RULECOMMENT $RULEGROUP $OTHER $");
  Alert alert = LinkDown();
  alert.mail = true;
  alert.full_log = "a $SRCIP\nb\rc";
  std::string out;
  format.Append(alert, out);
  EXPECT_EQ(out,
            "1715076711.43 mail fw1 203.0.113.9 1002/2 None None [a $SRCIP\\nb\\nc] "
            "Unknown problem somewhere in the system. syslog,errors, $OTHER $\n");
  out.clear();
  alert.location = std::string(3000, 'x') + "\n";
  CustomFormat("$LOCATION").Append(alert, out);
  EXPECT_EQ(out, std::string(1023, 'x') + "\n");
}

}  // namespace
}  // namespace ospatrol::alert
