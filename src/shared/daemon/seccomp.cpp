// Allow by default, forbid what only an intruder would call. A list of allowed calls would be
// tighter, but it would depend on the versions of libc and of every library and break a daemon on
// the day one of them is updated.
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <memory>

#include "base/files.h"
#include "daemon/privileges.h"
#include "log/log.h"

namespace ospatrol::daemon {

namespace {

constexpr auto kForbidden = std::to_array<const char*>({
    // other processes
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "pidfd_getfd",
    "kcmp",
    // file systems and name spaces
    "mount",
    "umount",
    "umount2",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsmount",
    "fsconfig",
    "fspick",
    "mount_setattr",
    "pivot_root",
    "chroot",
    "setns",
    "unshare",
    "swapon",
    "swapoff",
    "quotactl",
    "quotactl_fd",
    // the kernel and the machine
    "init_module",
    "finit_module",
    "delete_module",
    "create_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "acct",
    "iopl",
    "ioperm",
    "sethostname",
    "setdomainname",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "vhangup",
    "syslog",
    // large attack surfaces that we do not use
    "add_key",
    "request_key",
    "keyctl",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "modify_ldt",
    "lookup_dcookie",
    "nfsservctl",
});

constexpr auto kProgramStart = std::to_array<const char*>({"execve", "execveat"});

constexpr auto kNamespaceFlags =
    std::to_array<scmp_datum_t>({CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET,
                                 CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP});

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ALLOW), seccomp_release) {
    if (!context_) Fail(ENOMEM);
  }

  void Attribute(scmp_filter_attr attribute, uint32_t value) {
    Check(seccomp_attr_set(context_.get(), attribute, value));
  }

  // Programs that we run may be 32-bit ones; without this the kernel kills them at their first
  // call.
  void AddSecondArchitecture() {
    uint32_t second = 0;
    if (seccomp_arch_native() == SCMP_ARCH_X86_64) second = SCMP_ARCH_X86;
    if (seccomp_arch_native() == SCMP_ARCH_AARCH64) second = SCMP_ARCH_ARM;
    if (second != 0) Check(seccomp_arch_add(context_.get(), second));
  }

  void Forbid(const char* name, int error = EPERM) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call == __NR_SCMP_ERROR) return;  // this library does not know it
    const auto action = SCMP_ACT_ERRNO(static_cast<uint32_t>(error));
    Check(seccomp_rule_add_array(context_.get(), action, call, 0, nullptr));
  }

  void ForbidFlag(const char* name, unsigned argument, scmp_datum_t flag) {
    const int call = seccomp_syscall_resolve_name(name);
    const scmp_arg_cmp has_flag{argument, SCMP_CMP_MASKED_EQ, flag, flag};
    Check(seccomp_rule_add_array(context_.get(), SCMP_ACT_ERRNO(EPERM), call, 1, &has_flag));
  }

  void Load() {
    Check(seccomp_load(context_.get()));
    constexpr int kFilterMode = 2;  // SECCOMP_MODE_FILTER
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != kFilterMode) Fail(ENOSYS);
  }

 private:
  static void Check(int result) {
    if (result < 0) Fail(-result);
  }
  [[noreturn]] static void Fail(int error) {
    throw log::Fatal<msg::kSeccompFailed>(base::ErrnoText(error));
  }

  std::unique_ptr<void, decltype(&seccomp_release)> context_;
};

}  // namespace

void RestrictSystemCalls(Execution execution) {
  Filter filter;
  // no_new_privs is BecomeProgram's decision, not a side effect of loading a filter.
  filter.Attribute(SCMP_FLTATR_CTL_NNP, 0);
  filter.Attribute(SCMP_FLTATR_CTL_TSYNC, 1);
  if (execution == Execution::kAllowed) filter.AddSecondArchitecture();
  for (const char* name : kForbidden) filter.Forbid(name);
  for (const scmp_datum_t flag : kNamespaceFlags) filter.ForbidFlag("clone", 0, flag);
  // Its flags lie in memory, where a filter cannot look. libc falls back to clone.
  filter.Forbid("clone3", ENOSYS);
  if (execution == Execution::kForbidden) {
    for (const char* name : kProgramStart) filter.Forbid(name);
  }
  filter.Load();
}

}  // namespace ospatrol::daemon
