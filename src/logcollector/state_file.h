// var/run/ospatrol-logcollector.state: counters for monitoring, in the form of
// configuration-and-operation 2.11.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "log/log.h"
#include "logcollector/log_source.h"

namespace ospatrol::logcollector {

class StateFile {
 public:
  explicit StateFile(std::filesystem::path path) : path_(std::move(path)) {}

  // Replaces the file when something changed. `connection`: stream, queue or none.
  void Write(std::string_view connection, size_t unanswered_frames,
             const std::vector<const LogSource*>& sources);

 private:
  std::filesystem::path path_;
  std::string written_;
  log::Limited<msg::kStateFileFailed> failures_;
};

// Totals first, then the counters of each file under `file_N_...`, N from 1.
std::string FormatState(std::string_view connection, size_t unanswered_frames,
                        const std::vector<const LogSource*>& sources);

}  // namespace ospatrol::logcollector
