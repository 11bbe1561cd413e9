#include "flow/flow_table.h"

#include <fmt/format.h>

#include <iterator>

#include "base/text.h"

namespace ospatrol::flow {
namespace {

constexpr uint64_t kQueueLimitWanted = 512;

int64_t Difference(uint64_t in, uint64_t out) {
  return static_cast<int64_t>(in) - static_cast<int64_t>(out);
}

Hop Balanced(std::string name, uint64_t in, uint64_t out, uint64_t queued, uint64_t dropped,
             std::string remark) {
  Hop hop{std::move(name), in, out, dropped, fmt::format("{}", queued), std::move(remark)};
  hop.missing = Difference(in, out + queued + dropped);
  return hop;
}

void AddCollector(const StateText& state, std::vector<Hop>& hops) {
  const uint64_t lines = state.Number("lines");
  const uint64_t lost = state.Number("lines_lost");
  std::string remark = fmt::format("lines of {} files", state.Number("files"));
  if (const uint64_t cut = state.Number("lines_cut")) remark += fmt::format(", {} cut", cut);
  if (const uint64_t bytes = state.Number("bytes_skipped")) {
    remark += fmt::format(", {} bytes passed over", bytes);
  }
  Hop files{"log files", lines, lines - std::min(lines, lost), lost, {}, std::move(remark)};
  files.queued = fmt::format("{} B", state.Number("bytes_waiting"));
  hops.push_back(std::move(files));

  hops.push_back(Balanced("logcollector", state.Number("events_sent"), state.Number("events_taken"),
                          state.Number("events_in_flight"), 0,
                          fmt::format("with its own notices; sent by {}, {} frames without answer",
                                      base::EscapeControls(state.Text("connection")),
                                      state.Number("frames_unanswered"))));
}

std::string QueueLimit(const Queue& queue) {
  if (queue.limit == 0) return "datagrams";
  std::string text =
      fmt::format("datagrams; the kernel holds {} (net.unix.max_dgram_qlen", queue.limit);
  if (queue.limit < kQueueLimitWanted) text += fmt::format(", better {}", kQueueLimitWanted);
  return text + ")";
}

std::string QueueFill(const Queue& queue) {
  switch (queue.fill) {
    case ipc::QueueFill::kAbsent:
      return "-";
    case ipc::QueueFill::kFull:
      return "full";
    case ipc::QueueFill::kRoom:
      break;
  }
  return queue.limit == 0 ? "not full" : fmt::format("<{}", queue.limit + 1);
}

void AddIntake(const StateText& state, const Queue& queue, std::vector<Hop>& hops) {
  const uint64_t events = state.Number("stream_events");
  const uint64_t again = state.Number("stream_events_repeated");
  hops.push_back(
      Balanced("stream", events, Difference(events, again) < 0 ? 0 : events - again, 0, again,
               fmt::format("{} connections, {} bad frames; dropped: sent again after "
                           "they had been taken",
                           state.Number("stream_connections"), state.Number("stream_frames_bad"))));
  const uint64_t datagrams = state.Number("queue_events");
  Hop hop{"queue", datagrams, datagrams, 0, QueueFill(queue), QueueLimit(queue)};
  if (const uint64_t cut = state.Number("queue_events_cut"))
    hop.remark += fmt::format(", {} cut", cut);
  hops.push_back(std::move(hop));
}

void AddJudge(const StateText& state, std::vector<Hop>& hops) {
  const uint64_t in = state.Number("events_received") + state.Number("own_events");
  const uint64_t malformed = state.Number("events_malformed");
  const uint64_t repeated = state.Number("events_repeated");
  const uint64_t keepalives = state.Number("events_keepalive");
  const uint64_t out = state.Number("events_processed");
  const uint64_t dropped = malformed + repeated + keepalives;
  const int64_t rest = Difference(in, out + dropped);
  hops.push_back(Balanced("analysisd", in, out, rest > 0 ? static_cast<uint64_t>(rest) : 0, dropped,
                          fmt::format("dropped: {} malformed, {} repeated lines, {} keep-alives",
                                      malformed, repeated, keepalives)));
}

void AddOutput(const StateText& state, std::string_view name, std::string_view remark,
               std::vector<Hop>& hops) {
  const uint64_t out = state.Number(fmt::format("{}_written", name));
  const uint64_t queued = state.Number(fmt::format("{}_pending", name));
  const bool blocked = queued > 0 && state.Number("outputs_blocked") != 0;
  hops.push_back(
      Balanced(std::string(name), out + queued, out, queued, 0,
               std::string(blocked ? "cannot be written at present: all wait" : remark)));
}

std::string DaemonLine(const Daemon& daemon, base::Seconds now) {
  std::string line = fmt::format("{} {}", daemon.name, daemon.runs ? "runs" : "does not run");
  if (!daemon.state) return line + "; it has left no figures\n";
  const auto started = static_cast<base::Seconds>(daemon.state->Number("started"));
  if (started > 0) line += fmt::format("; counted since {}", base::LogTime(started));
  return line +
         fmt::format("; figures of {} s ago\n", std::max<base::Seconds>(now - daemon.written, 0));
}

}  // namespace

std::vector<Hop> Hops(const Machine& machine) {
  std::vector<Hop> hops;
  if (machine.collector.state) AddCollector(*machine.collector.state, hops);
  if (machine.analysisd.state) {
    const StateText& state = *machine.analysisd.state;
    AddIntake(state, machine.queue, hops);
    AddJudge(state, hops);
    AddOutput(state, "alerts", "records of alerts.log", hops);
    AddOutput(state, "archives", "records of archives.log and .json", hops);
    AddOutput(state, "firewall", "lines of firewall.log", hops);
  }
  return hops;
}

std::string Render(const Machine& machine, base::Seconds now) {
  std::string out =
      fmt::format("{:<14}{:>14}{:>14}{:>14}{:>12}\n", "hop", "in", "out", "queued", "dropped");
  for (const Hop& hop : Hops(machine)) {
    fmt::format_to(std::back_inserter(out), "{:<14}{:>14}{:>14}{:>14}{:>12}  {}", hop.name, hop.in,
                   hop.out, hop.queued, hop.dropped, hop.remark);
    if (hop.missing != 0) out += fmt::format("; {} UNACCOUNTED FOR", hop.missing);
    out += '\n';
  }
  out += '\n';
  out += DaemonLine(machine.collector, now);
  out += DaemonLine(machine.analysisd, now);
  return out;
}

}  // namespace ospatrol::flow
