#include "daemon/daemon.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/time.h"
#include "config/internal_options.h"
#include "daemon/daemonise.h"
#include "daemon/flags.h"
#include "daemon/instance_lock.h"
#include "daemon/notify.h"
#include "daemon/pid_file.h"
#include "log/log.h"

namespace ospatrol::daemon {

namespace {

void LogFailure() {
  try {
    throw;
  } catch (const Error& error) {
    log::WriteLine(error.id(), log::Level::kError, error.what());
  } catch (const std::exception& error) {
    log::Write<msg::kUnexpected>(error.what());
  }
}

// Connections and files each take descriptors; the limit of a login shell is soon reached.
void RaiseFileLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// One run of a daemon, from its configuration to its end. A step that fails throws, and the objects
// made so far undo themselves: the pid file goes, the waiting parent learns of it.
class Life {
 public:
  Life(const Program& program, Options options, const Factory& factory)
      : program_(program), context_(program, std::move(options)), daemon_(factory(context_)) {}

  // Status of -t.
  int Test() { return Configure() ? 0 : 1; }

  int Run() {
    // The failure must be told before the waiting parent exits, which is when this object ends.
    try {
      return Steps();
    } catch (const std::exception&) {
      LogFailure();
      return 1;
    }
  }

 private:
  using Registrations = std::vector<EventLoop::Registration>;

  int Steps() {
    RequireRoot();
    if (!Configure()) return 1;
    if (context_.quitting()) return context_.exit_status();
    Notifier notifier;
    if (!options().foreground) {
      parent_ = Daemonise();
      context_.loop().AfterFork();
    }
    Confine();
    const Registrations signals = WatchSignals(notifier);
    daemon_->Start();
    if (context_.quitting()) return EndBeforeReady();
    {
      const PidFile pid_file(context_.home(), program_.name);
      ReportReady(notifier);
      const EventLoop::Registration watchdog = WatchOverSelf(notifier);
      const EventLoop::Registration counts =
          context_.loop().Every(log::LimitedBase::kPause, [] { log::TellSuppressed(false); });
      context_.loop().Run();
      notifier.Stopping();
      daemon_->Stop();
      daemon_.reset();
      log::TellSuppressed(true);
    }
    return context_.exit_status();
  }

  const Options& options() const { return context_.options(); }

  void RequireRoot() const {
    if (geteuid() == 0) return;
    if (!options().foreground) throw log::Fatal<msg::kNotRoot>(options().user);
    log::Write<msg::kUnprotected>(geteuid());
  }

  bool Configure() {
    SetDebugLevel();
    config::Problems problems;
    daemon_->Configure(problems);
    problems.WriteToLog();
    if (problems.HasErrors()) {
      log::Write<msg::kConfigurationError>(options().configuration.native());
    }
    return !problems.HasErrors();
  }

  void SetDebugLevel() const {
    int level = options().debug;
    if (level == 0 && !program_.debug_option.empty()) {
      config::Problems
          problems;  // the daemon reads the same files and reports what is wrong with them
      const auto internal = config::InternalOptions::Load(context_.home(), problems);
      level = static_cast<int>(internal.Get(program_.debug_option));
    }
    log::SetDebugLevel(level);
  }

  void Confine() {
    RaiseFileLimit();
    if (geteuid() == 0) {
      instance_lock_ = LockInstance(context_.home(), program_);
      context_.SetIdentity(LookUpIdentity(options().user, options().group));
      daemon_->Prepare();
      BecomeProgram(program_, context_.identity(), options().prefix);
      if (program_.chroot) context_.EnteredChroot();
      log::SetFile(context_.home() / paths::kLog);
    } else {
      context_.SetIdentity({geteuid(), getegid()});
      daemon_->Prepare();
      if (program_.no_new_privileges) ForbidNewPrivileges();
    }
    if (chdir("/") != 0) throw log::Fatal<msg::kChdirFailed>("/", base::ErrnoText(errno));
    if (program_.no_new_privileges) {
      RestrictSystemCalls(context_.programs_allowed() ? Execution::kAllowed
                                                      : Execution::kForbidden);
    }
  }

  // Registered before Start(), so that a signal during a long start is obeyed after it and not
  // lost.
  Registrations WatchSignals(Notifier& notifier) {
    Registrations registrations;
    for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGALRM}) {
      registrations.push_back(context_.loop().OnSignal(signal, [this, signal] {
        log::Write<msg::kSignal>(signal, std::string(strsignal(signal)));
        context_.Quit(0);
      }));
    }
    registrations.push_back(context_.loop().OnSignal(SIGHUP, [this, &notifier] {
      notifier.Reloading();
      Reload();
      notifier.Ready();
    }));
    return registrations;
  }

  void Reload() {
    config::Problems problems;
    try {
      daemon_->Reload(problems);
    } catch (const std::exception&) {
      problems.WriteToLog();
      LogFailure();
      log::Write<msg::kReloadRefused>();
      return;
    }
    problems.WriteToLog();
    if (problems.HasErrors()) {
      log::Write<msg::kReloadRefused>();
    } else {
      log::Write<msg::kReloaded>();
    }
  }

  int EndBeforeReady() {
    daemon_->Stop();
    parent_.Report(context_.exit_status());
    return context_.exit_status();
  }

  void ReportReady(Notifier& notifier) {
    log::Write<msg::kStarted>(getpid());
    notifier.Ready();
    log::SetAlsoStderr(options().foreground);
    parent_.Report(0);
  }

  EventLoop::Registration WatchOverSelf(Notifier& notifier) {
    if (!notifier.watchdog_interval()) return nullptr;
    return context_.loop().Every(*notifier.watchdog_interval(), [&notifier] { notifier.Alive(); });
  }

  const Program& program_;
  Parent parent_;
  base::Fd instance_lock_;
  Context context_;
  std::unique_ptr<Daemon> daemon_;
};

// -t leaves no trace where there was none: it writes to a log that exists and makes none.
std::filesystem::path LogFile(const Options& options) {
  const std::filesystem::path file = Home(options.prefix) / paths::kLog;
  std::error_code ignored;
  return options.test && !std::filesystem::exists(file, ignored) ? std::filesystem::path() : file;
}

void RequirePrefix(const Options& options) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(options.prefix, ignored)) {
    throw log::Fatal<msg::kNoPrefix>(options.prefix.native());
  }
}

int Live(const Program& program, const Options& options, const Factory& factory) {
  RequirePrefix(options);
  log::Configure(std::string(program.name), LogFile(options), true);
  base::LoadTimeZone(Home(options.prefix) / paths::kLocalTime);
  Life life(program, options, factory);
  return options.test ? life.Test() : life.Run();
}

}  // namespace

int Main(int argc, char** argv, const Program& program, const Factory& factory,
         const std::vector<Flag>& own_flags) {
  umask(0027);
  OpenMissingStandardDescriptors();
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  log::Configure(std::string(program.name), {}, true);
  try {
    const CommandLine command = ParseCommandLine(argc, argv, program, own_flags);
    if (command.exit_status) {
      std::fputs(command.text.c_str(), stderr);
      return *command.exit_status;
    }
    return Live(program, command.options, factory);
  } catch (const std::exception&) {
    LogFailure();
    return 1;
  }
}

}  // namespace ospatrol::daemon
