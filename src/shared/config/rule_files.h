// From the entries of <rules> to files (configuration-and-operation 3.5).
#pragma once

#include <string>
#include <vector>

#include "config/dialect.h"
#include "config/problems.h"
#include "config/sections.h"
#include "product/paths.h"

namespace ospatrol::config {

enum class RuleFileKind { kRules, kDecoders };

// Files in evaluation order, relative to the prefix, each with the line that named it. Directories
// are listed below `home` in byte order, without files that were listed before. A directory that
// cannot be read is an error. Decoders: without any, etc/decoder.xml and, if it exists,
// etc/local_decoder.xml (their origin is empty).
std::vector<RulesSection::File> ExpandRuleFiles(const Home& home, const RulesSection& section,
                                                RuleFileKind kind, Problems& problems);

// Reads one of them. A file that is not there is a problem of the line that named it; then, and
// after a syntax error, the document is empty.
Document ReadRuleFile(const Home& home, const RulesSection::File& file, Problems& problems);

}  // namespace ospatrol::config
