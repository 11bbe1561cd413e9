// One process of a program at a time in an installation. Two would share queues, stores and event
// numbers, and lose events by it.
#pragma once

#include "base/fd.h"
#include "product/paths.h"
#include "product/programs.h"

namespace ospatrol::daemon {

// Takes a lock on PREFIX/bin/<program>, which only root can open, and keeps it until the process
// ends, whatever ends it. Waits up to 2 s for a process that is just ending; throws Error 9010 when
// another one has it. Not locked (and not open)
// when the program is not installed there: a developer's run from the build tree.
// REQUIRES: root, before the chroot.
base::Fd LockInstance(const Home& home, const Program& program);

}  // namespace ospatrol::daemon
