#include "remoted_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>

#include "base/error.h"
#include "daemon_process.h"
#include "fleet.h"
#include "meter.h"
#include "remoted_process.h"
#include "stand_in.h"

namespace ospatrol::bench {
namespace {

using Mode = RemotedOptions::Mode;

constexpr size_t kConnectAtOnce = 128;
constexpr double kConnectPatience = 300;  // seconds
constexpr double kQuiet = 1.0;            // seconds without a further event: all have come
constexpr double kLookAgain = 0.005;      // seconds between looks at the port
constexpr size_t kPumpAtOnce = 256;
constexpr uint64_t kPacketInKernel = 1280;  // bytes that the kernel charges for a small one, about

std::string_view NameOf(Mode mode) {
  switch (mode) {
    case Mode::kKeepAlive:
      return "keepalive";
    case Mode::kSaturate:
      return "saturate";
    case Mode::kBurst:
      return "burst";
    case Mode::kStorm:
      return "storm";
  }
  return "";
}

// One run: everything that takes part in it.
class Run {
 public:
  explicit Run(const RemotedOptions& options)
      : options_(options),
        lines_(options.input, 8),
        remoted_(options.prefix, options.port, options.cpus) {}

  int Go() {
    const double unit_before = options_.yardstick ? Yardstick(options_.input) : 0;
    Begin();
    switch (options_.mode) {
      case Mode::kKeepAlive:
        KeepAlive();
        break;
      case Mode::kSaturate:
        Saturate();
        break;
      case Mode::kBurst:
        Burst();
        break;
      case Mode::kStorm:
        Storm();
        break;
    }
    LookAtSize();
    End();
    if (unit_before > 0) unit_ = (unit_before + Yardstick(options_.input)) / 2;
    return Tell();
  }

 private:
  bool is_v2() const { return options_.protocol == "v2"; }

  void Begin() {
    std::vector<secure::AgentKey> keys = remoted_.MakeAgents(AllAgents());
    if (options_.analysisd) {
      analysisd_ = std::make_unique<DaemonProcess>(options_.prefix, std::vector<int>{},
                                                   std::vector<std::string>{});
      analysisd_->Start();
    } else {
      stand_in_ = std::make_unique<StandIn>(options_.prefix);
    }
    const double begin = MonotonicSeconds();
    remoted_.Start();
    while (stand_in_ && !stand_in_->connected() && MonotonicSeconds() - begin < kConnectPatience) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    remoted_.WaitUntilIdle();
    started_s_ = MonotonicSeconds() - begin;
    rss_started_kib_ = StatusKib(remoted_.pid(), "VmRSS");

    const std::string merged = MergedFileOf(options_.prefix);
    fleet_ = is_v2()
                 ? MakeV2Fleet(std::move(keys), lines_, options_.port, options_.datagram, merged)
                 : MakeLegacyFleet(std::move(keys), lines_, options_.port,
                                   options_.protocol == "aes" ? secure::Cipher::kAes
                                                              : secure::Cipher::kBlowfish,
                                   merged);
    const double cpu = remoted_.CpuSeconds();
    connected_ = fleet_->Connect(fleet_->size(), kConnectAtOnce, kConnectPatience);
    if (connected_.unanswered > 0) {
      throw Error(fmt::format("{} of {} agents got no answer; see logs/ospatrol.log in the prefix",
                              connected_.unanswered, fleet_->size()));
    }
    Settle();
    connect_cpu_s_ = remoted_.CpuSeconds() - cpu;
  }

  // Until remoted has nothing to do, agents answering meanwhile.
  void Settle() {
    constexpr double kSlice = 0.2, kIdle = 0.01;  // seconds, CPU seconds
    const double give_up = MonotonicSeconds() + kConnectPatience;
    while (MonotonicSeconds() < give_up) {
      const double cpu = remoted_.CpuSeconds(), end = MonotonicSeconds() + kSlice;
      while (MonotonicSeconds() < end) fleet_->Work(10);
      if (remoted_.CpuSeconds() - cpu < kIdle) return;
    }
  }

  size_t Senders() const {
    return options_.senders == 0 ? options_.agents : std::min(options_.senders, options_.agents);
  }
  size_t AllAgents() const {
    return options_.agents + (options_.mode == Mode::kStorm && options_.flood > 0 ? 1 : 0);
  }

  void StartClock() {
    began_ = MonotonicSeconds();
    cpu_began_ = remoted_.CpuSeconds();
    events_began_ = Received();
    sent_began_ = fleet_->sent();
    answers_began_ = fleet_->answers();
    dropped_began_ = LookAtPort(options_.port).dropped;
  }
  void StopClock() {
    wall_s_ = MonotonicSeconds() - began_;
    cpu_s_ = remoted_.CpuSeconds() - cpu_began_;
  }

  // Events that arrived behind remoted; with analysisd, as far as agents can tell.
  uint64_t Received() const { return stand_in_ ? stand_in_->events() : fleet_->acknowledged(); }
  uint64_t Arrived() const { return Received() - events_began_; }

  void LookAtQueue() {
    const double now = MonotonicSeconds();
    if (now < look_at_) return;
    look_at_ = now + kLookAgain;
    queued_ = LookAtPort(options_.port).queued_bytes;
    queued_peak_ = std::max(queued_peak_, queued_);
  }

  // As often as they are due by the clock: keep-alives of all agents in turns, and events.
  void KeepAlive() {
    StartClock();
    uint64_t events = 0;
    const auto agents = static_cast<double>(fleet_->size());
    for (double now = 0; now < options_.seconds; now = MonotonicSeconds() - began_) {
      const auto said = static_cast<uint64_t>(now * agents / options_.interval);
      for (; keep_alives_ < said; ++keep_alives_) fleet_->KeepAlive(keep_alives_ % fleet_->size());
      const auto due = static_cast<uint64_t>(now * options_.rate);
      for (; events < due; ++events) fleet_->SendEvent((events * 31) % fleet_->size());
      fleet_->Work(2);
      LookAtQueue();
    }
    StopClock();
    Settle();
    sent_events_ = events;
    lost_ = sent_events_ - std::min(sent_events_, Arrived());
  }

  void Saturate() {
    fleet_->Prepare(0, Senders(), options_.events);
    sent_events_ = options_.events;
    StartClock();
    uint64_t arrived = 0;
    double changed = began_;
    size_t left = 1;
    while (arrived < sent_events_ && MonotonicSeconds() - changed < kConnectPatience / 10) {
      const size_t room = Room();
      if (left > 0 && room > 0) left = fleet_->Pump(std::min(room, kPumpAtOnce));
      fleet_->Work(left > 0 && room > 0 ? 0 : 1);
      LookAtQueue();
      const uint64_t now = is_v2() ? fleet_->acknowledged() : Arrived();
      if (now != arrived) changed = MonotonicSeconds();
      arrived = now;
      if (!stand_in_ && !is_v2() && left == 0 && queued_ == 0) break;
    }
    StopClock();
    if (!stand_in_ && !is_v2()) remoted_.WaitUntilIdle();
    lost_ = sent_events_ - std::min(sent_events_, arrived);
  }

  // How many more packets may be on their way.
  size_t Room() const {
    if (is_v2()) return kPumpAtOnce;  // the links have windows of their own
    const uint64_t on_way =
        stand_in_ ? fleet_->sent() - sent_began_ - Arrived() : queued_ / kPacketInKernel;
    return options_.window - std::min(options_.window, on_way);
  }

  void Burst() {
    fleet_->Prepare(0, Senders(), options_.events);
    sent_events_ = options_.events;
    StartClock();
    while (fleet_->Pump(kPumpAtOnce) > 0) LookAtQueue();
    burst_s_ = MonotonicSeconds() - began_;
    uint64_t arrived = 0;
    double changed = MonotonicSeconds(), last = changed;
    while (arrived < sent_events_ && last - changed < kQuiet) {
      fleet_->Work(1);
      LookAtQueue();
      last = MonotonicSeconds();
      if (Arrived() != arrived || queued_ > 0) changed = last;
      arrived = Arrived();
    }
    StopClock();
    wall_s_ -= last - changed;
    lost_ = sent_events_ - std::min(sent_events_, arrived);
    dropped_ = LookAtPort(options_.port).dropped - dropped_began_;
  }

  void Storm() {
    const auto since = std::filesystem::file_time_type::clock::now();
    StartClock();
    for (uint64_t round = 0; round < options_.rounds; ++round) {
      if (options_.flood > 0) fleet_->Prepare(options_.agents, AllAgents(), options_.flood);
      const Fleet::Connected result =
          fleet_->Connect(options_.agents, options_.agents, options_.patience);
      gave_up_ += result.unanswered;
      said_again_ += result.repeated;
      slowest_s_ = std::max(slowest_s_, result.seconds);
    }
    StopClock();
    Settle();
    const double end = MonotonicSeconds() + 5;
    do {
      silent_ = remoted_.SilentSince(since, options_.agents);
      fleet_->Work(100);
    } while (silent_ > 0 && MonotonicSeconds() < end);
    lost_ = gave_up_ + silent_;
  }

  void LookAtSize() {
    rss_kib_ = StatusKib(remoted_.pid(), "VmRSS");
    anon_kib_ = StatusKib(remoted_.pid(), "RssAnon");
    peak_kib_ = StatusKib(remoted_.pid(), "VmHWM");
    threads_ = StatusKib(remoted_.pid(), "Threads");
    descriptors_ = remoted_.Descriptors();
    answered_ = fleet_->answers() - answers_began_;
    datagrams_ = fleet_->sent() - sent_began_;
  }

  void End() {
    remoted_.Stop();
    state_ = remoted_.State();
    said_lost_ = remoted_.LostInLog();
    if (!stand_in_ && !is_v2()) {
      const uint64_t taken = state_["events_taken"];
      lost_ = sent_events_ - std::min(sent_events_, taken);
    }
  }

  void AddSize(Report& report) const {
    const auto kib = [&](std::string_view name, long value) {
      report.Add(name, static_cast<uint64_t>(std::max(value, 0L)));
    };
    kib("rss_started_kib", rss_started_kib_);
    kib("rss_kib", rss_kib_);
    kib("rss_anon_kib", anon_kib_);
    kib("peak_rss_kib", peak_kib_);
    kib("threads", threads_);
    report.Add("descriptors", descriptors_);
    report.Add("kernel_queue_peak_kib", queued_peak_ / 1024);
  }

  void AddMode(Report& report) const {
    const double us = cpu_s_ * 1e6;
    const auto count = [](uint64_t n) { return static_cast<double>(std::max<uint64_t>(n, 1)); };
    switch (options_.mode) {
      case Mode::kKeepAlive:
        report.Add("interval_s", options_.interval, 0);
        report.Add("keep_alives", keep_alives_);
        report.Add("events", sent_events_);
        report.Add("answers", answered_);
        report.Add("cpu_ms_per_s", cpu_s_ * 1e3 / wall_s_, 3);
        report.Add("cpu_us_per_message", us / count(keep_alives_ + sent_events_), 1);
        break;
      case Mode::kBurst:
        report.Add("burst_s", burst_s_, 3);
        report.Add("dropped_by_kernel", dropped_);
        [[fallthrough]];
      case Mode::kSaturate: {
        const uint64_t arrived = sent_events_ - lost_;
        report.Add("senders", Senders());
        report.Add("events", sent_events_);
        report.Add("datagrams", datagrams_);
        report.Add("events_per_datagram", static_cast<double>(sent_events_) / count(datagrams_), 1);
        report.Add("events_per_s", static_cast<double>(arrived) / wall_s_, 0);
        report.Add("events_per_cpu_s", static_cast<double>(arrived) / cpu_s_, 0);
        report.Add("cpu_us_per_event", us / count(arrived), 3);
        if (unit_ > 0) report.Add("units_per_event", us / count(arrived) / unit_, 4);
        report.Add("lost_share", static_cast<double>(lost_) / count(sent_events_), 5);
        break;
      }
      case Mode::kStorm:
        report.Add("rounds", options_.rounds);
        report.Add("said_again", said_again_);
        report.Add("gave_up", gave_up_);
        report.Add("silent_at_the_manager", silent_);
        report.Add("slowest_round_s", slowest_s_, 2);
        report.Add("cpu_us_per_start",
                   us / count(options_.rounds * static_cast<uint64_t>(options_.agents)), 1);
        break;
    }
  }

  int Tell() {
    Report report;
    report.Add("mode", NameOf(options_.mode));
    report.Add("protocol", options_.protocol);
    report.Add("behind", options_.analysisd ? "analysisd" : "stand-in");
    report.Add("agents", options_.agents);
    if (is_v2()) report.Add("largest_datagram", options_.datagram);
    report.Add("start_s", started_s_, 2);
    report.Add("connect_s", connected_.seconds, 2);
    report.Add("cpu_us_per_connect", connect_cpu_s_ * 1e6 / static_cast<double>(options_.agents),
               1);
    report.Add("wall_s", wall_s_, 3);
    report.Add("cpu_s", cpu_s_, 3);
    AddMode(report);
    if (unit_ > 0) report.Add("yardstick_us", unit_, 3);
    report.Add("cores_used", cpu_s_ / wall_s_, 2);
    AddSize(report);
    report.Add("lost", lost_);
    report.Add("said_lost", said_lost_);
    if (stand_in_) {
      report.Add("said_lost_in_events", stand_in_->said_lost());
      report.Add("repeated", stand_in_->repeated());
      report.Add("left_out", stand_in_->missing());
      report.Add("events_per_frame",
                 static_cast<double>(stand_in_->events()) /
                     static_cast<double>(std::max<uint64_t>(stand_in_->frames(), 1)),
                 1);
    }
    report.Add("refused_by_agents", fleet_->refused());
    for (const char* name : {"packets_refused", "packets_dropped_by_overload", "events_dropped"}) {
      report.Add(name, state_[name]);
    }
    const bool numbers = !stand_in_ || stand_in_->repeated() + stand_in_->missing() == 0;
    const bool complete = numbers && lost_ <= (options_.mode == Mode::kBurst ? said_lost_ : 0);
    report.Add("complete", complete ? "yes" : "no");
    report.Print();
    return complete ? 0 : 1;
  }

  const RemotedOptions& options_;
  const Lines lines_;
  std::unique_ptr<StandIn> stand_in_;
  std::unique_ptr<DaemonProcess> analysisd_;
  RemotedProcess remoted_;
  std::unique_ptr<Fleet> fleet_;

  Fleet::Connected connected_;
  double unit_ = 0, started_s_ = 0, connect_cpu_s_ = 0;
  double began_ = 0, cpu_began_ = 0, wall_s_ = 0, cpu_s_ = 0;
  uint64_t events_began_ = 0, sent_began_ = 0, answers_began_ = 0, dropped_began_ = 0;
  double look_at_ = 0, burst_s_ = 0, slowest_s_ = 0;
  uint64_t queued_ = 0, queued_peak_ = 0, dropped_ = 0;
  uint64_t keep_alives_ = 0, sent_events_ = 0, lost_ = 0, answered_ = 0, datagrams_ = 0;
  uint64_t gave_up_ = 0, said_again_ = 0, silent_ = 0, said_lost_ = 0;
  long rss_started_kib_ = 0, rss_kib_ = 0, anon_kib_ = 0, peak_kib_ = 0, threads_ = 0;
  size_t descriptors_ = 0;
  std::map<std::string, uint64_t> state_;
};

}  // namespace

int RunRemoted(const RemotedOptions& options) { return Run(options).Go(); }

}  // namespace ospatrol::bench
