// Decoder files to a DecoderSet: elements, attributes, the checks of rules-and-decoders 3.2-3.5.
// Every error of every file becomes a Problem with file and line; a decoder with an error is left
// out and the load goes on.
#pragma once

#include <memory>
#include <vector>

#include "analysisd/decoder_set.h"
#include "analysisd/ruleset.h"
#include "config/configuration.h"
#include "config/dialect.h"
#include "config/problems.h"
#include "product/paths.h"

namespace ospatrol::analysisd {

// Everything that `configuration` names (rules.decoders, global.geoipdb), below `home`, in
// evaluation order. Never null; meaningless when `problems` has errors.
std::unique_ptr<DecoderSet> LoadDecoders(const Home& home,
                                         const config::Configuration& configuration,
                                         const EngineOptions& options, config::Problems& problems);

// The same from documents that are already read, in this order; variables are expanded here.
std::unique_ptr<DecoderSet> BuildDecoders(std::vector<config::Document> documents,
                                          const EngineOptions& options, config::Problems& problems);

}  // namespace ospatrol::analysisd
