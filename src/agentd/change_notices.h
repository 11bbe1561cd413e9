// How often changes of a file are told: the first at once, more of the same file once a minute with
// their number. Nothing is kept back for good: what came within the minute is told at its end, so
// that nobody can hide a change behind a harmless one before it. Pure: no clock, no output.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ospatrol::agentd {

class ChangeNotices {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes kTellEvery{1};
  static constexpr size_t kMostFiles = 1000;  // remembered; beyond them everything held is told

  // `file` changed, as `text` says: what is to be told now, often just that.
  std::vector<std::string> Note(const std::string& file, const std::string& text, Time now);

  // What was held and is due. Each text is returned once.
  std::vector<std::string> Due(Time now);
  // Everything that is held, due or not.
  std::vector<std::string> TakeAll();
  // When something is due; nothing when nothing is held.
  std::optional<Time> NextDue() const;

 private:
  struct Told {
    Time at;             // last told
    uint64_t since = 0;  // changes since then
    std::string last;    // text of the last one of them
  };
  static std::string Release(Told& told, Time now);

  std::map<std::string, Told> told_;
};

}  // namespace ospatrol::agentd
