#include "analysisd/first_seen.h"

#include <gtest/gtest.h>

#include <string>

#include "analysisd/memory_state.h"
#include "decoding.h"

namespace ospatrol::analysisd {
namespace {

class FirstSeenTest : public testing::Test {
 protected:
  FirstSeenTest() : first_seen_(TestOptions()) { decoder_.name = "dec"; }

  // An event of the decoder with these values.
  const Event& Make(std::string_view srcip, std::string_view user = {},
                    std::string_view location = "loc") {
    Receive(event_, "x", location);
    event_.decoder = &decoder_;
    event_.decoder_name = decoder_.name;
    event_.category = decoder_.category;
    event_.Set(Field::kSrcIp, srcip);
    if (IsSet(user)) event_.Set(Field::kDstUser, user);
    return event_;
  }

  Decoder decoder_;
  Event event_;
  MemoryState state_;
  FirstSeen first_seen_;
};

TEST_F(FirstSeenTest, JoinsTheSelectedValuesInAFixedOrder) {
  decoder_.fts = kFtsId | kFtsDstUser | kFtsSrcUser | kFtsSrcIp | kFtsDstIp | kFtsData |
                 kFtsSystemName | kFtsLocation;
  Make("1.1.1.1", "du");
  event_.Set(Field::kId, "i");
  event_.Set(Field::kSrcUser, "su");
  event_.Set(Field::kDstIp, "2.2.2.2");
  event_.Set(Field::kData, "d");
  event_.Set(Field::kSystemName, "s");
  EXPECT_EQ(FirstSeenLine(event_), "dec i du su 1.1.1.1 2.2.2.2 d s loc");
}

TEST_F(FirstSeenTest, LeavesUnselectedAndMissingValuesEmpty) {
  decoder_.fts = kFtsSrcIp | kFtsId;
  EXPECT_EQ(FirstSeenLine(Make("1.1.1.1", "bob")), "dec    1.1.1.1    ");
  decoder_.fts = kFtsName;
  EXPECT_EQ(FirstSeenLine(Make("1.1.1.1")), "dec        ");
}

TEST_F(FirstSeenTest, CutsTheLineAt255Bytes) {
  decoder_.fts = kFtsLocation;
  EXPECT_EQ(FirstSeenLine(Make("1", {}, std::string(400, 'l'))).size(), 255u);
}

TEST_F(FirstSeenTest, AnswersYesOnceForEachLine) {
  decoder_.fts = kFtsSrcIp;
  EXPECT_TRUE(first_seen_.Test(Make("1.1.1.1"), state_));
  EXPECT_FALSE(first_seen_.Test(event_, state_));
  EXPECT_FALSE(first_seen_.Test(Make("1.1.1.1", "other"), state_));
  EXPECT_TRUE(first_seen_.Test(Make("1.1.1.2"), state_));
}

TEST_F(FirstSeenTest, IsFalseWithoutFtsOrDecoder) {
  EXPECT_FALSE(first_seen_.Test(Make("1.1.1.1"), state_));
  event_.decoder = nullptr;
  EXPECT_FALSE(first_seen_.Test(event_, state_));
}

TEST_F(FirstSeenTest, GivesRootcheckItsOwnFlag) {
  Make("1");
  event_.decoder = &Builtin(BuiltinDecoder::kRootcheck);
  EXPECT_FALSE(first_seen_.Test(event_, state_));
  event_.first_seen = true;
  EXPECT_TRUE(first_seen_.Test(event_, state_));
  EXPECT_TRUE(first_seen_.Test(event_, state_));
}

TEST_F(FirstSeenTest, ReportsAFamilyOfSimilarIdsEventsOnceMore) {
  decoder_.fts = kFtsDstUser;
  decoder_.category = Category::kIds;
  // "dec  scan of port 1...": fourteen bytes are "dec  scan of p".
  EXPECT_TRUE(first_seen_.Test(Make("", "scan of port 1"), state_));
  EXPECT_TRUE(first_seen_.Test(Make("", "scan of port 2"), state_));
  EXPECT_TRUE(first_seen_.Test(Make("", "scan of port 3"), state_));
  EXPECT_TRUE(first_seen_.Test(Make("", "scan of port 4"), state_));  // the family
  EXPECT_TRUE(state_.KnowsFirstSeen("dec  scan of p"));
  for (int i = 5; i < 60; ++i) {
    EXPECT_FALSE(first_seen_.Test(Make("", "scan of port " + std::to_string(i)), state_));
  }
  EXPECT_FALSE(first_seen_.Test(Make("", "scan of port 1"), state_));
  EXPECT_TRUE(first_seen_.Test(Make("", "something else"), state_));
}

TEST_F(FirstSeenTest, DoesNotCutALineThatWasSeenBefore) {
  decoder_.fts = kFtsDstUser;
  decoder_.category = Category::kIds;
  for (const char* user : {"scan of port 1", "scan of port 2", "scan of port 3"}) {
    EXPECT_TRUE(first_seen_.Test(Make("", user), state_));
  }
  EXPECT_FALSE(first_seen_.Test(Make("", "scan of port 1"), state_));
  EXPECT_FALSE(state_.KnowsFirstSeen("dec  scan of p"));
}

TEST_F(FirstSeenTest, NeedsALongerPrefixThanTheLimit) {
  decoder_.fts = kFtsDstUser;
  decoder_.category = Category::kIds;
  // "dec  123456789" is exactly fourteen bytes.
  for (const char c : {'a', 'b', 'c', 'd', 'e'}) {
    EXPECT_TRUE(first_seen_.Test(Make("", std::string("123456789") + c), state_));
  }
}

TEST_F(FirstSeenTest, LooksAtRecentLinesOnly) {
  EngineOptions options = TestOptions();
  options.fts_list_size = 2;
  FirstSeen narrow(options);
  decoder_.fts = kFtsDstUser;
  decoder_.category = Category::kIds;
  for (int i = 0; i < 9; ++i) {
    EXPECT_TRUE(narrow.Test(Make("", "scan of port " + std::to_string(i)), state_));
  }
}

TEST_F(FirstSeenTest, ComparesSimilarityForIdsOnly) {
  decoder_.fts = kFtsDstUser;
  for (int i = 0; i < 9; ++i) {
    EXPECT_TRUE(first_seen_.Test(Make("", "scan of port " + std::to_string(i)), state_));
  }
}

}  // namespace
}  // namespace ospatrol::analysisd
