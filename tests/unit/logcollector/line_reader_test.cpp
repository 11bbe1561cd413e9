#include "logcollector/line_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::logcollector {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::IsEmpty;

struct Event {
  std::string text;
  uint64_t end = 0;
  std::string state;
  bool operator==(const Event&) const = default;
};
void PrintTo(const Event& event, std::ostream* out) {
  *out << '"' << event.text << "\"@" << event.end << '/' << event.state;
}

void Take(LineReader& reader, std::vector<Event>& events) {
  Record record;
  while (reader.Next(record)) {
    events.push_back({std::string(record.text), record.end, std::string(record.state)});
  }
}

std::vector<Event> ReadPieces(const std::vector<std::string_view>& pieces) {
  LineReader reader;
  reader.Resume(0, {});
  std::vector<Event> events;
  for (const std::string_view piece : pieces) {
    reader.Append(piece);
    Take(reader, events);
  }
  return events;
}

std::vector<std::string> Texts(std::string_view bytes) {
  std::vector<std::string> texts;
  for (Event& event : ReadPieces({bytes})) texts.push_back(std::move(event.text));
  return texts;
}

std::string Utf16(std::u16string_view text, bool big) {
  std::string bytes;
  for (const char16_t unit : text) {
    const char high = static_cast<char>(unit >> 8);
    const char low = static_cast<char>(unit & 0xff);
    bytes += big ? high : low;
    bytes += big ? low : high;
  }
  return bytes;
}

struct Case {
  const char* what;
  std::string bytes;
  std::vector<std::string> texts;
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {"plain lines", "one\ntwo\n", {"one", "two"}},
      {"an incomplete line stays", "one\ntw", {"one"}},
      {"CRLF", "one\r\ntwo\r\r\n", {"one", "two"}},
      {"CR inside", "a\rb\r\n", {"a b"}},
      {"NUL", "a\0b\n\0c\n"s, {"a b", " c"}},
      {"empty lines", "\n\r\n\na\n\n", {"a"}},
      {"blanks are text", " \n", {" "}},
      {"UTF-8 mark", "\xef\xbb\xbfone\n\xef\xbb\xbftwo\n", {"one", "\xef\xbb\xbftwo"}},
      {"half a UTF-8 mark", "\xef\xbbone\n", {"\xef\xbbone"}},
      {"half a UTF-16 mark", "\xffone\n", {"\xffone"}},
      {"bytes that are no UTF-8", "caf\xe9\n", {"caf\xe9"}},
      {"UTF-16 little",
       Utf16(u"\ufeffone\r\n\u00e4\u20ac\U0001F600\n", false),
       {"one", "\u00e4\u20ac\U0001F600"}},
      {"UTF-16 big", Utf16(u"\ufeffone\r\ntwo\n", true), {"one", "two"}},
      {"UTF-16, lone surrogates", "\xff\xfe\x00\xd8\x61\x00\x00\xdc\x0a\x00"s, {"\ufffda\ufffd"}},
      {"exactly the limit", std::string(5887, 'x') + "\n", {std::string(5887, 'x')}},
      {"the limit with CRLF", std::string(5887, 'x') + "\r\nb\n", {std::string(5887, 'x'), "b"}},
      {"one too many", std::string(5888, 'x') + "\nb\n", {std::string(5887, 'x'), "b"}},
      {"far too many", std::string(200000, 'x') + "\nb\n", {std::string(5887, 'x'), "b"}},
      {"a hole", std::string(7000, '\0') + "after\nb\n", {"after", "b"}},
      {"a hole up to the line end", std::string(7000, '\0') + "\nb\n", {"b"}},
      {"a small hole is text", std::string(3, '\0') + "x\n", {"   x"}},
  };
  return cases;
}

TEST(LineReader, GivesOneEventForEachLine) {
  for (const Case& c : Cases()) EXPECT_EQ(Texts(c.bytes), c.texts) << c.what;
}

TEST(LineReader, GivesTheSameEventsWhereverTheBytesAreSplit) {
  for (const Case& c : Cases()) {
    const std::string_view bytes(c.bytes);
    const std::vector<Event> whole = ReadPieces({bytes});
    // Long inputs: only the places where something changes.
    for (size_t split = 0; split <= bytes.size(); ++split) {
      if (bytes.size() > 10000 && split > 10 && split < bytes.size() - 10 && split % 997 != 0 &&
          (split < 5880 || split > 5895)) {
        continue;
      }
      EXPECT_EQ(ReadPieces({bytes.substr(0, split), bytes.substr(split)}), whole)
          << c.what << ", split at " << split;
    }
  }
}

TEST(LineReader, GivesTheSameEventsByteByByte) {
  for (const Case& c : Cases()) {
    std::vector<std::string_view> pieces;
    for (size_t i = 0; i < c.bytes.size(); ++i) {
      pieces.push_back(std::string_view(c.bytes).substr(i, 1));
    }
    EXPECT_EQ(ReadPieces(pieces), ReadPieces({c.bytes})) << c.what;
  }
}

TEST(LineReader, GoesOnFromEachEventAsIfItHadNeverStopped) {
  for (const Case& c : Cases()) {
    const std::vector<Event> whole = ReadPieces({c.bytes});
    for (size_t i = 0; i < whole.size(); ++i) {
      LineReader reader;
      reader.Resume(whole[i].end, whole[i].state);
      reader.Append(std::string_view(c.bytes).substr(whole[i].end));
      std::vector<Event> rest;
      Take(reader, rest);
      EXPECT_EQ(rest,
                std::vector<Event>(whole.begin() + static_cast<ptrdiff_t>(i) + 1, whole.end()))
          << c.what << ", behind event " << i;
    }
  }
}

TEST(LineReader, SaysHowLongACutLineWas) {
  LineReader reader;
  reader.Resume(0, {});
  reader.Append(std::string(10000, 'x') + "\n");
  Record record;
  ASSERT_TRUE(reader.Next(record));
  EXPECT_TRUE(record.cut);
  EXPECT_EQ(record.whole_size, 10000u);
}

TEST(LineReader, CutsUtf16BetweenCharacters) {
  LineReader reader;
  reader.Resume(0, {});
  reader.Append(Utf16(u"\ufeff" + std::u16string(3000, u'\u20ac') + u"\n", false));
  Record record;
  ASSERT_TRUE(reader.Next(record));
  EXPECT_TRUE(record.cut);
  EXPECT_EQ(record.text.size(), 5886u);  // 1962 whole characters of three bytes
}

TEST(LineReader, FlushTakesAnIncompleteLineAsItIs) {
  LineReader reader;
  reader.Resume(0, {});
  std::vector<Event> events;
  reader.Append("one\ntw");
  Take(reader, events);
  ASSERT_TRUE(reader.HasPartial());
  reader.Flush();
  Take(reader, events);
  EXPECT_FALSE(reader.HasPartial());
  reader.Append("o\n");
  Take(reader, events);
  EXPECT_THAT(events, ElementsAre(Event{"one", 4, ""}, Event{"tw", 6, ""}, Event{"o", 8, ""}));
}

TEST(LineReader, SkipsTheRestOfALineThatWasCutByFlush) {
  LineReader reader;
  reader.Resume(0, {});
  std::vector<Event> events;
  reader.Append(std::string(6000, 'x'));
  Take(reader, events);
  reader.Flush();
  Take(reader, events);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].state, "s");
  reader.Append("still the same line\nnext\n");
  Take(reader, events);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].text, "next");

  LineReader restarted;
  restarted.Resume(events[0].end, events[0].state);
  restarted.Append("still the same line\nnext\n");
  std::vector<Event> again;
  Take(restarted, again);
  EXPECT_THAT(again, ElementsAre(events[1]));
}

TEST(LineReader, HasNothingToFlushInAHole) {
  LineReader reader;
  reader.Resume(0, {});
  std::vector<Event> events;
  reader.Append(std::string(9000, '\0'));
  Take(reader, events);
  EXPECT_FALSE(reader.HasPartial());
  reader.Append("text\n");
  Take(reader, events);
  EXPECT_THAT(events, ElementsAre(Event{"text", 9005, ""}));
}

TEST(LineReader, FlushLeavesHalfACharacterForLater) {
  LineReader reader;
  reader.Resume(0, {});
  std::vector<Event> events;
  const std::string bytes = Utf16(u"\ufeffab\n", false);
  reader.Append(std::string_view(bytes).substr(0, 5));
  Take(reader, events);
  reader.Flush();
  Take(reader, events);
  EXPECT_EQ(reader.consumed(), 4u);
  reader.Append(std::string_view(bytes).substr(5));
  Take(reader, events);
  EXPECT_THAT(events, ElementsAre(Event{"a", 4, "l"}, Event{"b", 8, "l"}));
}

TEST(LineReader, TheBoundaryPassesLinesWithoutEvents) {
  LineReader reader;
  reader.Resume(100, {});
  std::vector<Event> events;
  reader.Append("\n\r\nabc");
  Take(reader, events);
  EXPECT_THAT(events, IsEmpty());
  EXPECT_EQ(reader.boundary(), 103u);
  EXPECT_EQ(reader.consumed(), 106u);
}

TEST(LineReader, BeginsInsideAFileAtAWholeCharacter) {
  const LineReader reader;
  const std::string utf16 = "\xff\xfe"s + "a\0"s;
  EXPECT_EQ(reader.StartAt(0, utf16, false).state, "");
  EXPECT_EQ(reader.StartAt(7, utf16, false).offset, 6u);
  EXPECT_EQ(reader.StartAt(7, utf16, true).state, "ls");
  EXPECT_EQ(reader.StartAt(7, "plain", true).offset, 7u);
  EXPECT_EQ(reader.StartAt(7, "plain", true).state, "s");
}

}  // namespace
}  // namespace ospatrol::logcollector
