// What analysisd has seen already (rules-and-decoders 4.11): `if_fts` answers as it would there.
#pragma once

#include <string>
#include <vector>

#include "product/paths.h"

namespace ospatrol::logtest {

// The lines of queue/fts/fts.db, or of fts-queue where there is no database yet. Nothing is
// written. Empty when there are neither, or when they cannot be read, which is logged.
std::vector<std::string> ReadFirstSeenLines(const Home& home);

}  // namespace ospatrol::logtest
