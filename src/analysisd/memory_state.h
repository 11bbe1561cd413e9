// EngineState that lives as long as the process: logtest and unit tests.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "analysisd/engine_state.h"

namespace ospatrol::analysisd {

class MemoryState : public EngineState {
 public:
  bool KnowsFirstSeen(std::string_view line) const override;
  bool RememberFirstSeen(std::string_view line) override;

  bool IsIgnored(std::string_view line) const override;
  void Ignore(std::string_view line) override;

  std::optional<std::string> LastOutput(std::string_view host, int rule_id) const override;
  void StoreOutput(std::string_view host, int rule_id, std::string_view output) override;

  std::optional<std::string> HostPorts(std::string_view address) const override;
  void StoreHostPorts(std::string_view address, std::string_view ports) override;

  bool RememberRootcheck(std::string_view location, std::string_view text, int64_t time) override;

  KnownFile LastFile(std::string_view location, std::string_view name) const override;
  void StoreFile(std::string_view location, std::string_view name, const FileRecord& record,
                 int64_t time) override;
  bool BaselineComplete(std::string_view location) const override;
  void SetBaselineComplete(std::string_view location) override;
  bool AcceptSilently(std::string_view location, std::string_view kind, std::string_view name,
                      int64_t time) override;

  // FIM maintenance of a location on or off; while on, AcceptSilently answers true and counts.
  void SetMaintenance(std::string_view location, bool on);
  unsigned silent_updates() const { return silent_updates_; }

 private:
  using Pair = std::pair<std::string, std::string>;
  std::unordered_set<std::string> first_seen_;
  std::unordered_set<std::string> ignored_;
  std::map<std::pair<std::string, int>, std::string> outputs_;
  std::map<std::string, std::string, std::less<>> ports_;
  std::map<Pair, int64_t> rootcheck_;
  std::map<Pair, FileRecord> files_;
  std::set<std::string, std::less<>> complete_;
  std::set<std::string, std::less<>> maintenance_;
  unsigned silent_updates_ = 0;
};

}  // namespace ospatrol::analysisd
