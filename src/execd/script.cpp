#include "execd/script.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ospatrol::execd {
namespace {

constexpr size_t kMostErrorText = 1024;
constexpr int kFirstOther = 3;
constexpr int kCannotRun = 127;

// What the child needs, made before the fork: behind it nothing may be allocated.
struct Preparation {
  std::vector<std::string> arguments, environment;
  std::vector<char*> argument_pointers, environment_pointers;

  static std::vector<char*> PointersTo(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  Preparation(const std::filesystem::path& path, Action action, const Request& request) {
    arguments = {path.string(), std::string(ActionName(action))};
    arguments.insert(arguments.end(), request.arguments.begin(), request.arguments.end());
    const char* zone = std::getenv("TZ");
    environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                   "LC_ALL=C",
                   "OSPATROL_AR_VERSION=1",
                   "OSPATROL_ACTION=" + arguments[1],
                   "OSPATROL_USER=" + request.user(),
                   "OSPATROL_IP=" + request.ip(),
                   "OSPATROL_ALERT_ID=" + std::string(request.alert()),
                   "OSPATROL_RULE_ID=" + std::string(request.rule()),
                   "OSPATROL_LOCATION=" + std::string(request.location()),
                   "OSPATROL_FILENAME=" + std::string(request.file())};
    if (zone != nullptr) environment.push_back(std::string("TZ=") + zone);
    argument_pointers = PointersTo(arguments);
    environment_pointers = PointersTo(environment);
  }
};

// In the child: only calls that are safe between fork and exec.
[[noreturn]] void RunInChild(int null, int error, const char* home,
                             const Preparation& preparation) {
  ::setsid();
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  ::umask(0077);
  // Both may be any numbers: first out of the way of 0-2, then into place.
  const int high_null = ::fcntl(null, F_DUPFD, kFirstOther);
  const int high_error = ::fcntl(error, F_DUPFD, kFirstOther);
  const bool ready = ::dup2(high_null, 0) == 0 && ::dup2(high_null, 1) == 1 &&
                     ::dup2(high_error, 2) == 2 && ::close_range(kFirstOther, ~0U, 0) == 0 &&
                     ::chdir(home) == 0;
  if (ready) {
    ::execve(preparation.argument_pointers[0], preparation.argument_pointers.data(),
             preparation.environment_pointers.data());
  }
  ::_exit(kCannotRun);
}

bool OnlyRootMayWrite(const struct stat& facts) {
  return facts.st_uid == 0 && (facts.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

std::string_view ActionName(Action action) { return action == Action::kAdd ? "add" : "delete"; }

bool MayRun(const std::filesystem::path& directory, const std::string& name, std::string& reason) {
  struct stat facts {};
  if (::lstat(directory.c_str(), &facts) != 0) {
    reason = base::ErrnoText(errno);
  } else if (!S_ISDIR(facts.st_mode) || !OnlyRootMayWrite(facts)) {
    reason = "its directory must belong to root, and nobody else may be able to write there";
  } else if (::lstat((directory / name).c_str(), &facts) != 0) {
    reason = base::ErrnoText(errno);
  } else if (!S_ISREG(facts.st_mode)) {
    reason = "it is no plain file";
  } else if (!OnlyRootMayWrite(facts)) {
    reason = "it must belong to root, and nobody else may be able to write it";
  } else if ((facts.st_mode & S_IXUSR) == 0) {
    reason = "it is not executable";
  } else {
    return true;
  }
  return false;
}

ScriptRun::ScriptRun(const std::filesystem::path& path, Action action, const Request& request,
                     const std::filesystem::path& home) {
  const Preparation preparation(path, action, request);
  const std::string directory = home.string();
  const base::Fd null = base::OpenFile("/dev/null", O_RDWR);
  error_ = base::Fd(::memfd_create("response-error", MFD_CLOEXEC));
  if (!null || !error_) throw Error("no descriptor for a response: " + base::ErrnoText(errno));
  pid_ = ::fork();
  if (pid_ < 0) throw Error("no process for a response: " + base::ErrnoText(errno));
  if (pid_ == 0) {
    RunInChild(null.get(), error_.get(), directory.c_str(), preparation);
  }
}

void ScriptRun::Signal(int number) const {
  // Before its setsid() there is no group yet.
  if (::kill(-pid_, number) != 0) ::kill(pid_, number);
}

std::string ScriptRun::ErrorText() const {
  std::array<char, kMostErrorText> bytes{};
  const ssize_t count = ::pread(error_.get(), bytes.data(), bytes.size(), 0);
  if (count <= 0) return {};
  return std::string(base::Trim(std::string_view(bytes.data(), static_cast<size_t>(count))));
}

}  // namespace ospatrol::execd
