// FIM maintenance (collection-and-integrity 5): while the marker file of an agent exists, changes
// of its files are accepted without an event, counted in the marker and listed in
// logs/fim_maintenance.log. Tools make and remove the markers, queue/syscheck/.AGENT.maint.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysisd/group_file.h"
#include "base/time.h"
#include "product/paths.h"

namespace ospatrol::analysisd {

class FimMaintenance {
 public:
  explicit FimMaintenance(const Home& home);

  // True when maintenance is on for the agent of `location`. `kind` is "new" or "modify".
  bool Accept(std::string_view location, std::string_view kind, std::string_view name,
              base::Seconds time);

  // "Starting syscheck scan." came from the agent of `location`.
  void ScanStarted(std::string_view location, base::Seconds time);
  // "syscheck-db-completed" came: ends a maintenance that was asked to end, unless that scan had
  // begun before.
  void BaselineCompleted(std::string_view location);

  bool HasChanges() const;
  // Writes list lines and counters, removes ended markers. Throws Error; what is not yet written is
  // kept.
  void Commit();

 private:
  struct Marker {
    base::Seconds enabled_at = 0;
    base::Seconds end_requested_at = 0;  // 0: not known
    bool pending_end = false;
    uint64_t silent_updates = 0;
  };
  struct Agent {
    bool on = false;
    std::chrono::steady_clock::time_point checked;
    base::Seconds enabled_at = 0;
    base::Seconds warned_at = 0;
    base::Seconds scan_started = 0;
    uint64_t uncounted = 0;              // accepted changes that are not yet in the marker
    std::optional<Marker> half_written;  // as it was before a write that failed
  };

  std::filesystem::path MarkerOf(std::string_view agent) const;
  std::optional<Marker> Read(std::string_view agent) const;
  void CheckMarker(const std::string& name, Agent& agent, base::Seconds time) const;
  void CountInMarker(const std::string& name, Agent& agent) const;

  std::filesystem::path directory_, list_file_;
  std::map<std::string, Agent, std::less<>> agents_;
  std::optional<GroupFile> list_;
  std::string lines_;  // of the list, not yet written
  std::vector<std::string> ended_;
};

}  // namespace ospatrol::analysisd
