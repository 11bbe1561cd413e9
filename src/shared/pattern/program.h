// The linear-time matcher: runs a Syntax over a subject in time proportional to both, whatever they
// are.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/lazy.h"
#include "pattern/pattern.h"
#include "pattern/syntax.h"

namespace ospatrol::pattern {

class Program {
 public:
  // Nothing when counted repetitions make it too long.
  static std::optional<Program> From(const Syntax& syntax);

  // Same answer as a backtracking engine: leftmost match, alternatives in order, quantifiers greedy
  // or lazy. `match` may be null. Reentrant; memory of the calling thread is reused. Programs with
  // at least 512 places may be given up on long subjects: false, and CountGivenUp().
  // `text`: of the pattern, for the report of a search that is given up.
  bool Search(std::string_view subject, Match* match, std::string_view text = {}) const;

 private:
  enum class Op : uint8_t { kSet, kSplit, kJump, kSave, kAssert, kAccept };
  struct Instruction {
    Op op;
    uint32_t a =
        0;  // kSet: set; kSplit: preferred way; kJump: target; kSave: slot; kAssert: Assertion
    uint32_t b = 0;  // kSplit: other way
  };
  // Characters that no set and no assertion tells apart are one symbol.
  struct Symbols {
    std::vector<uint16_t> of_byte;
    std::vector<char32_t> characters;  // one of each symbol
  };
  class Compiler;
  class Run;        // with captures
  class Existence;  // without

  void FindFirstBytes();
  Symbols FindSymbols() const;
  // Nothing when it would take too long.
  std::optional<bool> Exists(std::string_view subject) const;

  std::vector<Instruction> code_;
  std::vector<CharSet> sets_;
  uint32_t groups_ = 0;
  bool characters_ = false;
  bool anchored_ = false;              // matches begin at 0 only
  bool any_first_ = false;             // first_ says nothing: the empty text may match
  bool before_final_newline_ = false;  // has such an assertion
  CharSet first_;                      // bytes that a match can begin with
  base::Lazy<Symbols> symbols_;        // most programs are never asked
};

}  // namespace ospatrol::pattern
