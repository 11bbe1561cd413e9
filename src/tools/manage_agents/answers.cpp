#include "manage_agents/answers.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"

namespace ospatrol::manage_agents {
namespace {

constexpr size_t kLongestInput = 511;

}  // namespace

std::optional<std::string> Answers::Given(std::string_view key) const {
  if (const auto found = set_.find(key); found != set_.end()) return found->second;
  for (const std::string_view prefix : {"OSPATROL_", "OSSEC_"}) {
    const char* value = std::getenv(fmt::format("{}{}", prefix, key).c_str());
    if (value != nullptr) return value;
  }
  return std::nullopt;
}

Answer Answers::Ask(std::string_view key, std::string_view prompt) const {
  fmt::print("{}", prompt);
  if (!key.empty()) {
    if (auto given = Given(key)) return {std::move(*given), true};
  }
  std::fflush(stdout);
  std::array<char, kLongestInput + 2> line{};
  if (std::fgets(line.data(), line.size(), stdin) == nullptr) throw TooLarge{};
  std::string_view text(line.data());
  if (text.size() > kLongestInput || !text.ends_with('\n')) throw TooLarge{};
  return {std::string(base::Trim(text)), false};
}

}  // namespace ospatrol::manage_agents
