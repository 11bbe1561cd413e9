// One rule as loaded (rules-and-decoders 4.2-4.4). Immutable; its place in the tree is rule_tree.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analysisd/condition.h"
#include "analysisd/event.h"

namespace ospatrol::analysisd {

struct Correlation;  // correlation.h: what a composite rule counts

struct Rule {
  int id = 0;
  int level = 0;
  bool noalert = false;
  int ignore_seconds = 0;
  int frequency = 0;
  int timeframe = 0;
  bool accurate = true;  // accuracy="0": sorts behind all others
  Category category = Category::kSyslog;

  std::string description;
  std::string group;  // raw: "syslog,sshd,authentication_failed,"
  std::string info_text, cve;
  struct Info {
    std::string type;  // "Text", "Link", "CVE", "OSVDB"
    std::string text;
  };
  std::vector<Info> infos;
  std::vector<std::string> mitre_ids;

  bool log = false;                 // alert is written
  bool mail = false;                // alert is marked for mail
  bool no_active_response = false;

  unsigned ignore_fields = 0;        // 4.7: bits of IgnoreField
  unsigned check_ignored_fields = 0;

  std::vector<std::unique_ptr<const Condition>> conditions;  // in the order of 4.6
  std::unique_ptr<const Correlation> correlation;            // null: not a composite rule

  std::string file;  // where it stands, for messages
  int line = 0;
};

}  // namespace ospatrol::analysisd
