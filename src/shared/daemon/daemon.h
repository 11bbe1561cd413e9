// The skeleton of every daemon: flags, configuration test, daemonising with a true exit status,
// privileges, chroot, pid file, signals, reload, orderly end
// (configuration-and-operation 2.2-2.8, 9.2). A daemon is its logic and little else:
//
//   int main(int argc, char** argv) {
//     return daemon::Main(argc, argv, programs::kAnalysisd, [](auto& context) { return
//     std::make_unique<Analysisd>(context); });
//   }
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.h"
#include "daemon/event_loop.h"
#include "daemon/privileges.h"
#include "product/paths.h"
#include "product/programs.h"

namespace ospatrol::daemon {

struct Options {
  std::filesystem::path prefix;         // -D; absolute
  std::filesystem::path configuration;  // -c, default PREFIX/etc/ospatrol.conf; absolute
  std::string user, group;              // -u, -g
  int debug = 0;                        // -d, repeated
  bool test = false;                    // -t
  bool foreground = false;              // -f
};

// What the skeleton offers a daemon.
class Context {
 public:
  Context(const Program& program, Options options);
  ~Context();

  const Program& program() const { return program_; }
  // `configuration` is the path as the process sees it now, so that Reload() finds it in the
  // chroot.
  const Options& options() const { return options_; }
  // The prefix as the process sees it now: options().prefix before the chroot, "/" after it.
  const Home& home() const { return home_; }
  // Who the process will be, known from Prepare() on; without root: who it is.
  const Identity& identity() const { return identity_; }
  EventLoop& loop() { return *loop_; }

  // In Configure: this run needs to start other programs, so execve stays allowed. Throws Error
  // when the row of the program does not permit it. Later calls have no effect: the filter cannot
  // be widened.
  void AllowPrograms();
  bool programs_allowed() const { return programs_allowed_; }

  // Ends the daemon in order after the present callback; the process exits with `status`. From
  // Configure or Start it says that there is nothing to do: the parent reports `status` too.
  void Quit(int status);
  bool quitting() const { return quitting_; }
  int exit_status() const { return exit_status_; }

  // For the skeleton.
  void SetIdentity(const Identity& identity) { identity_ = identity; }
  void EnteredChroot();

 private:
  const Program& program_;
  Options options_;
  Home home_;
  Identity identity_;
  std::unique_ptr<EventLoop> loop_;
  bool programs_allowed_ = false;
  bool quitting_ = false;
  int exit_status_ = 0;
};

// Called in this order. Any Error thrown before Run ends the program with its one line and
// status 1.
class Daemon {
 public:
  virtual ~Daemon() = default;

  // As root, before daemonising, paths outside the chroot: reads configuration and rules.
  // Everything that -t checks, and nothing with side effects. Problems with errors end the program:
  // each is logged, then 1202.
  virtual void Configure(config::Problems& problems) = 0;

  // As root, before chroot and privilege drop: what needs root (bind low ports, write root-owned
  // files).
  virtual void Prepare() {}

  // With final identity, in the chroot: open state, bind queues, register with the loop. The parent
  // reports success and the pid file exists only after this returned.
  virtual void Start() = 0;

  // SIGHUP: read again. Problems with errors: the old configuration stays, each problem is logged.
  virtual void Reload(config::Problems& problems) = 0;

  // SIGTERM, SIGINT, SIGQUIT, or Quit() while running: drain, save, close. No callback of the loop
  // runs after it.
  virtual void Stop() = 0;
};

using Factory = std::function<std::unique_ptr<Daemon>(Context&)>;

// A flag of one program. It replaces the common flag of the same letter, long name included.
struct Flag {
  char letter;
  std::string_view name;      // long form, without dashes
  std::string_view argument;  // what the help calls its argument; empty: it takes none
  std::string_view help;
  // `value` is empty for a flag without argument. An Error thrown here ends the program with
  // status 1.
  std::function<void(Options& options, std::string_view value)> apply;
};

// Returns the exit status of the process. SIGPIPE and, until Start(), SIGHUP are ignored in it; a
// daemon that runs other programs resets them there.
int Main(int argc, char** argv, const Program& program, const Factory& factory,
         const std::vector<Flag>& own_flags = {});

}  // namespace ospatrol::daemon
