/* A system whose kernel has no notices of file changes to give. For LD_PRELOAD. */
#include <errno.h>

int inotify_init1(int flags) {
  (void)flags;
  errno = ENOSYS;
  return -1;
}
