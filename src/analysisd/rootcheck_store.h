// Rootcheck messages of all agents with first and last time, queue/rootcheck/rootcheck.db.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/sqlite.h"
#include "product/paths.h"

namespace ospatrol::analysisd {

class RootcheckStore {
 public:
  // Opens or creates. Throws Error.
  explicit RootcheckStore(const Home& home);
  ~RootcheckStore();

  // True when `text` is new for `location`. With a database that cannot be read (which is logged)
  // nothing is.
  bool Remember(std::string_view location, std::string_view text, int64_t time);

  bool HasChanges() const { return !changed_.empty(); }
  // One transaction. Throws Error; what is not yet stored is kept.
  void Commit();

 private:
  using Key = std::pair<std::string, std::string>;
  struct Statements;

  bool IsStored(std::string_view location, std::string_view text);

  base::Database database_;
  std::unique_ptr<Statements> statements_;
  std::map<Key, int64_t> changed_;  // last time, not yet on disk
};

}  // namespace ospatrol::analysisd
