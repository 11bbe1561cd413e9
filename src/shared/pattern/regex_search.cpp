// How a search stays short.
//
// PCRE2's machine code is the fastest engine for ordinary lines, but its worst case has no useful
// bound: its match limit counts entries into repetitions, not work, and starts anew at every
// position of the subject. An engine that is stopped early would also be a way to hide an event
// behind a long line. So:
//
//  * A regular pattern (nearly all of them) has a twin in the linear matcher. PCRE2 gets a small
//  budget: a match limit
//    that shrinks with the length of the subject, and for longer subjects a few starting positions
//    per call, with a look at the clock between calls. When the budget is used up the linear
//    matcher answers instead. Both give the same answer, so budget and clock decide about time
//    only, never about a verdict.
//  * Other patterns (look-around, back references ...) have nobody to fall back to. They get a far
//  larger budget; long
//    subjects go to PCRE2's interpreter, whose limit counts nearly every step. A search beyond it
//    counts as "no match" and in GivenUpSearches().
//
// Work of one call in the worst case is (positions per call) x (match limit) x (average length of
// one repetition, half of the subject); positions per call is chosen so that this stays near
// kStepsPerCall, a few milliseconds.
//
// Cost: a subject up to kShort bytes takes one call, or one call and a linear search. Bounds:
// regular patterns, about kBudgetRegular plus the linear search (64 KiB and a usual pattern: a few
// milliseconds); others, about kBudgetOther.
#include "pattern/regex_search.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>

namespace ospatrol::pattern {
namespace {

using Result = Pcre2Code::Result;

constexpr size_t kShort = 512;           // bytes; one call, no clock
constexpr size_t kInterpretFrom = 4096;  // bytes; patterns without a linear twin
constexpr size_t kStepsPerCall = 20'000'000;
constexpr size_t kInterpreterSteps = 2'000'000;  // of about 20 ns
constexpr auto kBudgetRegular = std::chrono::milliseconds(2);
constexpr auto kBudgetOther = std::chrono::milliseconds(100);

std::atomic<uint64_t> given_up{0};

// Time this thread has worked, so that the load of the machine does not shorten a budget.
std::chrono::nanoseconds Worked() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

uint32_t MatchLimit(size_t subject, bool regular) {
  const size_t length = subject + 1;
  const size_t limit = regular ? 64 + 100'000 / length : 1000 + 4 * length + 2'000'000 / length;
  return static_cast<uint32_t>(limit);
}

size_t StartsPerCall(size_t subject, uint32_t match_limit) {
  const size_t steps = std::max<size_t>(1, subject * match_limit / 2);
  return std::max<size_t>(16, kStepsPerCall / steps);
}

// The first position at or behind `at` that is not inside a UTF-8 sequence.
size_t CharacterStart(std::string_view subject, size_t at) {
  while (at < subject.size() && (static_cast<uint8_t>(subject[at]) & 0xC0) == 0x80) ++at;
  return at;
}

// Searches in steps of `starts` positions until an answer or the deadline.
Result SearchInSteps(const Pcre2Code& code, std::string_view subject, Pcre2Code::Bounds bounds,
                     size_t starts, std::chrono::nanoseconds budget, Match* match) {
  const auto deadline = Worked() + budget;
  while (true) {
    size_t next = bounds.start + starts;
    if (next <= subject.size() && code.utf()) next = CharacterStart(subject, next);
    const bool last = next > subject.size();
    bounds.last_start = last ? SIZE_MAX : next - 1;
    const Result result = code.Search(subject, bounds, match);
    if (result != Result::kNoMatch || last) return result;
    if (Worked() > deadline) return Result::kLimit;
    bounds.start = next;
  }
}

Result Search(const Pcre2Code& code, std::string_view subject, const Pcre2Code::Bounds& bounds,
              std::chrono::nanoseconds budget, Match* match) {
  const size_t starts = bounds.interpret ? 64 : StartsPerCall(subject.size(), bounds.match_limit);
  if (code.single_start() || starts > subject.size()) return code.Search(subject, bounds, match);
  return SearchInSteps(code, subject, bounds, starts, budget, match);
}

Result SearchRegular(const Pcre2Code& code, std::string_view subject, Match* match) {
  const Pcre2Code::Bounds bounds{.match_limit = MatchLimit(subject.size(), true)};
  if (subject.size() <= kShort) return code.Search(subject, bounds, match);
  return Search(code, subject, bounds, kBudgetRegular, match);
}

Result SearchOther(const Pcre2Code& code, std::string_view subject, Match* match) {
  if (subject.size() < kInterpretFrom) {
    const Pcre2Code::Bounds bounds{.match_limit = MatchLimit(subject.size(), false)};
    const Result result = Search(code, subject, bounds, kBudgetOther, match);
    if (result != Result::kJitStack) return result;
  }
  const Pcre2Code::Bounds bounds{.match_limit = kInterpreterSteps, .interpret = true};
  return Search(code, subject, bounds, kBudgetOther, match);
}

}  // namespace

uint64_t GivenUpSearches() { return given_up.load(std::memory_order_relaxed); }

bool BoundedSearch(const Pcre2Code& code, const Program* fallback, std::string_view subject,
                   Match* match) {
  const Result result =
      fallback != nullptr ? SearchRegular(code, subject, match) : SearchOther(code, subject, match);
  if (result == Result::kMatch) return true;
  if (result == Result::kNoMatch) return false;
  if (fallback != nullptr) return fallback->Search(subject, match);
  given_up.fetch_add(1, std::memory_order_relaxed);
  return false;
}

}  // namespace ospatrol::pattern
