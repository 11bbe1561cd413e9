// Lines made to stall an engine. The times asserted are far above what is expected; they tell
// milliseconds from minutes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "pattern/pattern.h"

namespace ospatrol::pattern {
namespace {

using std::chrono::nanoseconds;

constexpr size_t kLongLine = 65535;
constexpr auto kSoon = std::chrono::seconds(60);  // for sanitizer builds and slow machines

std::string Repeat(std::string_view piece, size_t size) {
  std::string text;
  while (text.size() + piece.size() <= size) text += piece;
  return text;
}

// Time that this thread has worked: other work of the machine is none of a pattern's.
nanoseconds Worked() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

struct Outcome {
  bool matched;
  nanoseconds time;
};

Outcome Time(const Pattern& pattern, std::string_view subject) {
  Match match;
  const nanoseconds begin = Worked();
  const bool matched = pattern.Find(subject, match);
  return {matched, Worked() - begin};
}

TEST(Limits, LongLinesMatchAsShortOnes) {
  const std::string line = std::string(60'000, 'x') + " end";
  const struct {
    Language language;
    const char* text;
  } rows[] = {
      {Language::kOsRegex, R"(^(\.+) end$)"},      {Language::kOsRegex, R"((\w+) end)"},
      {Language::kOsRegex, R"(^\S+|\d+ (end))"},   {Language::kPcre2, R"(^(.+?) end$)"},
      {Language::kPcre2, R"(^(?:x|y)+ end)"},      {Language::kPcre2, R"(^(?:(?!z).)+ end$)"},
      {Language::kPcre2, R"(^((?:a|x)*) (?=end))"}};
  for (const auto& row : rows) {
    CompileError error;
    const auto pattern = Pattern::Compile(row.language, row.text, &error);
    ASSERT_NE(pattern, nullptr) << row.text << error.reason;
    EXPECT_TRUE(pattern->Matches(line)) << row.text;
  }
}

TEST(Limits, RegularPatternsAreNeverGivenUp) {
  const struct {
    Language language;
    const char* text;
    std::string subject;
    bool matched;
  } rows[] = {
      {Language::kPcre2, "(a+)+$", Repeat("a", kLongLine - 1) + "b", false},
      {Language::kPcre2, "^(a+)+$", Repeat("a", kLongLine - 1) + "b", false},
      {Language::kPcre2, "(a|aa)+$", Repeat("a", kLongLine - 1) + "b", false},
      {Language::kPcre2, "(x+x+)+y", Repeat("x", kLongLine), false},
      {Language::kPcre2, "(x+x+)+y", Repeat("x", kLongLine - 1) + "y", true},
      {Language::kPcre2, "(.*)(.*)(.*)(.*)[0-9]", Repeat("ab ", kLongLine), false},
      {Language::kPcre2, "foo.*foo.*foo.*bar1", Repeat("foo", kLongLine), false},
      {Language::kOsRegex, R"((\S+):(\S+):(\S+):(\S+)$)", Repeat(":", kLongLine - 2) + " x", false},
      {Language::kOsRegex, R"((\.+) (\.+) (\.+) (\d+)x)", Repeat("1 ", kLongLine), false},
      {Language::kOsRegex, R"((\.+) (\.+) (\.+) (\d+)x)", Repeat("1 ", kLongLine - 3) + "12x",
       true},
      {Language::kOsRegex, R"((\.+) (\.+) (\.+) (\d+)x)", Repeat("1 ", 400), false},
      {Language::kOsRegex, R"((\.+) (\.+) (\.+) (\d+)x)", Repeat("1 ", 2000), false},
      {Language::kOsRegex, R"((\.+) (\.+) (\.+) (\d+)x)", Repeat("1 ", 3000) + "\xff", false},
      {Language::kOsRegex, R"((\.+) (\.+) (\.+) (\d+)x)", Repeat("1 ", 3000) + "\xc3\xa9", false},
      {Language::kOsMatch, "aaaaaaaaaaaaaaab", Repeat("a", kLongLine), false},
  };
  const uint64_t before = Pattern::LimitErrors();
  for (const auto& row : rows) {
    CompileError error;
    const auto pattern = Pattern::Compile(row.language, row.text, &error);
    ASSERT_NE(pattern, nullptr) << row.text << error.reason;
    const Outcome outcome = Time(*pattern, row.subject);
    EXPECT_EQ(outcome.matched, row.matched) << row.text;
    EXPECT_LT(outcome.time, kSoon) << row.text;
    std::printf("%8.2f ms  %s on %zu bytes\n",
                std::chrono::duration<double, std::milli>(outcome.time).count(), row.text,
                row.subject.size());
  }
  EXPECT_EQ(Pattern::LimitErrors(), before);
}

// A line on which every position has another set of live places.
std::string Noise(size_t size) {
  std::string text;
  for (uint32_t state = 1; text.size() < size; state = state * 1664525 + 1013904223) {
    text += (state >> 24 & 1) != 0 ? 'a' : 'b';
  }
  return text;
}

TEST(Limits, NoiseDoesNotStallALargeRegularPattern) {
  const struct {
    std::string text;
    bool given_up;
  } rows[] = {{"a[ab]{200}c", false},
              {"a[ab]{400}c", false},
              {"(a[ab]{0,200}){2}c", false},
              {"a[ab]{1000}a[ab]{1000}c", true},
              {"a" + Repeat("[ab]{1000}", 70) + "c", true}};
  for (const auto& row : rows) {
    CompileError error;
    const auto pattern = Pattern::Compile(Language::kPcre2, row.text, &error);
    ASSERT_NE(pattern, nullptr) << row.text << error.reason;
    const uint64_t before = Pattern::LimitErrors();
    const Outcome outcome = Time(*pattern, Noise(kLongLine));
    EXPECT_FALSE(outcome.matched) << row.text;
    EXPECT_EQ(Pattern::LimitErrors() - before, row.given_up ? 1u : 0u) << row.text;
    EXPECT_LT(outcome.time, kSoon) << row.text;
    std::printf("%8.2f ms  %s\n", std::chrono::duration<double, std::milli>(outcome.time).count(),
                row.text.c_str());
  }
}

TEST(Limits, OtherPatternsAreGivenUpAndCounted) {
  const struct {
    const char* text;
    std::string subject;
  } rows[] = {
      {R"(((a+)+)+\2$(?!x))", Repeat("a", kLongLine - 1) + "b"},
      {R"((?=(a+)+$)\w)", Repeat("a", 200) + "!"},
      {R"((?=a)(a+)+(a+)+(a+)+\1[xy])", Repeat("a", 3000)},
      {R"((?>x?)(.*)(.*)(.*)(.*)[0-9])", Repeat("ab ", kLongLine)},
  };
  for (const auto& row : rows) {
    CompileError error;
    const auto pattern = Pattern::Compile(Language::kPcre2, row.text, &error);
    ASSERT_NE(pattern, nullptr) << row.text << error.reason;
    const uint64_t before = Pattern::LimitErrors();
    const Outcome outcome = Time(*pattern, row.subject);
    EXPECT_FALSE(outcome.matched) << row.text;
    EXPECT_EQ(Pattern::LimitErrors(), before + 1) << row.text;
    EXPECT_EQ(Pattern::LastLimitError(), row.text);
    EXPECT_LT(outcome.time, kSoon) << row.text;
    std::printf("%8.2f ms  %s on %zu bytes\n",
                std::chrono::duration<double, std::milli>(outcome.time).count(), row.text,
                row.subject.size());
  }
}

TEST(Limits, ARecursivePatternDoesNotOverflowTheStack) {
  CompileError error;
  const auto pattern = Pattern::Compile(Language::kPcre2, R"(^(\((?:[^()]|(?1))*\))$)", &error);
  ASSERT_NE(pattern, nullptr) << error.reason;
  Time(*pattern, std::string(30'000, '(') + std::string(30'000, ')'));
  EXPECT_TRUE(Time(*pattern, std::string(100, '(') + std::string(100, ')')).matched);
}

TEST(Concurrency, ThreadsShareAPattern) {
  CompileError error;
  std::vector<std::unique_ptr<const Pattern>> patterns;
  patterns.push_back(
      Pattern::Compile(Language::kOsRegex, R"(for (\S+) from (\S+) port (\d+))", &error));
  patterns.push_back(
      Pattern::Compile(Language::kPcre2, R"((?<=for )(\S+) from (\S+) port (\d+))", &error));
  patterns.push_back(
      Pattern::Compile(Language::kPcre2, R"((\w+) from ((?:\d+\.)+\d+) port (\d+))", &error));
  const std::string wide = "\xc3\xa9";
  std::vector<int> failures(4);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i) {
        const std::string user = fmt::format("u{}x{}", t, i);
        const std::string tails[] = {"", wide, "\xff", std::string(1000, 'y')};
        const std::string line =
            fmt::format("Failed password for {} from 10.0.0.1 port 22 {}", user, tails[i % 4]);
        for (const auto& pattern : patterns) {
          Match match;
          const bool good = pattern->Find(line, match) && match.capture_count == 3 &&
                            match.Capture(line, 0) == user && match.Capture(line, 2) == "22";
          failures[t] += good ? 0 : 1;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, std::vector<int>(4));
}

}  // namespace
}  // namespace ospatrol::pattern
