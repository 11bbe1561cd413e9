// An installed analysisd that a benchmark starts, watches and ends; and its alert files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "installed_daemon.h"

namespace ospatrol::bench {

// Counts the records of a file that grows. Reads what is new at each call.
class RecordCounter {
 public:
  // A record is a line that begins so: "** Alert " in alerts.log, "{" in alerts.json.
  RecordCounter(std::filesystem::path file, std::string_view beginning)
      : file_(std::move(file)), beginning_(beginning) {}

  // Reads to the present end. True once `wanted` stood in one of the lines read.
  bool Read(std::string_view wanted = {});
  uint64_t records() const { return records_; }
  uint64_t bytes() const { return bytes_; }

 private:
  void Take(std::string_view line, std::string_view wanted);

  std::filesystem::path file_;
  std::string beginning_;
  base::Fd fd_;
  std::string carry_;  // the line that is not complete yet
  uint64_t records_ = 0, bytes_ = 0;
  bool found_ = false;
};

class DaemonProcess : public InstalledDaemon {
 public:
  // Logs and state of the prefix are emptied at the start. Throws Error.
  DaemonProcess(std::filesystem::path prefix, std::vector<int> cpus,
                std::vector<std::string> arguments);

  // Starts analysisd and waits until an event that was sent at once has made its alert. Gives the
  // seconds from exec to that alert.
  double Start();
  // Sends an event with a token of its own and waits for the alert about it. By the queue.
  void SendTokenAndWait();

  RecordCounter& text() { return text_; }
  RecordCounter& json() { return json_; }
  uint64_t tokens() const { return tokens_; }  // alerts that events of ours made

 private:
  std::string NewToken();
  static std::string TokenMessage(const std::string& token);

  std::vector<std::string> arguments_;
  RecordCounter text_, json_;
  uint64_t tokens_ = 0;
};

}  // namespace ospatrol::bench
