// The skeleton of every daemon: flags, configuration test, daemonising with a true exit status, privileges, chroot,
// pid file, signals, reload, orderly end (configuration-and-operation 2.2-2.8, 9.2). A daemon is its logic and little else:
//
//   int main(int argc, char** argv) {
//     return daemon::Main(argc, argv, programs::kAnalysisd, [](auto& context) { return std::make_unique<Analysisd>(context); });
//   }
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "config/problems.h"
#include "daemon/event_loop.h"
#include "product/paths.h"
#include "product/programs.h"

namespace ospatrol::daemon {

struct Options {
  std::filesystem::path prefix;         // -D
  std::filesystem::path configuration;  // -c, default PREFIX/etc/ospatrol.conf
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
  const Options& options() const { return options_; }
  // The prefix as the process sees it now: options().prefix before the chroot, "/" after it.
  const Home& home() const { return home_; }
  void EnteredChroot() { home_ = Home("/"); }
  EventLoop& loop() { return *loop_; }

  // Ends the daemon in order after the present callback; the process exits with `status`.
  void Quit(int status);
  int exit_status() const { return exit_status_; }

 private:
  const Program& program_;
  Options options_;
  Home home_;
  std::unique_ptr<EventLoop> loop_;
  int exit_status_ = 0;
};

// Called in this order. Any Error thrown before Run ends the program with its one line and status 1.
class Daemon {
 public:
  virtual ~Daemon() = default;

  // As root, before daemonising, paths outside the chroot: reads configuration and rules. Everything that -t checks, and
  // nothing with side effects. Problems with errors end the program: each is logged, then 1202.
  virtual void Configure(config::Problems& problems) = 0;

  // As root, before chroot and privilege drop: what needs root (bind low ports, write root-owned files).
  virtual void Prepare() {}

  // With final identity, in the chroot: open state, bind queues, register with the loop. The parent reports success
  // and the pid file exists only after this returned.
  virtual void Start() = 0;

  // SIGHUP: read again. Problems with errors: the old configuration stays, each problem is logged.
  virtual void Reload(config::Problems& problems) = 0;

  // SIGTERM, SIGINT, SIGQUIT: drain, save, close. The loop stops after it.
  virtual void Stop() = 0;
};

using Factory = std::function<std::unique_ptr<Daemon>(Context&)>;

// Returns the exit status of the process.
int Main(int argc, char** argv, const Program& program, const Factory& factory);

}  // namespace ospatrol::daemon
