#include "vectors.h"

#include <gtest/gtest.h>

#include <map>

#include "pattern/ip_list.h"
#include "pattern/pattern.h"
#include "pattern/schedule.h"

namespace ospatrol::pattern {
namespace {

struct Answer {
  std::string matched = "0";
  std::vector<std::string> captures;
  std::string end = "-";
};

Answer AskPattern(Language language, const VectorRow& row) {
  CompileError error;
  const auto pattern = Pattern::Compile(language, row.pattern, &error);
  if (pattern == nullptr) return {.matched = "E", .captures = {}, .end = "-"};
  Match match;
  const bool found = pattern->Find(row.input, match);
  EXPECT_EQ(pattern->Matches(row.input), found) << "Matches and Find differ in line " << row.line;
  const auto opposite = Pattern::Compile(language, row.pattern, &error, true);
  EXPECT_EQ(opposite->Matches(row.input), !found) << "negation, line " << row.line;
  if (!found) return {};
  Answer answer{.matched = "1", .captures = {}, .end = "-"};
  for (size_t i = 0; i < match.capture_count; ++i)
    answer.captures.emplace_back(match.Capture(row.input, i));
  if (row.end != "-") answer.end = std::to_string(match.end);
  return answer;
}

Answer AskIpList(const VectorRow& row) {
  IpList list;
  for (const auto entry : base::SplitWords(row.pattern, " ")) {
    const auto network = IpNetwork::Parse(entry);
    if (!network) return {.matched = "E", .captures = {}, .end = "-"};
    list.Add(*network);
  }
  return {.matched = list.MatchesRule(row.input) ? "1" : "0", .captures = {}, .end = "-"};
}

Answer AskTime(const VectorRow& row) {
  const auto range = TimeRange::Parse(row.pattern);
  if (!range) return {.matched = "E", .captures = {}, .end = "-"};
  const int minute = std::stoi(row.input.substr(0, 2)) * 60 + std::stoi(row.input.substr(3, 2));
  return {.matched = range->Contains(minute) ? "1" : "0", .captures = {}, .end = "-"};
}

Answer AskDay(const VectorRow& row) {
  const auto days = DaySet::Parse(row.pattern);
  if (!days) return {.matched = "E", .captures = {}, .end = "-"};
  return {.matched = days->Contains(std::stoi(row.input)) ? "1" : "0", .captures = {}, .end = "-"};
}

template <typename Ask>
void CheckKind(const std::string& kind, size_t count, Ask ask) {
  const auto rows = RowsOfKind(kind);
  EXPECT_EQ(rows.size(), count) << "rows of kind " << kind;
  for (const VectorRow& row : rows) {
    const Answer answer = ask(row);
    EXPECT_EQ(answer.matched, row.matched)
        << "line " << row.line << ": " << row.pattern << " on " << row.input;
    EXPECT_EQ(answer.captures, row.captures)
        << "line " << row.line << ": " << row.pattern << " on " << row.input;
    EXPECT_EQ(answer.end, row.end)
        << "line " << row.line << ": " << row.pattern << " on " << row.input;
  }
}

TEST(Vectors, OsMatchAnswersAsTheReference) {
  CheckKind("match", 102, [](const VectorRow& row) { return AskPattern(Language::kOsMatch, row); });
}

TEST(Vectors, WordMatchAnswersAsTheReference) {
  CheckKind("word", 28, [](const VectorRow& row) { return AskPattern(Language::kWord, row); });
}

TEST(Vectors, OsRegexAnswersAsTheReference) {
  CheckKind("regex", 312, [](const VectorRow& row) { return AskPattern(Language::kOsRegex, row); });
}

TEST(Vectors, Pcre2AnswersAsTheReference) {
  CheckKind("pcre2", 33, [](const VectorRow& row) { return AskPattern(Language::kPcre2, row); });
}

TEST(Vectors, IpListsAnswerAsTheReference) { CheckKind("ip", 62, AskIpList); }

TEST(Vectors, TimesAnswerAsTheReference) { CheckKind("time", 29, AskTime); }

TEST(Vectors, DaysAnswerAsTheReference) { CheckKind("day", 16, AskDay); }

TEST(Vectors, EveryRowOfTheFileIsReadAndOursReplaceThirteen) {
  EXPECT_EQ(ReadVectors("regex-vectors.tsv").size(), 684U);
  const auto reference = ReadVectors("regex-vectors.tsv");
  std::map<std::string, size_t> replaced;
  for (const VectorRow& own : ReadVectors("regex-vectors-ours.tsv")) {
    for (const VectorRow& row : reference) {
      if (own.kind != row.kind || own.pattern != row.pattern || own.input != row.input) continue;
      EXPECT_NE(own.matched, row.matched) << "needless row: " << own.pattern << " on " << own.input;
      ++replaced[own.kind];
    }
  }
  EXPECT_EQ(replaced, (std::map<std::string, size_t>{{"ip", 7}, {"time", 5}, {"day", 1}}));
}

}  // namespace
}  // namespace ospatrol::pattern
