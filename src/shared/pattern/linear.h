// The linear matcher of a pattern, made from the pattern's text when a search first needs it: of
// most patterns none ever does.
#pragma once

#include <optional>
#include <string_view>

#include "base/lazy.h"
#include "pattern/program.h"
#include "pattern/syntax.h"

namespace ospatrol::pattern {

class Linear {
 public:
  // Gives the tree that stands for a text, or nothing.
  using Read = std::optional<Syntax> (*)(std::string_view text);

  // None: the pattern is not regular.
  Linear() = default;
  explicit Linear(Read read) : read_(read) {}

  // `text`: of the pattern, the same every time. Null when there is none, also because counted
  // repetitions make it too long.
  const Program* For(std::string_view text) const {
    if (read_ == nullptr) return nullptr;
    const std::optional<Program>& program = program_.Get([&] {
      const std::optional<Syntax> syntax = read_(text);
      return syntax ? Program::From(*syntax) : std::nullopt;
    });
    return program ? &*program : nullptr;
  }

 private:
  Read read_ = nullptr;
  base::Lazy<std::optional<Program>> program_;
};

}  // namespace ospatrol::pattern
