// Patterns of a rule file that were compiled before its rules are.
#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>

#include "pattern/pattern.h"

namespace ospatrol::analysisd {

class PreparedPatterns {
 public:
  // A text that does not compile is left to Compile(), whose caller tells the error.
  void Add(pattern::Language language, std::string_view text);

  // As Pattern::Compile; gives each pattern that was added away once.
  std::unique_ptr<const pattern::Pattern> Compile(pattern::Language language, std::string_view text,
                                                  pattern::CompileError* error);

 private:
  // By their own texts.
  std::unordered_multimap<std::string_view, std::unique_ptr<const pattern::Pattern>> patterns_;
};

}  // namespace ospatrol::analysisd
