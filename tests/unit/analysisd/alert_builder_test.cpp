#include "analysisd/alert_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "analysisd/decoder.h"
#include "analysisd/rule.h"

namespace ospatrol::analysisd {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Rule SampleRule() {
  Rule rule;
  rule.id = 5712;
  rule.level = 10;
  rule.frequency = 6;
  rule.mail = true;
  rule.description = "brute force";
  rule.group = "syslog,sshd,";
  rule.cve = "CVE-2024-1";
  rule.info_text = "info";
  rule.mitre_ids = {"T1110"};
  return rule;
}

TEST(AlertBuilder, TakesRuleEventDecoderAndFields) {
  const Rule rule = SampleRule();
  Decoder parent;
  parent.name = parent.declared_name = "sshd";
  Decoder decoder;
  decoder.name = "sshd";
  decoder.fts = kFtsSrcIp;
  decoder.accumulate = true;
  decoder.parents = {&parent};
  Event event;
  event.Assign('1', "/var/log/auth.log", "May  7 10:11:11 gw1 sshd[811]: Failed", 1715076672);
  event.hostname = "gw1";
  event.program_name = "sshd";
  event.decoder = &decoder;
  event.decoder_name = decoder.name;
  event.Set(Field::kSrcIp, "192.0.2.1");
  event.Set(Field::kSrcPort, "40022");
  event.Set(Field::kDstUser, "root");
  event.Set(Field::kSrcGeoip, "DE");
  event.SetDynamic("dyn", "amic");
  Verdict verdict;
  verdict.rule = &rule;
  verdict.alert = true;
  verdict.fired_times = 3;
  verdict.last_events = {"one", "two"};

  AlertBuilder builder;
  const alert::AlertView& alert = builder.Build(event, verdict);
  EXPECT_EQ(alert.id, "");
  EXPECT_EQ(alert.time, 1715076672);
  EXPECT_TRUE(alert.mail);
  EXPECT_EQ(alert.rule.id, 5712);
  EXPECT_EQ(alert.rule.level, 10);
  EXPECT_EQ(alert.rule.frequency, 6);
  EXPECT_EQ(alert.rule.fired_times, 3u);
  EXPECT_EQ(alert.rule.comment, "brute force");
  EXPECT_EQ(alert.rule.group, "syslog,sshd,");
  EXPECT_EQ(alert.rule.cve, "CVE-2024-1");
  EXPECT_EQ(alert.rule.info, "info");
  EXPECT_THAT(alert.rule.mitre_ids, ElementsAre("T1110"));
  EXPECT_EQ(alert.decoder.name, "sshd");
  EXPECT_EQ(alert.decoder.parent, "sshd");
  EXPECT_EQ(alert.decoder.fts, static_cast<int64_t>(kFtsSrcIp));
  EXPECT_TRUE(alert.decoder.accumulate);
  EXPECT_EQ(alert.hostname, "gw1");
  EXPECT_EQ(alert.location, "/var/log/auth.log");
  EXPECT_EQ(alert.program_name, "sshd");
  EXPECT_EQ(alert.full_log, "May  7 10:11:11 gw1 sshd[811]: Failed");
  EXPECT_EQ(alert.srcip, "192.0.2.1");
  EXPECT_EQ(alert.srcport, "40022");
  EXPECT_EQ(alert.dstuser, "root");
  EXPECT_EQ(alert.srcgeoip, "DE");
  EXPECT_THAT(alert.dynamic_fields, ElementsAre(Pair("dyn", "amic")));
  EXPECT_THAT(alert.last_events, ElementsAre("one", "two"));
  EXPECT_TRUE(alert.file.path.empty());
}

TEST(AlertBuilder, TakesFileFactsOfIntegrityEvents) {
  Event event;
  event.Assign('8', "(web1) 10.0.0.5->syscheck", "text", 1);
  event.Set(Field::kFilename, "/etc/hosts");
  event.file = std::make_unique<FileFacts>();
  event.file->md5_before = "a";
  event.file->md5_after = "b";
  event.file->perm_before = 33188;
  event.file->perm_after = 33204;
  event.file->owner_before = "0";
  event.file->owner_after = "1";
  AlertBuilder builder;
  const alert::AlertView& alert = builder.Build(event, Verdict{});
  EXPECT_EQ(alert.file.path, "/etc/hosts");
  EXPECT_EQ(alert.file.md5_before, "a");
  EXPECT_EQ(alert.file.md5_after, "b");
  EXPECT_EQ(alert.file.perm_before, 33188);
  EXPECT_EQ(alert.file.perm_after, 33204);
  EXPECT_EQ(alert.file.owner_before, "0");
  EXPECT_EQ(alert.file.owner_after, "1");
}

// As after a reload: a rule that was changed, in the memory of the old one.
TEST(AlertBuilder, TellsTheFactsOfTheRuleThatStandsThereNow) {
  AlertBuilder builder;
  Event event;
  event.Assign('1', "/x", "text", 1);
  std::optional<Rule> rule;
  for (const char* description : {"old", "new", "newest"}) {
    rule.reset();
    rule.emplace(SampleRule());
    rule->description = description;
    Verdict verdict;
    verdict.rule = &*rule;
    for (uint64_t times : {1u, 2u}) {
      verdict.fired_times = times;
      const alert::AlertView& alert = builder.Build(event, verdict);
      EXPECT_EQ(alert.rule.comment, description);
      EXPECT_EQ(alert.rule.fired_times, times);
    }
  }
}

TEST(AlertBuilder, KeepsNothingOfTheEventBefore) {
  const Rule rule = SampleRule();
  AlertBuilder builder;
  {
    Event event;
    event.Assign('1', "/x", "text", 1);
    event.hostname = "h";
    event.program_name = "p";
    for (size_t i = 0; i < kFieldCount; ++i) event.Set(static_cast<Field>(i), "set");
    event.SetDynamic("a", "b");
    event.file = std::make_unique<FileFacts>();
    event.file->sha1_after = "s";
    Verdict verdict;
    verdict.rule = &rule;
    verdict.last_events = {"x"};
    builder.Build(event, verdict).id = "1.1";
  }
  Event event;
  event.Assign('1', "/y", "t", 2);
  const alert::AlertView& alert = builder.Build(event, Verdict{});
  EXPECT_EQ(alert.id, "");
  EXPECT_EQ(alert.rule.id, 0);
  EXPECT_FALSE(alert.mail);
  EXPECT_TRUE(alert.rule.mitre_ids.empty());
  for (const std::string_view text : {alert.rule.comment,   alert.rule.group, alert.hostname,
                                      alert.program_name,   alert.srcip,      alert.dstip,
                                      alert.srcport,        alert.dstport,    alert.protocol,
                                      alert.action,         alert.srcuser,    alert.dstuser,
                                      alert.id_field,       alert.url,        alert.data,
                                      alert.status,         alert.systemname, alert.filename,
                                      alert.srcgeoip,       alert.dstgeoip,   alert.file.path,
                                      alert.file.sha1_after}) {
    EXPECT_EQ(text, "");
  }
  EXPECT_TRUE(alert.dynamic_fields.empty());
  EXPECT_TRUE(alert.last_events.empty());
}

}  // namespace
}  // namespace ospatrol::analysisd
