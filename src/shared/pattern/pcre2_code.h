// PCRE2's compiled code, with limits, memory reused per thread, and captures as the rules want
// them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "pattern/pattern.h"

struct pcre2_real_code_8;

namespace ospatrol::pattern {

class alignas(64) Pcre2Code {
 public:
  enum class Result : uint8_t {
    kMatch,
    kNoMatch,
    kLimit,     // match, depth or heap limit, or no memory: nothing is known
    kJitStack,  // compiled code ran out of stack: nothing is known
  };

  struct Options {
    bool utf = false;  // subjects are valid UTF-8
    bool dot_all = false;
  };

  // What one search may cost.
  struct Bounds {
    size_t start = 0;              // matches begin here or later ...
    size_t last_start = SIZE_MAX;  // ... and not behind this
    uint32_t match_limit = 0;      // PCRE2's count, for each position where a match may begin
    bool interpret = false;        // do not use compiled machine code
  };

  // Nothing when PCRE2 rejects `text`; then `error` is set. Always ignores case.
  static std::unique_ptr<const Pcre2Code> Compile(std::string_view text, const Options& options,
                                                  CompileError& error);
  // Compiled at the first search only. REQUIRES: PCRE2 accepts `text` (IsSurelyAccepted), which has
  // `groups` capturing groups.
  static std::unique_ptr<const Pcre2Code> Later(std::string text, const Options& options,
                                                uint32_t groups);
  ~Pcre2Code();
  Pcre2Code(const Pcre2Code&) = delete;
  Pcre2Code& operator=(const Pcre2Code&) = delete;

  // `match` may be null. Reentrant; does not allocate, except for a thread's first search and in
  // the interpreter. A `(*UTF)` pattern is safe for any subject: stray bytes match nothing.
  Result Search(std::string_view subject, const Bounds& bounds, Match* match) const;

  // Fetches what Search reads first: scattered over memory, it would come one after the other.
  void Fetch() const {
    if (machine_.load(std::memory_order_acquire) != Machine::kCode) return;
    for (const void* line : first_read_) __builtin_prefetch(line);
  }

  // Frees what the interpreter has kept for this thread, up to 64 MiB after a hostile subject.
  static void GiveBackFrames();

  uint32_t groups() const { return groups_; }
  bool utf() const { return utf_; }
  // To machine code, which the first search or the first call of this makes: most patterns of a
  // ruleset are never searched for on one machine. False where memory may not be made executable.
  bool compiled() const { return Ready() == Machine::kCode; }
  // Matches can begin in one place only.
  bool anchored() const { return Ready() != Machine::kUnknown && anchored_; }
  // That, or the pattern depends on where a search starts (\G).
  bool single_start() const { return Ready() != Machine::kUnknown && single_start_; }

 private:
  enum class Machine : uint8_t { kUnknown, kCode, kNone };

  Pcre2Code(std::string text, const Options& options) : options_(options), text_(std::move(text)) {}
  void Take(pcre2_real_code_8* code) const;
  // kUnknown: there is no memory.
  Machine Ready() const {
    const Machine machine = machine_.load(std::memory_order_acquire);
    return machine == Machine::kUnknown ? CompileNow() : machine;
  }
  Machine CompileNow() const;

  // What every search needs comes first. What machine_ does not vouch for is written by
  // CompileNow() only.
  mutable std::atomic<Machine> machine_{Machine::kUnknown};
  mutable bool anchored_ = false;
  mutable bool single_start_ = false;
  bool utf_ = false;
  uint32_t groups_ = 0;
  mutable pcre2_real_code_8* code_ = nullptr;
  mutable std::array<const void*, 6> first_read_{};  // by a search, of what PCRE2 made
  Options options_;
  mutable std::string text_;  // until it is compiled
};

}  // namespace ospatrol::pattern
