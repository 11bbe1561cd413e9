// One alert, independent of the engine that made it and of the programs that send it on.
// Shapes: outputs-and-response 2.2, 2.3, 3.2, 4.1.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace ospatrol::alert {

// What an integrity event says about a file; empty = unknown, -1 = unknown mode.
struct FileChange {
  std::string path;
  std::string md5_before, md5_after, sha1_before, sha1_after, sha256_before, sha256_after;
  std::string owner_before, owner_after, gowner_before, gowner_after;
  int64_t perm_before = -1, perm_after = -1;
};

struct RuleText;  // rule_text.h

struct RuleFacts {
  int id = 0;
  int level = 0;
  int frequency = 0;
  uint64_t fired_times = 0;
  std::string comment;
  std::string group;  // raw group string: "syslog,sshd,"
  std::string info, cve;
  std::vector<std::string> mitre_ids;
  const RuleText* text = nullptr;  // of these facts; null: records make it each time
  uint64_t text_number = 0;        // the number of `text`, which may be gone
};

struct DecoderFacts {
  std::string name, parent, fts_comment;
  int64_t fts = 0;
  bool accumulate = false;
};

struct Alert {
  std::string id;          // "<epoch>.<seq>"
  base::Seconds time = 0;  // receipt, wall clock
  bool mail = false;
  RuleFacts rule;
  DecoderFacts decoder;
  std::string location, hostname, program_name;
  std::string full_log;
  std::vector<std::string>
      last_events;  // newest first, at most 11; check_diff: "Previous output:", content
  // Empty = not set.
  std::string srcip, dstip, srcport, dstport, srcgeoip, dstgeoip, protocol, action, srcuser,
      dstuser, id_field, url, data, status, systemname, filename, command;
  std::vector<std::pair<std::string, std::string>> dynamic_fields;  // name, value
  FileChange file;

  // "hostname->location", or the location alone when both are the same text (2.3).
  std::string Where() const;
};

}  // namespace ospatrol::alert
