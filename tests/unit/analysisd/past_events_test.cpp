#include "analysisd/past_events.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "analysisd/ring_table.h"

namespace ospatrol::analysisd {
namespace {

TEST(PastEvents, KeepWhatTheyAreGiven) {
  BlockPool pool;
  PastEvents events(pool);
  Ring first, second;
  const std::array<Ring*, 2> rings{&first, &second};
  std::string text = "Feb  9 11:44:56 h k: x";
  std::string url = "/a";
  const std::array<PastValue, 3> values{PastValue{7, url}, PastValue{0, ""}, PastValue{3, "host"}};
  const Past& past = events.Add({.time = 1000,
                                 .sequence = 42,
                                 .rule = nullptr,
                                 .category = Category::kWebLog,
                                 .mark = 9999,
                                 .full_log = text},
                                values, rings);
  text.assign(text.size(), '?');
  url.assign(url.size(), '?');
  EXPECT_EQ(past.time(), 1000);
  EXPECT_EQ(past.sequence(), 42u);
  EXPECT_EQ(past.category(), Category::kWebLog);
  EXPECT_EQ(past.mark, 9999);
  EXPECT_EQ(past.full_log(), "Feb  9 11:44:56 h k: x");
  EXPECT_EQ(past.rings_left, 2);
  EXPECT_TRUE(std::equal(rings.begin(), rings.end(), past.rings().begin(), past.rings().end()));
  EXPECT_EQ(past.Value(7), "/a");
  EXPECT_EQ(past.Value(3), "host");
  EXPECT_EQ(past.Value(0), "");
  EXPECT_TRUE(IsSet(past.Value(0)));
  EXPECT_FALSE(IsSet(past.Value(1)));
}

TEST(PastEvents, StayInOrderWhicheverGoes) {
  BlockPool pool;
  PastEvents events(pool);
  std::vector<Past*> added;
  for (uint64_t sequence = 1; sequence <= 6; ++sequence) {
    added.push_back(&events.Add({.sequence = sequence, .full_log = "x"}, {}, {}));
  }
  const auto order = [&] {
    std::string text;
    for (const Past* past = events.oldest(); past != nullptr; past = past->newer()) {
      text += std::to_string(past->sequence());
    }
    return text;
  };
  EXPECT_EQ(order(), "123456");
  for (const auto& [index, wanted] : {std::pair{2, "12456"}, {0, "2456"}, {5, "245"}, {3, "25"}}) {
    events.Remove(*added[static_cast<size_t>(index)]);
    EXPECT_EQ(order(), wanted);
  }
  EXPECT_EQ(events.size(), 2u);
}

TEST(PastEvents, TakeLongTextsAsWell) {
  BlockPool pool;
  PastEvents events(pool);
  const std::string text(70'000, 't');
  Past& past = events.Add({.sequence = 1, .full_log = text}, {}, {});
  EXPECT_EQ(past.full_log(), text);
  events.Remove(past);
  EXPECT_EQ(pool.bytes(), 0u);
  EXPECT_EQ(events.oldest(), nullptr);
}

}  // namespace
}  // namespace ospatrol::analysisd
