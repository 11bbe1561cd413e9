// What goes in and out at every hop of this machine, what waits there and what was dropped: from
// the log files to the alerts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "flow/state_text.h"
#include "ipc/unix_socket.h"

namespace ospatrol::flow {

// One daemon, as far as it can be seen.
struct Daemon {
  std::string name;
  bool runs = false;
  std::optional<StateText> state;
  base::Seconds written = 0;  // when its state file was
};

// The datagram queue in the kernel.
struct Queue {
  ipc::QueueFill fill = ipc::QueueFill::kAbsent;
  uint64_t limit = 0;  // net.unix.max_dgram_qlen, datagrams; 0: unknown
};

struct Machine {
  Daemon collector, analysisd;
  Queue queue;
};

struct Hop {
  std::string name;
  uint64_t in = 0, out = 0, dropped = 0;
  std::string queued;  // a number, or what is known of it
  std::string remark;
  // in - out - queued - dropped, where all four are known. Not 0: the figures contradict each
  // other.
  int64_t missing = 0;
};

// Hops of daemons without a state file are left out.
std::vector<Hop> Hops(const Machine& machine);

// The table, with a line for each daemon below it.
std::string Render(const Machine& machine, base::Seconds now);

}  // namespace ospatrol::flow
