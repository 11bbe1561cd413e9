#include "base/random.h"

#include <sys/random.h>

#include <cerrno>

#include "base/error.h"
#include "base/files.h"

namespace ospatrol::base {

std::string RandomBytes(size_t count) {
  std::string bytes(count, '\0');
  size_t filled = 0;
  while (filled < count) {
    const ssize_t got = getrandom(bytes.data() + filled, count - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error("the kernel gives no random bytes: " + ErrnoText(errno));
    filled += static_cast<size_t>(got);
  }
  return bytes;
}

}  // namespace ospatrol::base
