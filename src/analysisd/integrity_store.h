// Integrity records of all agents, queue/syscheck/fim.db: the newest record of each file, the ten
// before it, and the locations whose baseline is complete (marker files
// queue/syscheck/.LOCATION.cpt, which control tools look for).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysisd/engine_state.h"
#include "base/sqlite.h"
#include "product/paths.h"

namespace ospatrol::analysisd {

class IntegrityStore {
 public:
  // Opens or creates. Throws Error.
  explicit IntegrityStore(const Home& home);
  ~IntegrityStore();

  // A database that cannot be read is logged.
  EngineState::KnownFile Last(std::string_view location, std::string_view name) const;
  void Store(std::string_view location, std::string_view name,
             const EngineState::FileRecord& record, int64_t time);

  bool BaselineComplete(std::string_view location) const;
  void SetBaselineComplete(std::string_view location);

  bool HasChanges() const { return !changes_.empty() || !new_complete_.empty(); }
  // One transaction, then the markers. Throws Error; what is not yet stored is kept.
  void Commit();

 private:
  using Key = std::pair<std::string, std::string>;
  struct Change {
    Key key;
    EngineState::FileRecord record;
    int64_t time = 0;
  };
  struct Statements;
  std::filesystem::path MarkerOf(std::string_view location) const;

  std::filesystem::path directory_;
  base::Database database_;
  std::unique_ptr<Statements> statements_;
  std::vector<Change> changes_;   // in order, not yet on disk
  std::map<Key, size_t> newest_;  // of `changes_`
  mutable std::set<std::string, std::less<>> complete_;
  std::vector<std::string> new_complete_;  // locations without a marker as yet
};

}  // namespace ospatrol::analysisd
