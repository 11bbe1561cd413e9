#include "pattern/literal_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace ospatrol::pattern {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::set<unsigned> Found(const LiteralScan& scan, std::string_view subject) {
  std::set<unsigned> found;
  EXPECT_TRUE(scan.Scan(subject, [&](unsigned text) { found.insert(text); }));
  return found;
}

// Without the library there is nothing to test: callers then do without a scan.
std::unique_ptr<const LiteralScan> Compile(const std::vector<std::string>& texts) {
  return LiteralScan::Compile(texts);
}

TEST(LiteralScan, FindsAllTextsInAnyCase) {
  const auto scan = Compile({"failed password", "root", "accepted"});
  if (scan == nullptr) GTEST_SKIP() << "no Vectorscan here";
  EXPECT_THAT(Found(*scan, "Failed Password for ROOT"), ElementsAre(0u, 1u));
  EXPECT_THAT(Found(*scan, "accepted"), ElementsAre(2u));
  EXPECT_THAT(Found(*scan, "nothing"), IsEmpty());
  EXPECT_THAT(Found(*scan, ""), IsEmpty());
}

TEST(LiteralScan, TakesBytesThatMeanSomethingInRegularExpressions) {
  const auto scan = Compile({"a.*b", "[x]", "(", std::string("n\0l", 3)});
  if (scan == nullptr) GTEST_SKIP() << "no Vectorscan here";
  EXPECT_THAT(Found(*scan, "axxb x ["), IsEmpty());
  EXPECT_THAT(Found(*scan, std::string_view("a.*b [x] ( n\0l", 14)), ElementsAre(0u, 1u, 2u, 3u));
}

TEST(LiteralScan, ServesSeveralDatabasesAndThreads) {
  const auto one = Compile({"one"});
  const auto two = Compile({"zero", "two"});
  if (one == nullptr) GTEST_SKIP() << "no Vectorscan here";
  const auto search = [&] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_THAT(Found(*one, "one two"), ElementsAre(0u));
      EXPECT_THAT(Found(*two, "one two"), ElementsAre(1u));
    }
  };
  std::thread other(search);
  search();
  other.join();
}

TEST(LiteralScan, IsNothingWithoutTexts) { EXPECT_EQ(Compile({}), nullptr); }

}  // namespace
}  // namespace ospatrol::pattern
