#include "analysisd/prepared_patterns.h"

#include <utility>

namespace ospatrol::analysisd {

void PreparedPatterns::Add(pattern::Language language, std::string_view text) {
  pattern::CompileError ignored;
  auto pattern = pattern::Pattern::Compile(language, text, &ignored);
  if (pattern == nullptr) return;
  const std::string_view own_text = pattern->text();
  patterns_.emplace(own_text, std::move(pattern));
}

std::unique_ptr<const pattern::Pattern> PreparedPatterns::Compile(pattern::Language language,
                                                                  std::string_view text,
                                                                  pattern::CompileError* error) {
  auto [found, end] = patterns_.equal_range(text);
  while (found != end && found->second->language() != language) ++found;
  if (found == end) return pattern::Pattern::Compile(language, text, error);
  auto pattern = std::move(found->second);
  patterns_.erase(found);
  return pattern;
}

}  // namespace ospatrol::analysisd
