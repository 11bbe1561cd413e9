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

void Append(std::string& out, const std::string& prefix, const Counters& counters) {
  fmt::format_to(std::back_inserter(out),
                 "{0}lines='{1}'\n{0}bytes='{2}'\n{0}lines_cut='{3}'\n{0}lines_lost='{4}'\n"
                 "{0}bytes_skipped='{5}'\n",
                 prefix, counters.lines, counters.bytes, counters.cut_lines, counters.lost_lines,
                 counters.skipped_bytes);
}

}  // namespace

std::string FormatState(std::string_view connection, size_t unanswered_frames,
                        const std::vector<const LogSource*>& sources) {
  Counters total;
  for (const LogSource* source : sources) {
    total.lines += source->counters().lines;
    total.bytes += source->counters().bytes;
    total.cut_lines += source->counters().cut_lines;
    total.lost_lines += source->counters().lost_lines;
    total.skipped_bytes += source->counters().skipped_bytes;
  }
  std::string out = fmt::format(
      "# State of ospatrol-logcollector since its start\n\n"
      "connection='{}'\nframes_unanswered='{}'\nfiles='{}'\n",
      connection, unanswered_frames, sources.size());
  Append(out, {}, total);
  size_t number = 0;
  for (const LogSource* source : sources) {
    const std::string prefix = fmt::format("file_{}_", ++number);
    out += fmt::format("\n{0}path='{1}'\n{0}open='{2}'\n", prefix,
                       base::EscapeControls(source->path()), source->HasOpenFiles() ? 1 : 0);
    Append(out, prefix, source->counters());
    out += fmt::format("{}last_error='{}'\n", prefix,
                       base::EscapeControls(source->counters().last_error));
  }
  return out;
}

// Without fsync: after a crash of the system the content would mean nothing, and a busy disk would
// stop the reading.
void StateFile::Write(std::string_view connection, size_t unanswered_frames,
                      const std::vector<const LogSource*>& sources) {
  std::string text = FormatState(connection, unanswered_frames, sources);
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
