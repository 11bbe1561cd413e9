// Changing identity, root directory and capabilities, and making sure that it happened.
#pragma once

#include <filesystem>
#include <string>

#include "product/programs.h"

namespace ospatrol::daemon {

struct Identity {
  unsigned uid = 0;
  unsigned gid = 0;
};

// Throws Error 1203 when either is unknown.
Identity LookUpIdentity(const std::string& user, const std::string& group);

// Supplementary groups := [gid], gid, chroot (when the program's row says so), capabilities, uid,
// no_new_privs, in this order; then verifies each by asking the kernel. Any failure throws Error
// (1130-1133 or 9001): the caller must exit. REQUIRES: effective uid 0.
void BecomeProgram(const Program& program, const Identity& identity,
                   const std::filesystem::path& prefix);

// Nothing that this process starts can gain privileges. Throws Error 9001.
void ForbidNewPrivileges();

enum class Execution { kForbidden, kAllowed };

// Seccomp, for all threads and for good: forbids what no daemon of ours ever needs (ptrace, mount,
// module loading, reboot, keyctl, ...) and, on demand, execve. A forbidden call fails with EPERM.
// REQUIRES: no_new_privs or CAP_SYS_ADMIN. Throws Error 9009.
void RestrictSystemCalls(Execution execution);

}  // namespace ospatrol::daemon
