// One rule as loaded (rules-and-decoders 4.2-4.4). Immutable; its place in the tree is rule_tree.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "alert/rule_text.h"
#include "analysisd/condition.h"
#include "analysisd/correlation.h"
#include "analysisd/event.h"
#include "base/lazy.h"

namespace ospatrol::analysisd {

// Values of an event that an ignore line is made of (4.7).
enum IgnoreField : unsigned {
  kIgnoreName = 1u << 0,  // of the decoder
  kIgnoreId = 1u << 1,
  kIgnoreUser = 1u << 2,  // dstuser
  kIgnoreSrcIp = 1u << 3,
  kIgnoreDstIp = 1u << 4,
  kIgnoreData = 1u << 5,
  kIgnoreLocation = 1u << 6,
};

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
  base::Lazy<alert::RuleText> text;  // of all that (rule_facts.h)

  bool log = false;   // alert is written
  bool mail = false;  // alert is marked for mail
  bool no_active_response = false;

  unsigned ignore_fields = 0;         // bits of IgnoreField
  unsigned check_ignored_fields = 0;  // the same

  int decoder_name_id = 0;  // <decoded_as>: DecoderSet::NameId; 0 = any decoder
  bool check_diff = false;  // then nothing is counted (4.10)

  std::vector<std::unique_ptr<const Condition>> conditions;  // in the order of 4.6
  std::unique_ptr<const Correlation> correlation;            // null: not a composite rule

  std::string file;  // where it stands, for messages
  int line = 0;

  uint32_t index = 0;  // in RuleSet::rules()
  // Of id, conditions, parents and groups: when it is another one, what was remembered of the rule
  // is of no use.
  uint64_t fingerprint = 0;
};

}  // namespace ospatrol::analysisd
