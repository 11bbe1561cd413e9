#include "alert/rule_text.h"

#include <gtest/gtest.h>

#include "alert/json_record.h"
#include "alert/text_record.h"

namespace ospatrol::alert {
namespace {

struct Records {
  std::string text, json;
};

Records RecordsOf(const Alert& alert) {
  Records records;
  AppendTextRecord(alert, records.text);
  AppendJsonRecord(alert, records.json);
  return records;
}

Alert Sample() {
  Alert alert;
  alert.id = "1.1";
  alert.location = "/var/log/x";
  alert.full_log = "a line {PCI_DSS: 1.2}";
  alert.rule.id = 5710;
  alert.rule.level = 5;
  alert.rule.comment = "with \"quotes\" and \n a line feed";
  alert.rule.group = "syslog,sshd,pci_dss_10.2.4,";
  alert.rule.info = "more";
  alert.rule.cve = "CVE-2026-1";
  alert.rule.mitre_ids = {"T1110", "T1021.004"};
  return alert;
}

TEST(RuleText, MakesTheSameRecordsAsTheFacts) {
  for (const int frequency : {0, 6}) {
    for (const uint64_t fired : {0, 3}) {
      for (const char* group : {"syslog,sshd,pci_dss_10.2.4,", "ossec,rootcheck,", ""}) {
        Alert alert = Sample();
        alert.rule.frequency = frequency;
        alert.rule.fired_times = fired;
        alert.rule.group = group;
        const Records from_facts = RecordsOf(alert);
        const RuleText text = RuleText::Of(ViewOf(alert.rule));
        alert.rule.text = &text;
        const Records from_text = RecordsOf(alert);
        EXPECT_EQ(from_text.text, from_facts.text);
        EXPECT_EQ(from_text.json, from_facts.json);
      }
    }
  }
}

TEST(RuleText, LeavesOutTheObjectOfRulesWhoseMarkersStandInTheLog) {
  Alert alert = Sample();
  EXPECT_TRUE(RuleText::Of(ViewOf(alert.rule)).has_json);
  alert.rule.group = "ossec,rootcheck,";
  EXPECT_FALSE(RuleText::Of(ViewOf(alert.rule)).has_json);
}

}  // namespace
}  // namespace ospatrol::alert
