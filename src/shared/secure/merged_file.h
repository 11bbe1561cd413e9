// merged.mg: the shared files of a manager in one (wire-protocol 4.4).
//
//   "!" size " " name LF content     repeated, nothing in between
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::secure {

inline constexpr size_t kMaxSharedFile = size_t{1} << 20;
inline constexpr size_t kMaxMergedFile = size_t{16} << 20;
inline constexpr size_t kMaxSharedName = 255;

struct SharedFile {
  std::string name;
  std::string content;
};

// Why a name cannot be that of a shared file, as one phrase; nothing when it can. A name is one
// path step without control characters that does not begin with "." and is not merged.mg itself.
std::optional<std::string> SharedNameFault(std::string_view name);
// Why a file cannot be sent to agents: its name, more than kMaxSharedFile bytes, or a NUL byte,
// behind which agents of version 1 lose the rest of a message.
std::optional<std::string> SharedFileFault(const SharedFile& file);

struct Merged {
  std::string text;
  std::vector<std::string> problems;  // "NAME: why it is left out", one line each
};
// Sorted by name, so that the sum of the same files is the same; files with a fault, and those that
// would make it larger than kMaxMergedFile, are left out.
Merged Merge(std::vector<SharedFile> files);

// In the order given, without any check: for tests and for those who have checked.
std::string Concatenate(std::span<const SharedFile> files);

struct SplitFiles {
  // Nothing when the text ends before an entry does: then no part of it may be used.
  std::optional<std::vector<SharedFile>> files;
  std::vector<std::string> problems;  // entries that are left out, or why it is refused
};
// Lines that are no header are skipped up to the next one. Entries without a name, with a bad one
// or too large are left out; of two with one name the later counts. Cost is linear in the text.
SplitFiles Split(std::string_view merged);

}  // namespace ospatrol::secure
