// Lines that were seen, at most as many as a limit says: the one that was used longest ago goes
// first. What changed can be asked for, so that a database follows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ospatrol::analysisd {

// Judging thread only. Every operation is O(1).
class LineMemory {
 public:
  // 0 = without limit.
  void SetLimit(size_t limit);

  // A line of the database. REQUIRES: in order of use, oldest first.
  void Load(std::string line, uint64_t used);

  // True when the line is new; it is then remembered.
  bool Remember(std::string_view line);
  bool Knows(std::string_view line) const { return places_.contains(line); }

  size_t size() const { return places_.size(); }
  uint64_t forgotten() const { return forgotten_; }

  // Since the last Settle(): lines with the number of their last use, and lines that are gone.
  struct Change {
    std::string line;
    uint64_t used;
  };
  const std::vector<Change>& changed() const { return changed_; }
  const std::vector<std::string>& removed() const { return removed_; }
  bool HasChanges() const { return !changed_.empty() || !removed_.empty(); }
  void Settle();

 private:
  void Shrink();

  size_t limit_ = 0;
  uint64_t last_use_ = 0;
  std::list<std::string> lines_;  // used longest ago first
  std::unordered_map<std::string_view, std::list<std::string>::iterator> places_;
  std::vector<Change> changed_;
  std::vector<std::string> removed_;
  uint64_t forgotten_ = 0;
};

}  // namespace ospatrol::analysisd
