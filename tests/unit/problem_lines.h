// What a load had to say, as a user reads it.
#pragma once

#include <string>
#include <vector>

#include "config/problems.h"

namespace ospatrol::config {

inline std::vector<std::string> ProblemLines(const Problems& problems) {
  std::vector<std::string> lines;
  for (const Problem& problem : problems.all()) lines.push_back(problem.Line());
  return lines;
}

// The same in one text, each with its line feed.
inline std::string ProblemText(const Problems& problems) {
  std::string text;
  for (const std::string& line : ProblemLines(problems)) text += line + "\n";
  return text;
}

}  // namespace ospatrol::config
