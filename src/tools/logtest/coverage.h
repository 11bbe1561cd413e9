// Which rules were tried in which test cases, and at which conditions they failed.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analysisd/engine.h"

namespace ospatrol::logtest {

// The tracer of all cases, one behind the other.
class Coverage : public analysisd::Tracer {
 public:
  // What is traced from now on belongs to this case; numbers rise.
  void StartCase(size_t number) { case_ = number; }

  void Trying(const analysisd::Rule& rule) override;
  void Failed(const analysisd::Rule& rule, std::string_view condition,
              std::string_view detail) override;
  void Matched(const analysisd::Rule&, bool) override {}

  // Numbers of cases, rising. `condition` is the element or its twin.
  const std::vector<size_t>& Tried(int rule_id) const;
  const std::vector<size_t>& FailedAt(int rule_id, std::string_view condition) const;

 private:
  void Add(std::vector<size_t>& cases) const;

  size_t case_ = 0;
  std::unordered_map<int, std::vector<size_t>> tried_;
  std::map<std::pair<int, std::string_view>, std::vector<size_t>> failed_;
};

}  // namespace ospatrol::logtest
