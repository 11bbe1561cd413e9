// The last output of a command, per host and rule (check_diff): queue/diff/HOST/RULE/last-entry,
// the output and a NUL byte. Files, because administrators and older tools look at them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ospatrol::analysisd {

class OutputStore {
 public:
  explicit OutputStore(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // Nothing when there is none, or when it cannot be read (which is logged).
  std::optional<std::string> Last(std::string_view host, int rule_id) const;
  void Store(std::string_view host, int rule_id, std::string_view output);

  bool HasChanges() const { return !changed_.empty(); }
  // Replaces each changed file. Throws Error; what is not yet written is kept.
  void Commit();

 private:
  using Key = std::pair<std::string, int>;
  std::filesystem::path PathOf(const Key& key) const;

  std::filesystem::path directory_;
  std::map<Key, std::string> changed_;  // not yet on disk
};

// A host name or location as one path component: what is not [A-Za-z0-9._-] becomes '_', and then a
// part of its digest keeps different names different.
std::string PathComponent(std::string_view name);

}  // namespace ospatrol::analysisd
