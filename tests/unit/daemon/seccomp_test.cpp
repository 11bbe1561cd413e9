#include <gtest/gtest.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

#include "daemon/privileges.h"
#include "in_a_child.h"

namespace ospatrol::daemon {
namespace {

// How `call` fails once the filter is loaded: errno, or 0 when it is allowed.
int ErrorOf(Execution execution, const std::function<long()>& call) {
  return StatusInAChild([&] {
    ForbidNewPrivileges();
    RestrictSystemCalls(execution);
    return call() < 0 ? errno : 0;
  });
}

TEST(RestrictSystemCalls, ForbidsWhatNoDaemonNeeds) {
  const auto kForbidden = Execution::kAllowed;
  EXPECT_EQ(ErrorOf(kForbidden, [] { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }), EPERM);
  EXPECT_EQ(ErrorOf(kForbidden, [] { return mount("none", "/", "tmpfs", MS_REMOUNT, nullptr); }),
            EPERM);
  EXPECT_EQ(ErrorOf(kForbidden, [] { return chroot("/"); }), EPERM);
  EXPECT_EQ(ErrorOf(kForbidden, [] { return unshare(CLONE_NEWUSER); }), EPERM);
  EXPECT_EQ(ErrorOf(kForbidden, [] { return syscall(SYS_bpf, 0, nullptr, 0); }), EPERM);
  EXPECT_EQ(ErrorOf(kForbidden, [] { return syscall(SYS_keyctl, 0, 0, 0, 0, 0); }), EPERM);
  EXPECT_EQ(ErrorOf(kForbidden, [] { return syscall(SYS_userfaultfd, 0); }), EPERM);
  EXPECT_EQ(ErrorOf(kForbidden, [] { return syscall(SYS_init_module, nullptr, 0, ""); }), EPERM);
  EXPECT_EQ(ErrorOf(kForbidden, [] { return syscall(SYS_io_uring_setup, 1, nullptr); }), EPERM);
}

TEST(RestrictSystemCalls, ForbidsNamespacesThroughCloneToo) {
  const auto clone_with = [](unsigned long flags) {
    return [flags]() -> long {
      const long child = syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
      if (child == 0) _exit(0);
      return child;
    };
  };
  EXPECT_EQ(ErrorOf(Execution::kAllowed, clone_with(CLONE_NEWUSER)), EPERM);
  EXPECT_EQ(ErrorOf(Execution::kAllowed, clone_with(CLONE_NEWNET)), EPERM);
  EXPECT_EQ(ErrorOf(Execution::kAllowed, clone_with(0)), 0);
}

long RunTrue() {
  const pid_t child = fork();
  if (child == 0) {
    execl("/bin/true", "true", nullptr);
    _exit(errno);
  }
  int status = 0;
  waitpid(child, &status, 0);
  errno = WEXITSTATUS(status);
  return errno == 0 ? 0 : -1;
}

TEST(RestrictSystemCalls, ProgramsRunOnlyWhereTheyAreAllowed) {
  EXPECT_EQ(ErrorOf(Execution::kForbidden, RunTrue), EPERM);
  EXPECT_EQ(ErrorOf(Execution::kAllowed, RunTrue), 0);
}

TEST(RestrictSystemCalls, LeavesThreadsFilesAndForksAlone) {
  EXPECT_EQ(StatusInAChild([] {
              ForbidNewPrivileges();
              RestrictSystemCalls(Execution::kForbidden);
              int done = 0;
              std::thread([&] { done = 1; }).join();
              return done == 1 && StatusInAChild([] { return 7; }) == 7 ? 0 : 1;
            }),
            0);
}

TEST(RestrictSystemCalls, NeedsNoNewPrivilegesOrRoot) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  EXPECT_EQ(StatusInAChild([] {
              if (setresuid(65534, 65534, 65534) != 0) return 2;
              try {
                RestrictSystemCalls(Execution::kForbidden);
              } catch (const std::exception&) {
                return 0;
              }
              return 1;
            }),
            0);
}

}  // namespace
}  // namespace ospatrol::daemon
