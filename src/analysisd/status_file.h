// var/run/ospatrol-analysisd.state: counters for operators and their tools
// (configuration-and-operation 2.11).
#pragma once

#include <cstdint>
#include <filesystem>

#include "analysisd/alert_writer.h"
#include "analysisd/intake.h"
#include "analysisd/pipeline.h"
#include "config/internal_options.h"

namespace ospatrol::analysisd {

struct Status {
  IntakeCounters intake;
  PipelineCounters pipeline;
  WriterCounters written;
  WriterCounters pending;  // not yet written
  uint64_t own_events = 0;  // made by analysisd itself
  size_t connections = 0;   // of the stream
  base::Seconds started = 0;
  bool blocked = false;  // outputs cannot be written
  double seconds = 0;    // since the last time
};

class StatusFile {
 public:
  explicit StatusFile(std::filesystem::path path) : path_(std::move(path)) {}

  // Replaces the file. Throws Error.
  void Write(const Status& status, const config::InternalOptions& internal);

 private:
  static uint64_t Dropped(const Status& status) {
    return status.intake.malformed + status.pipeline.repeated;
  }

  std::filesystem::path path_;
  uint64_t dropped_before_ = 0, processed_before_ = 0;
};

}  // namespace ospatrol::analysisd
