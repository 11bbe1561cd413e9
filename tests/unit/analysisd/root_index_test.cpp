#include "analysisd/root_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "analysisd/decoder.h"

namespace ospatrol::analysisd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RootIndexTest : public testing::Test {
 protected:
  void Build(const std::vector<std::string>& patterns) {
    decoders_ = std::vector<Decoder>(patterns.size());
    for (size_t i = 0; i < patterns.size(); ++i) {
      decoders_[i].id = static_cast<int>(i);
      index_.Add(decoders_[i], pattern::BeginningsOf(pattern::Language::kPcre2, patterns[i]));
    }
    index_.Build();
  }

  std::vector<int> Fitting(std::string_view subject) {
    std::vector<int> ids;
    index_.ForEach(subject, [&](const Decoder& root) {
      ids.push_back(root.id);
      return false;
    });
    return ids;
  }

  std::vector<Decoder> decoders_;
  RootIndex index_;
};

TEST_F(RootIndexTest, GivesWhatCanFitInTheOrderOfLoading) {
  Build({"^abc", "anything", "^ab?x|^a.c", "^\\d+ "});
  EXPECT_THAT(Fitting("abc"), ElementsAre(0, 1, 2));
  EXPECT_THAT(Fitting("12 x"), ElementsAre(1, 3));
  EXPECT_THAT(Fitting(""), ElementsAre(1));
}

TEST_F(RootIndexTest, GivesARootOnceHoweverManyAlternativesFit) {
  Build({"^abc|^ab|^a", "^a"});
  EXPECT_THAT(Fitting("abc"), ElementsAre(0, 1));
}

TEST_F(RootIndexTest, StopsWhenTold) {
  Build({"^a", "^a"});
  int seen = 0;
  index_.ForEach("a", [&](const Decoder&) { return ++seen == 1; });
  EXPECT_EQ(seen, 1);
}

TEST_F(RootIndexTest, HasRoomForHundreds) {
  std::vector<std::string> patterns;
  for (int i = 100; i < 400; ++i) patterns.push_back("^p" + std::to_string(i) + ":");
  Build(patterns);
  EXPECT_THAT(Fitting("p100: x"), ElementsAre(0));
  EXPECT_THAT(Fitting("p399: x"), ElementsAre(299));
  EXPECT_THAT(Fitting("p400: x"), IsEmpty());
}

TEST_F(RootIndexTest, OfNoRootsGivesNone) {
  Build({});
  EXPECT_THAT(Fitting("x"), IsEmpty());
}

}  // namespace
}  // namespace ospatrol::analysisd
