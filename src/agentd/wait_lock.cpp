#include "agentd/wait_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "base/files.h"

namespace ospatrol::agentd {

WaitLock::WaitLock(std::filesystem::path path) : path_(std::move(path)) { ::unlink(path_.c_str()); }

void WaitLock::Set() {
  if (set_) return;
  const base::Fd file = base::OpenFile(path_, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
  set_ = file.IsOpen() && base::WriteAll(file.get(), std::to_string(::getpid()) + "\n");
}

void WaitLock::Clear() {
  ::unlink(path_.c_str());
  set_ = false;
}

}  // namespace ospatrol::agentd
