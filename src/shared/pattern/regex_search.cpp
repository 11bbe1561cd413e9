// How a search stays short.
//
// PCRE2's machine code is the fastest engine for ordinary lines, but its worst case has no useful
// bound: its match limit counts entries into repetitions, not work, and starts anew at every
// position of the subject. An engine that is stopped early would also be a way to hide an event
// behind a long line. So:
//
//  * Every search begins with a small budget: a match limit that shrinks with the length of the
//    subject and, for longer subjects, a few starting positions per call with a look at the clock
//    between calls.
//  * When that is used up, the linear matcher answers if the pattern is regular, as nearly all are.
//    It gives the same answer, so budget and clock decide about time only, never about a verdict.
//    (It gives up on extraordinarily large patterns: program.cpp.)
//  * Other patterns (look-around, back references ...) get a far larger budget; long subjects go to
//    PCRE2's interpreter, whose limit counts nearly every step. A search beyond that counts as "no
//    match" and in GivenUpSearches().
//
// Work of one call in the worst case is (positions per call) x (match limit) x (average length of
// one repetition, half of the subject); positions per call is chosen so that this stays near
// kStepsPerCall, a few milliseconds.
//
// Cost: a subject up to kShort bytes takes one call, or one call and a linear search. Bounds:
// regular patterns, about kBriefTime plus the linear search (64 KiB and a usual pattern: below a
// millisecond without a match, some 30 ms with one; program.cpp has the worst case); others, about
// twice kLongTime.
#include "pattern/regex_search.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "pattern/given_up.h"

namespace ospatrol::pattern {
namespace {

using Result = Pcre2Code::Result;

constexpr size_t kShort = 512;           // bytes; one call, no clock
constexpr size_t kInterpretFrom = 4096;  // bytes
constexpr size_t kStepsPerCall = 20'000'000;
constexpr size_t kMinStarts = 16;
constexpr uint32_t kInterpreterSteps = 1'000'000;  // of about 20 ns
constexpr size_t kInterpreterStarts = 4;
constexpr auto kBriefTime = std::chrono::milliseconds(2);
constexpr auto kLongTime = std::chrono::milliseconds(100);

// Time this thread has worked, so that the load of the machine does not shorten a budget.
std::chrono::nanoseconds Worked() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// For verdict-neutral budgets: cheaper to read.
std::chrono::nanoseconds Elapsed() { return std::chrono::steady_clock::now().time_since_epoch(); }

struct Budget {
  uint32_t match_limit;  // at each position
  size_t starts;         // positions per call
  std::chrono::nanoseconds time;
  std::chrono::nanoseconds (*clock)();
  bool interpret = false;
};

size_t StartsPerCall(size_t subject, size_t match_limit) {
  const size_t steps = std::max<size_t>(1, subject * match_limit / 2);
  return std::max<size_t>(kMinStarts, kStepsPerCall / steps);
}

// For ordinary lines fixed limits, within kStepsPerCall: where a match can begin in one place only,
// it may take more there.
constexpr size_t kOrdinary = 256;
constexpr uint32_t kOrdinaryLimit = 512;
constexpr uint32_t kAnchoredLimit = 16 * kOrdinaryLimit;

uint32_t OrdinaryLimit(const Pcre2Code& code) {
  return code.anchored() ? kAnchoredLimit : kOrdinaryLimit;
}

Budget Brief(size_t subject) {
  const size_t limit = 64 + 100'000 / (subject + 1);
  return {.match_limit = static_cast<uint32_t>(limit),
          .starts = subject <= kShort ? SIZE_MAX : StartsPerCall(subject, limit),
          .time = kBriefTime,
          .clock = Elapsed};
}

Budget Long(size_t subject) {
  const size_t limit = 1000 + 4 * subject + 2'000'000 / (subject + 1);
  return {.match_limit = static_cast<uint32_t>(limit),
          .starts = StartsPerCall(subject, limit),
          .time = kLongTime,
          .clock = Worked};
}

Budget Interpreter() {
  return {.match_limit = kInterpreterSteps,
          .starts = kInterpreterStarts,
          .time = kLongTime,
          .clock = Worked,
          .interpret = true};
}

// The first position at or behind `at` that is not inside a UTF-8 sequence.
size_t CharacterStart(std::string_view subject, size_t at) {
  while (at < subject.size() && (static_cast<uint8_t>(subject[at]) & 0xC0) == 0x80) ++at;
  return at;
}

// Searches a number of positions at a time until there is an answer or the time is up.
Result Search(const Pcre2Code& code, std::string_view subject, const Budget& budget, Match* match) {
  Pcre2Code::Bounds bounds{.match_limit = budget.match_limit, .interpret = budget.interpret};
  if (code.single_start() || budget.starts > subject.size()) {
    return code.Search(subject, bounds, match);
  }
  const auto deadline = budget.clock() + budget.time;
  while (true) {
    size_t next = bounds.start + budget.starts;
    if (next <= subject.size() && code.utf()) next = CharacterStart(subject, next);
    const bool last = next > subject.size();
    bounds.last_start = last ? SIZE_MAX : next - 1;
    const Result result = code.Search(subject, bounds, match);
    if (result != Result::kNoMatch || last) return result;
    if (budget.clock() > deadline) return Result::kLimit;
    bounds.start = next;
  }
}

bool IsAnswer(Result result) { return result == Result::kMatch || result == Result::kNoMatch; }

Result SearchAtLength(const Pcre2Code& code, std::string_view subject, Match* match) {
  if (code.compiled() && subject.size() < kInterpretFrom) {
    const Result result = Search(code, subject, Long(subject.size()), match);
    if (result != Result::kJitStack) return result;
  }
  const Result result = Search(code, subject, Interpreter(), match);
  Pcre2Code::GiveBackFrames();
  return result;
}

}  // namespace

bool BoundedSearch(const Pcre2Code& code, const Linear& fallback, std::string_view subject,
                   Match* match, const std::string& text) {
  Result result = subject.size() <= kOrdinary
                      ? code.Search(subject, {.match_limit = OrdinaryLimit(code)}, match)
                      : Search(code, subject, Brief(subject.size()), match);
  if (!IsAnswer(result)) {
    const Program* linear = fallback.For(text);
    if (linear != nullptr) return linear->Search(subject, match, text);
    result = SearchAtLength(code, subject, match);
    if (!IsAnswer(result)) CountGivenUp(text);
  }
  return result == Result::kMatch;
}

}  // namespace ospatrol::pattern
