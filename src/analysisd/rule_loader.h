// Rule files to a RuleSet: elements, attributes, overwrites, the tree, and what a load warns of
// (rules-and-decoders 4.1-4.5, 4.8, 4.16). Every error of every file becomes a Problem with file,
// line and rule id; a rule with an error is left out and the load goes on.
#pragma once

#include <memory>
#include <vector>

#include "analysisd/decoder_set.h"
#include "analysisd/list_set.h"
#include "analysisd/rule_set.h"
#include "analysisd/ruleset.h"
#include "config/configuration.h"
#include "config/dialect.h"
#include "config/problems.h"
#include "product/paths.h"

namespace ospatrol::analysisd {

// Everything that `configuration` names, below `home`, in evaluation order. Never null; meaningless
// when `problems` has errors. `decoders` and `lists` must outlive the result.
std::unique_ptr<RuleSet> LoadRules(const Home& home, const config::Configuration& configuration,
                                   const EngineOptions& options, const DecoderSet& decoders,
                                   const ListSet& lists, config::Problems& problems);

// The same from documents that are already read, in this order; variables are expanded here.
std::unique_ptr<RuleSet> BuildRules(std::vector<config::Document> documents,
                                    const EngineOptions& options, const DecoderSet& decoders,
                                    const ListSet& lists, config::Problems& problems);

}  // namespace ospatrol::analysisd
