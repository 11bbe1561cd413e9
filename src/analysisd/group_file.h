// A file that grows by whole groups of records. A short write (disk full, I/O error) leaves nothing
// of its group behind or is completed before anything else is written; what a killed process left
// half-written is removed at the next open. So a reader never sees a record whose end is missing
// and another one behind it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/fd.h"

namespace ospatrol::analysisd {

class GroupFile {
 public:
  // What stands at the end of every record.
  enum class RecordEnd { kLineFeed, kEmptyLine };

  // Opens for appending, creates with mode 0640 (masked by umask). Nothing on error; errno says
  // why.
  static std::optional<GroupFile> Open(const std::filesystem::path& path, RecordEnd record_end);

  // Appends with one write. False: errno says why; the next call must begin with the same group,
  // which may have grown.
  bool Append(std::string_view group);

  int fd() const { return fd_.get(); }
  uint64_t Size() const;
  // Is this the file that `path` names now? Not when it was deleted, renamed or replaced.
  bool IsAt(const std::filesystem::path& path) const;

 private:
  explicit GroupFile(base::Fd fd) : fd_(std::move(fd)) {}
  void RemoveTornRecord(const std::filesystem::path& path, RecordEnd record_end);

  base::Fd fd_;
  size_t done_ = 0;  // bytes of the present group that are in the file and could not be taken back
};

}  // namespace ospatrol::analysisd
