#include "daemon/instance_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include "base/files.h"
#include "log/log.h"

namespace ospatrol::daemon {

namespace {

// A predecessor that was killed holds the lock until the kernel has taken it apart.
constexpr std::chrono::milliseconds kPause{20};
constexpr int kTries = 100;

}  // namespace

base::Fd LockInstance(const Home& home, const Program& program) {
  const std::filesystem::path path = home / paths::kBin / program.name;
  base::Fd file = base::OpenFile(path, O_RDONLY | O_NOFOLLOW);
  for (int tries = 1; file && ::flock(file.get(), LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (errno != EWOULDBLOCK) break;  // a file system without locks
    if (tries == kTries) throw log::Fatal<msg::kAlreadyRuns>(home.prefix().native());
    std::this_thread::sleep_for(kPause);
  }
  return file;
}

}  // namespace ospatrol::daemon
