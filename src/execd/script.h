// Starting a response script: no shell, a clean environment, nothing of ours open
// (outputs-and-response 6.3, 6.7).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/fd.h"
#include "execd/request.h"

namespace ospatrol::execd {

enum class Action { kAdd, kDelete };
std::string_view ActionName(Action action);

// True when DIRECTORY/NAME is a plain executable file of root that nobody else may write, in a
// directory of the same kind: then nobody else can put another file in its place before it runs.
// False: `reason` says why. (It is run by its name and not by descriptor, so that scripts find
// themselves in $0.)
bool MayRun(const std::filesystem::path& directory, const std::string& name, std::string& reason);

// One run of a script, in a process group of its own.
class ScriptRun {
 public:
  // Starts `path` with the arguments of `request` behind the action. It begins in `home`. Throws
  // Error when there is no process to be had.
  ScriptRun(const std::filesystem::path& path, Action action, const Request& request,
            const std::filesystem::path& home);

  pid_t pid() const { return pid_; }
  // Signals the whole group.
  void Signal(int number) const;
  // What it wrote to standard error, at most the first KiB, once it has ended.
  std::string ErrorText() const;

 private:
  pid_t pid_ = -1;
  base::Fd error_;
};

}  // namespace ospatrol::execd
