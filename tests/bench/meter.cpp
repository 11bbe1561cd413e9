#include "meter.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/error.h"
#include "ipc/queue_message.h"

namespace ospatrol::bench {
namespace {

double Seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

double ClockSeconds(clockid_t clock) {
  timespec t{};
  if (::clock_gettime(clock, &t) != 0) throw Error("the process that is measured is gone");
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

}  // namespace

Lines::Lines(const std::vector<std::filesystem::path>& files, int locations) {
  for (const auto& file : files) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      if (!line.empty()) lines_.push_back(line);
    }
  }
  if (lines_.empty()) throw Error("--input: no lines; a log file is needed");
  for (int i = 0; i < locations; ++i) locations_.push_back(fmt::format("/var/log/bench{}.log", i));
  // As many messages as it takes until line and location fall together again, at most.
  for (size_t i = 0; i < lines_.size() * locations_.size(); ++i) {
    messages_.push_back(ipc::FormatQueueMessage(ipc::Kind::kLog, location(i), line(i)));
    if ((i + 1) % lines_.size() == 0 && (i + 1) % locations_.size() == 0) break;
  }
}

double Lines::mean_bytes() const {
  size_t bytes = 0;
  for (const std::string& line : lines_) bytes += line.size();
  return static_cast<double>(bytes) / static_cast<double>(lines_.size());
}

CpuTime CpuOfThisProcess() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return {Seconds(usage.ru_utime), Seconds(usage.ru_stime)};
}

double CpuOfThisThread() { return ClockSeconds(CLOCK_THREAD_CPUTIME_ID); }

double MonotonicSeconds() { return ClockSeconds(CLOCK_MONOTONIC); }

CpuTime CpuOf(pid_t pid, double& total) {
  clockid_t clock{};
  if (::clock_getcpuclockid(pid, &clock) != 0) throw Error("the process that is measured is gone");
  total = ClockSeconds(clock);
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const size_t close = text.rfind(')');
  if (close == std::string::npos) throw Error("the process that is measured is gone");
  std::istringstream fields(text.substr(close + 1));
  constexpr int kUser = 14, kSystem = 15;  // proc(5)
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  CpuTime cpu;
  std::string field;
  for (int number = 3; fields >> field; ++number) {
    if (number == kUser) cpu.user = std::strtod(field.c_str(), nullptr) / ticks;
    if (number == kSystem) cpu.system = std::strtod(field.c_str(), nullptr) / ticks;
  }
  return cpu;
}

long StatusKib(pid_t pid, std::string_view key) {
  std::ifstream in(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ':') {
      return std::strtol(line.c_str() + key.size() + 1, nullptr, 10);
    }
  }
  return -1;
}

double Yardstick(const std::vector<std::filesystem::path>& files) {
  const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "yardstick";
  std::string command = "'" + program.string() + "'";
  for (const auto& file : files) command += " '" + file.string() + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), &::pclose);
  std::string text;
  std::array<char, 256> part{};
  while (pipe != nullptr && std::fgets(part.data(), part.size(), pipe.get()) != nullptr) {
    text += part.data();
  }
  const size_t at = text.find("yardstick ");
  if (at == std::string::npos) {
    throw Error(fmt::format("{}: says no figure; build the target yardstick", program.string()));
  }
  return std::strtod(text.c_str() + at + 10, nullptr);
}

void Report::Add(std::string_view name, std::string_view text) {
  json_ += fmt::format("{}\"{}\": \"{}\"", json_.empty() ? "" : ", ", name, text);
}

void Report::Add(std::string_view name, double value, int decimals) {
  json_ += fmt::format("{}\"{}\": {:.{}f}", json_.empty() ? "" : ", ", name, value, decimals);
}

void Report::Add(std::string_view name, uint64_t value) {
  json_ += fmt::format("{}\"{}\": {}", json_.empty() ? "" : ", ", name, value);
}

void Report::Print() const {
  fmt::print("{{{}}}\n", json_);
  std::fflush(stdout);
}

}  // namespace ospatrol::bench
