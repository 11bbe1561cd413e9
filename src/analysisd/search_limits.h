// Searches that were given up because they would have taken too long (rules-and-decoders 2.11):
// told in the log with the rule or decoder that wanted them, at most once a minute.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ospatrol::analysisd {

class Ruleset;

// Who has a pattern of this text: "rule 100100 (rules/local_rules.xml:12)", "decoder 'sshd'", and
// how many others. Looks at all of them: only for a report.
std::string OwnersOfPattern(const Ruleset& ruleset, std::string_view text);

// Not thread-safe.
class SearchLimits {
 public:
  SearchLimits();

  // Were searches given up since the last line? Cheap.
  bool HasNews() const;
  // Writes the line when there are any and the last line is a minute old.
  void Tell(const Ruleset& ruleset, std::chrono::steady_clock::time_point now);

 private:
  uint64_t told_;
  std::optional<std::chrono::steady_clock::time_point> last_;
};

}  // namespace ospatrol::analysisd
