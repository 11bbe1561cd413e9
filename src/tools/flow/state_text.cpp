#include "flow/state_text.h"

#include "base/text.h"

namespace ospatrol::flow {

StateText::StateText(std::string_view text) {
  for (const std::string_view line : base::Split(text, '\n')) {
    const size_t equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos) continue;
    const std::string_view value = line.substr(equals + 1);
    if (value.size() < 2 || value.front() != '\'' || value.back() != '\'') continue;
    values_.emplace(line.substr(0, equals), value.substr(1, value.size() - 2));
  }
}

std::string_view StateText::Text(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? std::string_view() : std::string_view(found->second);
}

uint64_t StateText::Number(std::string_view key) const {
  return base::ParseNumber<uint64_t>(Text(key)).value_or(0);
}

}  // namespace ospatrol::flow
