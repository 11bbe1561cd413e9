#include "analysisd/status_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <string>

#include "base/error.h"
#include "base/files.h"

namespace ospatrol::analysisd {
namespace {

struct Queue {
  std::string_view name;
  std::string_view option;
};
constexpr std::array<Queue, 11> kQueues{{
    {"raw_input", "analysisd.raw_input_queue_size"},
    {"event", "analysisd.decode_event_queue_size"},
    {"syscheck", "analysisd.decode_syscheck_queue_size"},
    {"rootcheck", "analysisd.decode_rootcheck_queue_size"},
    {"hostinfo", "analysisd.decode_hostinfo_queue_size"},
    {"rule_matching", "analysisd.decode_output_queue_size"},
    {"alerts", "analysisd.alerts_queue_size"},
    {"statistical", "analysisd.statistical_queue_size"},
    {"archives", "analysisd.archives_queue_size"},
    {"firewall", "analysisd.firewall_queue_size"},
    {"fts", "analysisd.fts_queue_size"},
}};

// Queues that hold records until they are written: full while that fails. All others are passed
// through in one step.
bool HoldsRecords(std::string_view queue) {
  return queue == "alerts" || queue == "archives" || queue == "firewall" || queue == "fts";
}

class Text {
 public:
  template <typename Value>
  void Add(std::string_view key, const Value& value) {
    fmt::format_to(std::back_inserter(text_), "{}='{}'\n", key, value);
  }
  void Comment(std::string_view comment) { text_ += fmt::format("\n# {}\n", comment); }
  const std::string& text() const { return text_; }

 private:
  std::string text_ = "# State of ospatrol-analysisd\n";
};

[[noreturn]] void Fail(const std::filesystem::path& path) {
  throw Error(fmt::format("{}: {}", path.native(), base::ErrnoText(errno)));
}

// Without syncing: after a crash of the machine nobody needs these numbers.
void Replace(const std::filesystem::path& path, const std::string& content) {
  const std::filesystem::path temporary = path.native() + ".temp";
  ::unlink(temporary.c_str());
  const base::Fd file = base::OpenFile(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0640);
  if (!file || !base::WriteAll(file.get(), content) ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    Fail(path);
  }
}

// What ospatrol-flow shows beside the keys above: with them each hop's books balance.
void AddFlow(const Status& status, Text& text) {
  const IntakeCounters& intake = status.intake;
  text.Comment("Flow");
  text.Add("started", status.started);
  text.Add("stream_connections", status.connections);
  text.Add("stream_frames", intake.frames);
  text.Add("stream_frames_bad", intake.bad_frames);
  text.Add("stream_events", intake.stream_events);
  text.Add("stream_events_repeated", intake.repeated);
  text.Add("queue_events", intake.received - (intake.stream_events - intake.repeated));
  text.Add("queue_events_cut", intake.cut);
  text.Add("own_events", status.own_events);
  text.Add("events_malformed", intake.malformed);
  text.Add("events_keepalive", status.pipeline.keepalives);
  text.Add("events_repeated", status.pipeline.repeated);
  text.Add("alerts_pending", status.pending.alerts);
  text.Add("archives_pending", status.pending.archives);
  text.Add("firewall_pending", status.pending.firewall);
  text.Add("outputs_blocked", status.blocked ? 1 : 0);
}

}  // namespace

void StatusFile::Write(const Status& status, const config::InternalOptions& internal) {
  const uint64_t dropped = Dropped(status);
  const PipelineCounters& pipeline = status.pipeline;
  Text text;
  text.Comment("Events");
  text.Add("events_received", status.intake.received);
  text.Add("events_decoded", pipeline.decoded);
  text.Add("syscheck_events_decoded", pipeline.syscheck);
  text.Add("rootcheck_events_decoded", pipeline.rootcheck);
  text.Add("hostinfo_events_decoded", pipeline.hostinfo);
  text.Add("events_processed", pipeline.processed);
  text.Add("events_dropped", dropped);
  text.Add("events_dropped_delta", dropped - dropped_before_);
  // Nothing is handed between threads, so nothing is dropped there; outputs wait instead of
  // dropping.
  for (const char* key : {"events_dropped_shard", "events_dropped_shard_delta", "alerts_dropped",
                          "alerts_dropped_delta", "archives_dropped", "archives_dropped_delta"}) {
    text.Add(key, 0);
  }
  text.Add("alerts_written", status.written.alerts);
  text.Add("archives_written", status.written.archives);
  text.Add("firewall_written", status.written.firewall);

  text.Comment("Queues");
  for (const Queue& queue : kQueues) {
    const bool full = status.blocked && HoldsRecords(queue.name);
    text.Add(fmt::format("{}_queue_usage", queue.name), full ? "1.00" : "0.00");
    text.Add(fmt::format("{}_queue_size", queue.name), internal.Get(queue.option));
  }

  text.Comment("Rates");
  const auto processed = static_cast<double>(pipeline.processed - processed_before_);
  text.Add("events_processed_per_second",
           fmt::format("{:.2f}", status.seconds >= 0.5 ? processed / status.seconds : 0.0));
  for (const char* key : {"alerts_queue_wait_ms_est", "rule_matching_queue_wait_p50_us",
                          "rule_matching_queue_wait_p99_us", "alerts_queue_wait_p50_us",
                          "alerts_queue_wait_p99_us"}) {
    text.Add(key, 0);
  }
  AddFlow(status, text);
  Replace(path_, text.text());
  dropped_before_ = dropped;
  processed_before_ = pipeline.processed;
}

}  // namespace ospatrol::analysisd
