// One alert, independent of the engine that made it and of the programs that send it on.
// Shapes: outputs-and-response 2.2, 2.3, 3.2, 4.1.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/time.h"

namespace ospatrol::alert {

struct RuleText;  // rule_text.h

// Who reads alerts back keeps their texts (Alert). Who makes records needs them for that moment
// only, and they are some hundred bytes in many pieces: AlertView has texts that belong to somebody
// else.
template <typename Text>
using TextList = std::conditional_t<std::is_same_v<Text, std::string>, std::vector<std::string>,
                                    std::span<const std::string>>;

// What an integrity event says about a file; empty = unknown, -1 = unknown mode.
template <typename Text>
struct BasicFileChange {
  Text path;
  Text md5_before, md5_after, sha1_before, sha1_after, sha256_before, sha256_after;
  Text owner_before, owner_after, gowner_before, gowner_after;
  int64_t perm_before = -1, perm_after = -1;
};

template <typename Text>
struct BasicRuleFacts {
  int id = 0;
  int level = 0;
  int frequency = 0;
  uint64_t fired_times = 0;
  Text comment;
  Text group;  // raw group string: "syslog,sshd,"
  Text info, cve;
  TextList<Text> mitre_ids;
  const RuleText* text = nullptr;  // of these facts; null: records make it each time
};

template <typename Text>
struct BasicDecoderFacts {
  Text name, parent, fts_comment;
  int64_t fts = 0;
  bool accumulate = false;
};

template <typename Text>
struct BasicAlert {
  Text id;                 // "<epoch>.<seq>"
  base::Seconds time = 0;  // receipt, wall clock
  bool mail = false;
  BasicRuleFacts<Text> rule;
  BasicDecoderFacts<Text> decoder;
  Text location, hostname, program_name;
  Text full_log;
  TextList<Text> last_events;  // newest first, at most 11; check_diff: "Previous output:", content
  // Empty = not set.
  Text srcip, dstip, srcport, dstport, srcgeoip, dstgeoip, protocol, action, srcuser, dstuser,
      id_field, url, data, status, systemname, filename, command;
  std::vector<std::pair<Text, Text>> dynamic_fields;  // name, value
  BasicFileChange<Text> file;
};

using FileChange = BasicFileChange<std::string>;
using FileChangeView = BasicFileChange<std::string_view>;
using RuleFacts = BasicRuleFacts<std::string>;
using RuleFactsView = BasicRuleFacts<std::string_view>;
using DecoderFacts = BasicDecoderFacts<std::string>;
using DecoderFactsView = BasicDecoderFacts<std::string_view>;

struct Alert : BasicAlert<std::string> {
  // "hostname->location", or the location alone when both are the same text (2.3).
  std::string Where() const;
};

struct AlertView : BasicAlert<std::string_view> {
  AlertView() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): an Alert is good wherever its texts are read.
  AlertView(const Alert& alert);
};

RuleFactsView ViewOf(const RuleFacts& rule);

}  // namespace ospatrol::alert
