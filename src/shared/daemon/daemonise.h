// Leaving the terminal without leaving the caller in the dark: the parent waits until the daemon is
// ready or has failed.
#pragma once

#include <utility>

#include "base/fd.h"

namespace ospatrol::daemon {

// The line to the waiting parent. When it is dropped without a report, the parent exits with
// status 1.
class Parent {
 public:
  Parent() = default;  // none waits: foreground
  // `null` is /dev/null, opened before the chroot, where there is none.
  Parent(base::Fd pipe, base::Fd null) : pipe_(std::move(pipe)), null_(std::move(null)) {}

  // The parent exits with `status`; standard output and error go to /dev/null from now on.
  void Report(int status);

 private:
  base::Fd pipe_;
  base::Fd null_;
};

// Forks twice and starts a session, so that the daemon can never get a terminal. Returns in the
// daemon only; the caller's process waits for the report and exits. Standard error stays until
// then. Throws Error. REQUIRES: no threads.
Parent Daemonise();

// Opens /dev/null for each of descriptors 0-2 that is closed, so that no other file takes its
// number.
void OpenMissingStandardDescriptors();

// Lets `descriptor` (0-2) refer to /dev/null. REQUIRES: outside the chroot.
void SilenceDescriptor(int descriptor);

}  // namespace ospatrol::daemon
