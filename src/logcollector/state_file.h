// var/run/ospatrol-logcollector.state: counters for monitoring, in the form of
// configuration-and-operation 2.11.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "log/log.h"
#include "logcollector/log_source.h"
#include "logcollector/outlet.h"

namespace ospatrol::logcollector {

struct CollectorState {
  base::Seconds started = 0;
  std::string_view connection;  // stream, queue or none
  size_t unanswered_frames = 0;
  Outlet::Events events;
  std::vector<const LogSource*> sources;
};

class StateFile {
 public:
  explicit StateFile(std::filesystem::path path) : path_(std::move(path)) {}

  // Replaces the file when something changed.
  void Write(const CollectorState& state);

 private:
  std::filesystem::path path_;
  std::string written_;
  log::Limited<msg::kStateFileFailed> failures_;
};

// Totals first, then the counters of each file under `file_N_...`, N from 1.
std::string FormatState(const CollectorState& state);

}  // namespace ospatrol::logcollector
