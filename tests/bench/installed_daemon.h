// A daemon of an installed prefix that a benchmark starts, watches and ends.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::bench {

class InstalledDaemon {
 public:
  InstalledDaemon(const InstalledDaemon&) = delete;
  InstalledDaemon& operator=(const InstalledDaemon&) = delete;

  // SIGTERM, and waits for the end. Throws Error.
  void Stop();
  // Until its CPU clock stands still, for at most two minutes.
  void WaitUntilIdle() const;

  pid_t pid() const { return pid_; }
  const std::filesystem::path& prefix() const { return prefix_; }
  // User and system, all threads.
  double CpuSeconds() const;

 protected:
  // The prefix must carry the file `benchmark-prefix`, which says that `what` may be emptied there,
  // so that each run begins alike. Throws Error.
  InstalledDaemon(std::filesystem::path prefix, std::string program, std::vector<int> cpus,
                  std::string_view what);
  ~InstalledDaemon();

  // Removes what is below these directories of the prefix.
  void Empty(std::span<const std::string_view> directories) const;
  // Starts bin/ospatrol-PROGRAM in the foreground, on its processors. If this process is ended by
  // SIGTERM or SIGINT, the daemon ends as well. Throws Error.
  void Launch(const std::vector<std::string>& arguments = {});
  bool HasEnded();
  // Asks `ready` every `pause_us` microseconds until it says true. Throws Error when the daemon
  // ends, or after two minutes: "no `what` after two minutes".
  void WaitFor(const std::function<bool()>& ready, int pause_us, std::string_view what);

 private:
  std::filesystem::path prefix_;
  std::string program_;
  std::vector<int> cpus_;
  pid_t pid_ = -1;
};

}  // namespace ospatrol::bench
