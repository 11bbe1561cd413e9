// var/run/<program>-<pid>.pid (configuration-and-operation 2.7, 9.2 no. 5).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string_view>

#include "product/paths.h"

namespace ospatrol::daemon {

// Exists as long as the object, in the process that made it.
class PidFile {
 public:
  // Throws Error 1212. A file of this name that is there already is a leftover of a dead process of
  // ours, since the name holds our pid: it is removed, never followed or written to.
  PidFile(const Home& home, std::string_view program);
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;
  ~PidFile();

  const std::filesystem::path& path() const { return path_; }

 private:
  pid_t owner_;
  std::filesystem::path path_;
};

}  // namespace ospatrol::daemon
