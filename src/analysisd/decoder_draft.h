// One <decoder> element read, before it takes its place among the others: texts joined, names
// looked up, nothing checked that needs another decoder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analysisd/decoder.h"
#include "analysisd/ruleset.h"
#include "config/dialect.h"
#include "config/problems.h"

namespace ospatrol::analysisd {

struct DecoderDraft {
  std::unique_ptr<Decoder> decoder;  // without name_id, id, name, relations
  std::string parent;                // empty: top level
  bool has_parent = false;
  bool use_own_name = false;
  bool valid = false;  // false: an error was reported
};

// Reads a <decoder> with its name attribute; every error goes to `problems`.
DecoderDraft ReadDecoder(const config::Element& element, const std::string& file,
                         const EngineOptions& options, config::Problems& problems);

}  // namespace ospatrol::analysisd
