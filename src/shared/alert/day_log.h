// The bytes of one day of a log, whatever files hold them: parts that were cut by size follow each
// other, each of them plain or, after it was compressed, as .gz. Offsets count unpacked bytes of
// the whole day. What was opened can be read to its end even if it is renamed, compressed or
// deleted meanwhile.
//
// Thread-compatible: one owner.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alert/alert_files.h"
#include "base/day.h"
#include "base/fd.h"
#include "product/paths.h"

namespace ospatrol::alert {

struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};
// Links are followed. Nothing when there is no such file.
std::optional<FileIdentity> IdentityOf(const std::filesystem::path& path);

class DayLog {
 public:
  // Nothing when the day has no file, or it cannot be opened (errno is not ENOENT then).
  static std::optional<DayLog> Open(const Home& home, const DailyNames& names,
                                    const base::Day& day);
  // True when a file of that day has a name.
  static bool Exists(const Home& home, const DailyNames& names, const base::Day& day);

  const base::Day& day() const { return day_; }

  // Appends at most `limit` bytes from `offset` on to `out`. 0: the end, for now. Negative: cannot
  // be read; errno says why.
  ssize_t Read(uint64_t offset, size_t limit, std::string& out);

  // Bytes of the day so far. Unpacks what is packed: may take long.
  uint64_t Size();
  // True when the last part is a plain file that has become shorter than what was read of it.
  bool IsTruncated(uint64_t offset) const;
  // True when another file has the name of the last part now.
  bool IsReplaced() const;
  // The last part; nothing when it is packed.
  std::optional<FileIdentity> current() const;

 private:
  class Packed;
  struct Part {
    base::Fd file;                   // plain
    std::shared_ptr<Packed> packed;  // or .gz
    uint64_t begin = 0;              // offset of its first byte
  };

  DayLog(const Home& home, const DailyNames& names, const base::Day& day)
      : home_(home), names_(names), day_(day) {}
  std::filesystem::path PathOf(int part) const { return home_ / DailyPath(names_, day_, part); }
  std::optional<Part> OpenPart(int number) const;
  bool OpenNextPart();
  static ssize_t ReadPart(Part& part, uint64_t offset, size_t limit, std::string& out);
  static uint64_t PartSize(Part& part);

  Home home_;
  DailyNames names_;
  base::Day day_;
  std::vector<Part> parts_;
};

}  // namespace ospatrol::alert
