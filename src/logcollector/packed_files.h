// Reads on in a file that was rotated and compressed (gzip) while the collector was down.
#pragma once

#include <filesystem>
#include <optional>

#include "logcollector/position_store.h"
#include "logcollector/rotated_files.h"

namespace ospatrol::logcollector {

// The generation of `row`, found by the bytes that it begins with in a rotated name of `path` that
// ends in .gz, and unpacked into memory: what had been read is left out as a hole, so that offsets
// stay what they were, and of the rest only the last `limit` bytes are kept. `path` of the result
// is that of the packed file.
std::optional<FoundFile> FindPacked(const std::filesystem::path& path, const StoredFile& row,
                                    uint64_t limit);

}  // namespace ospatrol::logcollector
