// What a run of logtest loads: the configuration, and from it rule sets. The files of rules and
// decoders are also kept as elements, for what looks at them as written (lint) or changes them
// (mutate).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysisd/ruleset.h"
#include "config/configuration.h"
#include "config/dialect.h"
#include "config/internal_options.h"
#include "config/problems.h"
#include "logtest/options.h"
#include "product/paths.h"

namespace ospatrol::logtest {

// Rule and decoder files in evaluation order, variables expanded.
struct Documents {
  std::vector<config::Document> decoders, rules;
};

class Sources {
 public:
  // Reads configuration and internal options. Nothing when there are errors.
  static std::optional<Sources> Read(const Options& options, config::Problems& problems);

  // Everything that the configuration names; nullptr when there are errors.
  std::shared_ptr<const analysisd::Ruleset> Load(config::Problems& problems) const;

  // The same with these rules in place of the rule files.
  std::shared_ptr<const analysisd::Ruleset> LoadWith(std::vector<config::Document> rules,
                                                     config::Problems& problems) const;

  // Names of the decoder files, relative to the prefix, in the order of reading. Without any in the
  // configuration an empty name for etc/local_decoder.xml, when it is there, and nothing else.
  const std::vector<std::string>& decoder_files() const { return decoder_files_; }

  // Load() tells what is wrong with the files; this does not tell it again.
  Documents ReadDocuments() const;

 private:
  Sources(Home home, config::Configuration configuration, config::InternalOptions internal);

  Home home_;
  config::Configuration configuration_;
  config::InternalOptions internal_;
  std::vector<std::string> decoder_files_;  // found while the prefix can be read: before a chroot
};

}  // namespace ospatrol::logtest
