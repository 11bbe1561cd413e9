#include "alert/json_text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ospatrol::alert {
namespace {

// From a block of memory of its own, so that reading beyond it is seen.
std::string Json(const std::string& text) {
  const std::vector<char> exact(text.begin(), text.end());
  std::string out;
  AppendJsonString({exact.data(), exact.size()}, out);
  return out;
}

TEST(JsonString, EscapesWhatJsonDoesNotTake) {
  EXPECT_EQ(Json(""), "\"\"");
  EXPECT_EQ(Json("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(Json("\b\f\n\r\t\x1f"), R"("\b\f\n\r\t\u001f")");
  EXPECT_EQ(Json("caf\xC3\xA9 \xFF."), "\"caf\xC3\xA9 \xEF\xBF\xBD.\"");
}

// Text is copied in blocks of several sizes, the last of which overlap.
TEST(JsonString, FindsSpecialBytesWhereverTheyStand) {
  for (size_t size = 0; size <= 50; ++size) {
    std::string text(size, ' ');
    for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
    EXPECT_EQ(Json(text), '"' + text + '"');
    for (size_t first = 0; first < size; ++first) {
      for (size_t second = first; second < size; ++second) {
        std::string special = text;
        special[first] = special[second] = '"';
        std::string expected = special;
        expected.insert(second, 1, '\\');
        if (first != second) expected.insert(first, 1, '\\');
        ASSERT_EQ(Json(special), '"' + expected + '"') << size << ' ' << first << ' ' << second;
      }
    }
  }
}

TEST(JsonObject, PutsCommasBetweenMembers) {
  RecordText text;
  JsonObject object(text);
  object.String("name", "x");
  object.StringIfSet("unset", "");
  object.Number("count", uint64_t{18'446'744'073'709'551'615u});
  object.Number("level", -3);
  object.Key(std::string_view("any"));
  text.Append("[]");
  object.End();
  EXPECT_EQ(text.view(), R"({"name":"x","count":18446744073709551615,"level":-3,"any":[]})");
}

}  // namespace
}  // namespace ospatrol::alert
