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

// Supplementary groups := [gid], gid, chroot (when the program's row says so), capabilities, uid, no_new_privs, in this
// order; then verifies each by reading it back. Any failure throws Error (1130-1133 or 9001): the caller must exit.
// When not started as root: no change, and an Error unless `allow_unprivileged`.
void BecomeProgram(const Program& program, const Identity& identity, const std::filesystem::path& prefix);

// Seccomp: forbids what no daemon of ours ever needs (ptrace, mount, module loading, reboot, keyctl, ...) and, for
// programs that run no other programs, execve. REQUIRES: no_new_privs or CAP_SYS_ADMIN. Throws Error.
void RestrictSystemCalls(const Program& program);

}  // namespace ospatrol::daemon
