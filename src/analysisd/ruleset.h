// Decoders, rules and lists of one load: immutable, shared, replaced as a whole at reload.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/configuration.h"
#include "config/internal_options.h"
#include "config/problems.h"
#include "product/paths.h"

namespace ospatrol::analysisd {

class DecoderSet;      // decoder_set.h
class RuleSet;         // rule_set.h
class ListSet;         // list_set.h
class CandidateIndex;  // candidate_index.h
class RuleWalk;        // rule_walk.h

// The numbers of internal_options.conf and of <global> that the engine obeys.
struct EngineOptions {
  int default_timeframe = 360;
  int fts_list_size = 32;
  int fts_min_size_for_str = 14;
  bool log_fw = true;
  int decoder_order_size = 256;
  int sid_prev_matched_max = 128;
  bool predecode_extended = false;
  bool overwrite_compat = false;
  bool repeat_filter = true;  // logtest: off
  bool search_texts = true;   // analysisd.prefilter: find rules by the texts that they require
  int memory_size = 8192;
  int log_alert_level = 1;
  int email_alert_level = 7;
  bool syscheck_auto_ignore = true;
  bool syscheck_alert_new_files = false;
  std::vector<std::string> syscheck_ignore;
  std::string server_name;  // short host name of this machine: hostname of events without one

  static EngineOptions From(const config::Configuration& configuration,
                            const config::InternalOptions& internal);
};

class Ruleset {
 public:
  // Loads everything that `configuration` names, below `home`. All errors of all files go to
  // `problems`; nullptr when there is any. Warnings do not stop it.
  static std::shared_ptr<const Ruleset> Load(const Home& home,
                                             const config::Configuration& configuration,
                                             const config::InternalOptions& internal,
                                             config::Problems& problems);

  // The same from parts: tests and tools.
  static std::shared_ptr<const Ruleset> From(std::unique_ptr<DecoderSet> decoders,
                                             std::unique_ptr<ListSet> lists,
                                             std::unique_ptr<RuleSet> rules, EngineOptions options);

  ~Ruleset();
  const DecoderSet& decoders() const { return *decoders_; }
  const RuleSet& rules() const { return *rules_; }
  const ListSet& lists() const { return *lists_; }
  const RuleWalk& walk() const { return *walk_; }
  const CandidateIndex& index() const { return *index_; }
  const EngineOptions& options() const { return options_; }

 private:
  Ruleset();
  std::unique_ptr<DecoderSet> decoders_;
  std::unique_ptr<RuleSet> rules_;
  std::unique_ptr<ListSet> lists_;
  std::unique_ptr<const RuleWalk> walk_;
  std::unique_ptr<const CandidateIndex> index_;
  EngineOptions options_;
};

}  // namespace ospatrol::analysisd
