#include "daemon_bench.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <limits>
#include <thread>

#include "base/error.h"
#include "daemon_process.h"
#include "engine_bench.h"
#include "meter.h"

namespace ospatrol::bench {
namespace {

constexpr uint64_t kStartAlerts = 1;  // "Ossec started."

std::string_view NameOf(Socket socket) { return socket == Socket::kStream ? "stream" : "queue"; }

int QueueLength() {
  std::ifstream in("/proc/sys/net/unix/max_dgram_qlen");
  int length = 0;
  in >> length;
  return length;
}

std::string ListOf(const std::vector<int>& cpus) {
  return cpus.empty() ? "any" : fmt::format("{}", fmt::join(cpus, ","));
}

struct Figures {
  double start = 0, start_cpu = 0, wall = 0, cpu = 0;
  CpuTime split;
  long rss_started = 0, rss_end = 0, peak = 0;
  uint64_t alerts_text = 0, alerts_json = 0, bytes_text = 0, bytes_json = 0;
};

Figures Measure(const DaemonOptions& options, const Lines& lines) {
  Figures figures;
  DaemonProcess daemon(options.prefix, options.cpus, options.arguments);
  figures.start = daemon.Start();
  CpuOf(daemon.pid(), figures.start_cpu);
  daemon.WaitUntilIdle();
  figures.rss_started = StatusKib(daemon.pid(), "VmRSS");

  Sender sender(lines, options.prefix, options.sender);
  double cpu_begin = 0, cpu_end = 0;
  const CpuTime split_begin = CpuOf(daemon.pid(), cpu_begin);
  const double begin = MonotonicSeconds();
  sender.Start(0, options.events);
  sender.Join();
  if (options.sender.socket == Socket::kStream) {
    figures.wall = MonotonicSeconds() - begin;
    daemon.WaitUntilIdle();
  } else {
    // What is in the queue at the end is less than a thousandth of what was sent.
    figures.wall = MonotonicSeconds() - begin;
    daemon.SendTokenAndWait();
  }
  const CpuTime split_end = CpuOf(daemon.pid(), cpu_end);
  figures.cpu = cpu_end - cpu_begin;
  figures.split = {split_end.user - split_begin.user, split_end.system - split_begin.system};
  figures.rss_end = StatusKib(daemon.pid(), "VmRSS");
  figures.peak = StatusKib(daemon.pid(), "VmHWM");
  daemon.Stop();
  daemon.text().Read();
  daemon.json().Read();
  const uint64_t ours = kStartAlerts + daemon.tokens();
  figures.alerts_text = daemon.text().records() - std::min(ours, daemon.text().records());
  figures.alerts_json = daemon.json().records() - std::min(ours, daemon.json().records());
  figures.bytes_text = daemon.text().bytes();
  figures.bytes_json = daemon.json().bytes();
  return figures;
}

// What the engine makes of the same events, its clock running as fast as the daemon's did.
uint64_t Expected(const DaemonOptions& options, double wall) {
  EngineOptions engine;
  engine.prefix = options.prefix;
  engine.input = options.input;
  engine.events = options.events;
  engine.locations = options.locations;
  engine.rate = static_cast<uint64_t>(static_cast<double>(options.events) / wall) + 1;
  return ExpectedAlerts(engine);
}

}  // namespace

int RunDaemon(const DaemonOptions& options, double unit_before) {
  const Lines lines(options.input, options.locations);
  const Figures figures = Measure(options, lines);
  const double unit = unit_before > 0 ? (unit_before + Yardstick(options.input)) / 2 : 0;
  const auto events = static_cast<double>(options.events);
  const double us = figures.cpu * 1e6 / events;

  Report report;
  report.Add("mode", "daemon");
  report.Add("socket", NameOf(options.sender.socket));
  report.Add("batch", options.sender.batch);
  report.Add("connections", static_cast<uint64_t>(options.sender.connections));
  report.Add("queue_length", static_cast<uint64_t>(QueueLength()));
  report.Add("cpus", ListOf(options.cpus));
  report.Add("sender_cpus", ListOf(options.sender.cpus));
  report.Add("events", options.events);
  report.Add("mean_bytes", lines.mean_bytes(), 1);
  report.Add("wall_s", figures.wall, 3);
  report.Add("events_per_s", events / figures.wall, 0);
  report.Add("events_per_cpu_s", events / figures.cpu, 0);
  report.Add("cpu_us_per_event", us, 3);
  if (unit > 0) {
    report.Add("yardstick_us", unit, 3);
    report.Add("units_per_event", us / unit, 4);
  }
  report.Add("cores_used", figures.cpu / figures.wall, 2);
  report.Add("user_s", figures.split.user, 2);
  report.Add("system_s", figures.split.system, 2);
  report.Add("start_to_first_alert_ms", figures.start * 1e3, 1);
  report.Add("start_cpu_ms", figures.start_cpu * 1e3, 1);
  report.Add("rss_started_kib", static_cast<uint64_t>(figures.rss_started));
  report.Add("rss_end_kib", static_cast<uint64_t>(figures.rss_end));
  report.Add("peak_rss_kib", static_cast<uint64_t>(figures.peak));
  report.Add("alerts_log", figures.alerts_text);
  report.Add("alerts_json", figures.alerts_json);
  report.Add("alerts_share", static_cast<double>(figures.alerts_text) / events, 4);
  report.Add("alerts_log_bytes", figures.bytes_text);
  report.Add("alerts_json_bytes", figures.bytes_json);
  bool complete = figures.alerts_text == figures.alerts_json;
  if (options.expect) {
    const uint64_t expected = Expected(options, figures.wall);
    report.Add("alerts_expected", expected);
    complete = complete && figures.alerts_text == expected;
  }
  report.Add("complete", complete ? "yes" : "no");
  report.Print();
  return figures.alerts_text == figures.alerts_json ? 0 : 1;
}

int RunFeed(const DaemonOptions& options, int interval, double seconds) {
  const Lines lines(options.input, options.locations);
  Sender sender(lines, options.prefix, options.sender);
  const uint64_t events = options.events > 0 ? options.events : uint64_t{1} << 62;
  const double begin = MonotonicSeconds();
  sender.Start(0, events);
  const double end = seconds > 0 ? begin + seconds : std::numeric_limits<double>::max();
  double next = begin + interval;
  const auto tell = [&] {
    Report report;
    report.Add("seconds", MonotonicSeconds() - begin, 1);
    report.Add("sent", sender.sent());
    report.Add("taken", sender.taken());
    report.Print();
  };
  while (MonotonicSeconds() < end && sender.taken() < events && !sender.failed()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (MonotonicSeconds() < next) continue;
    next += interval;
    tell();
  }
  sender.Stop();
  sender.Join();
  tell();
  return 0;
}

}  // namespace ospatrol::bench
