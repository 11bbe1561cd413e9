#include "logcollector/state_file.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <iterator>

#include "base/files.h"
#include "base/text.h"

namespace ospatrol::logcollector {
namespace {

void Append(std::string& out, const std::string& prefix, const Counters& counters,
            uint64_t bytes_waiting) {
  fmt::format_to(std::back_inserter(out),
                 "{0}lines='{1}'\n{0}bytes='{2}'\n{0}lines_cut='{3}'\n{0}lines_lost='{4}'\n"
                 "{0}bytes_skipped='{5}'\n{0}bytes_waiting='{6}'\n",
                 prefix, counters.lines, counters.bytes, counters.cut_lines, counters.lost_lines,
                 counters.skipped_bytes, bytes_waiting);
}

}  // namespace

std::string FormatState(const CollectorState& state) {
  Counters total;
  uint64_t bytes_waiting = 0;
  std::vector<uint64_t> waiting;
  for (const LogSource* source : state.sources) {
    total.lines += source->counters().lines;
    total.bytes += source->counters().bytes;
    total.cut_lines += source->counters().cut_lines;
    total.lost_lines += source->counters().lost_lines;
    total.skipped_bytes += source->counters().skipped_bytes;
    waiting.push_back(source->BytesWaiting());
    bytes_waiting += waiting.back();
  }
  std::string out = fmt::format(
      "# State of ospatrol-logcollector since its start\n\n"
      "connection='{}'\nframes_unanswered='{}'\nfiles='{}'\n",
      state.connection, state.unanswered_frames, state.sources.size());
  Append(out, {}, total, bytes_waiting);
  fmt::format_to(std::back_inserter(out),
                 "events_sent='{}'\nevents_taken='{}'\nevents_in_flight='{}'\n"
                 "started='{}'\n",
                 state.events.sent, state.events.taken, state.events.in_flight(), state.started);
  size_t number = 0;
  for (const LogSource* source : state.sources) {
    const uint64_t bytes = waiting[number];
    const std::string prefix = fmt::format("file_{}_", ++number);
    out += fmt::format("\n{0}path='{1}'\n{0}open='{2}'\n", prefix,
                       base::EscapeControls(source->path()), source->HasOpenFiles() ? 1 : 0);
    Append(out, prefix, source->counters(), bytes);
    out += fmt::format("{}last_error='{}'\n", prefix,
                       base::EscapeControls(source->counters().last_error));
  }
  return out;
}

// Without fsync: after a crash of the system the content would mean nothing, and a busy disk would
// stop the reading.
void StateFile::Write(const CollectorState& state) {
  std::string text = FormatState(state);
  if (text == written_) return;
  const std::filesystem::path temporary = path_.native() + ".temp";
  const base::Fd fd =
      base::OpenFile(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0640);
  if (!fd || !base::WriteAll(fd.get(), text) ||
      std::rename(temporary.c_str(), path_.c_str()) != 0) {
    failures_.Write(path_.native(), base::ErrnoText(errno));
    return;
  }
  written_ = std::move(text);
}

}  // namespace ospatrol::logcollector
