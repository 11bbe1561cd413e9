// Name look-ups for chrooted programs: a child process of the skeleton, outside the chroot, without
// privileges, asks the system resolver and answers over a socket pair. No look-up ever waits in the
// event path.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/event_loop.h"
#include "daemon/privileges.h"

namespace ospatrol::daemon {

class Resolver {
 public:
  // Addresses as text ("192.0.2.1", "2001:db8::1"), at most 16; empty when the name is unknown or
  // the child is gone.
  using Callback = std::function<void(const std::vector<std::string>& addresses)>;

  // Starts the child. REQUIRES: called before BecomeProgram (in Prepare) and before any thread
  // exists. Throws Error.
  explicit Resolver(const Identity& identity);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  // Ends the child. Callbacks that wait are dropped. REQUIRES: before the loop is destroyed.
  ~Resolver();

  // After the privilege drop: answers will arrive on `loop`.
  void Attach(EventLoop& loop);
  // REQUIRES: Attach. `callback` runs later on the loop, never within this call. Names that are
  // longer than 253 bytes or hold anything but printable ASCII are answered with nothing, and so is
  // what exceeds 1000 waiting look-ups.
  void Resolve(const std::string& name, Callback callback);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ospatrol::daemon
