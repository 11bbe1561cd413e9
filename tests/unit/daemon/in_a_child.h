// What changes a process for good (identity, root directory, filters) is tested in a child.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <functional>

namespace ospatrol {

// Runs `body` in a child; its result is the child's exit status. An exception counts as 99.
inline int StatusInAChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    int status = 99;
    try {
      status = body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "in the child: %s\n", error.what());
    }
    _exit(status);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// kill(2) for a process of this test only: tests run as root, where a pid of 0 or -1, which stands
// for "not found" in many places, means every process of the group or of the machine. So does the
// pid of a process that is not our child.
inline bool SignalChild(pid_t child, int signal) {
  siginfo_t info{};
  const bool ours =
      child > 1 && waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
  EXPECT_TRUE(ours) << "no child of this test: " << child;
  return ours && kill(child, signal) == 0;
}

}  // namespace ospatrol
