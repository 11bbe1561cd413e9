// What the benchmarks of analysisd measure with: CPU clocks, memory, the yardstick, the lines that
// are sent.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::bench {

// Events as a collector sends them, cycled. 1:LOCATION:LINE.
class Lines {
 public:
  // Reads the lines of `files`; line i is said to come from location i mod `locations`.
  // Throws Error when there is none.
  Lines(const std::vector<std::filesystem::path>& files, int locations);

  size_t size() const { return lines_.size(); }
  std::string_view line(uint64_t event) const { return lines_[event % lines_.size()]; }
  std::string_view location(uint64_t event) const { return locations_[event % locations_.size()]; }
  std::string_view message(uint64_t event) const { return messages_[event % messages_.size()]; }
  double mean_bytes() const;

 private:
  std::vector<std::string> lines_, locations_, messages_;
};

// User and system time of a process, all threads, in seconds. Gone: throws Error.
struct CpuTime {
  double user = 0, system = 0;
  double total() const { return user + system; }
};
CpuTime CpuOfThisProcess();
double CpuOfThisThread();
// `total` has nanosecond steps, the split those of the scheduler's clock tick.
CpuTime CpuOf(pid_t pid, double& total);

// A line of /proc/PID/status in KiB ("VmRSS", "VmHWM"); -1 when there is none.
long StatusKib(pid_t pid, std::string_view key);

double MonotonicSeconds();

// One unit in microseconds: the CPU time of compressing one line of the same files, by the program
// `yardstick` that lies beside this one. Throws Error when it cannot be run.
double Yardstick(const std::vector<std::filesystem::path>& files);

// An ordered list of names and values, printed as one JSON object on a line.
class Report {
 public:
  void Add(std::string_view name, std::string_view text);
  void Add(std::string_view name, double value, int decimals);
  void Add(std::string_view name, uint64_t value);
  void Print() const;

 private:
  std::string json_;
};

}  // namespace ospatrol::bench
