#include "analysisd/accumulate.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "decoding.h"

namespace ospatrol::analysisd {
namespace {

class AccumulatorTest : public testing::Test {
 protected:
  AccumulatorTest() {
    decoder_.name = "ldap";
    decoder_.accumulate = true;
  }

  // Fields after an event at `time` went through; "-" = it was not for the accumulator.
  std::string Apply(base::Seconds time, std::vector<std::pair<Field, std::string_view>> fields,
                    std::string_view location = "l") {
    Receive(event_, "x", location, '1', time);
    event_.decoder = &decoder_;
    event_.decoder_name = decoder_.name;
    for (const auto& [field, value] : fields) event_.Set(field, value);
    return accumulator_.Apply(event_) ? FieldLine(event_) : "-";
  }

  Decoder decoder_;
  Event event_;
  Accumulator accumulator_;
  std::deque<std::string> ids_;  // texts that events look into
};

TEST_F(AccumulatorTest, FillsGapsFromEarlierEventsOfTheSameId) {
  EXPECT_EQ(Apply(1000, {{Field::kId, "7"}, {Field::kSrcIp, "1.1.1.1"}}), "srcip=1.1.1.1 id=7");
  EXPECT_EQ(Apply(1010, {{Field::kId, "7"}, {Field::kDstUser, "bob"}}),
            "dstuser=bob srcip=1.1.1.1 id=7");
  EXPECT_EQ(Apply(1020, {{Field::kId, "7"}, {Field::kDstUser, ""}}),
            "dstuser=bob srcip=1.1.1.1 id=7");
  EXPECT_EQ(Apply(1030, {{Field::kId, "8"}}), "id=8");
}

TEST_F(AccumulatorTest, RemembersSevenFieldsAndNoOther) {
  Apply(1000, {{Field::kId, "7"},
               {Field::kDstUser, "a"},
               {Field::kSrcUser, "b"},
               {Field::kDstIp, "c"},
               {Field::kSrcIp, "d"},
               {Field::kDstPort, "e"},
               {Field::kSrcPort, "f"},
               {Field::kData, "g"},
               {Field::kUrl, "h"},
               {Field::kStatus, "i"}});
  EXPECT_EQ(Apply(1001, {{Field::kId, "7"}}),
            "srcuser=b dstuser=a srcip=d dstip=c srcport=f dstport=e id=7 data=g");
}

TEST_F(AccumulatorTest, KeepsTheEventsOwnValuesAndTheFirstStoredOnes) {
  Apply(1000, {{Field::kId, "7"}, {Field::kSrcIp, "first"}});
  EXPECT_EQ(Apply(1001, {{Field::kId, "7"}, {Field::kSrcIp, "second"}}), "srcip=second id=7");
  EXPECT_EQ(Apply(1002, {{Field::kId, "7"}}), "srcip=first id=7");
}

TEST_F(AccumulatorTest, ForgetsAfter120SecondsWithoutAnEvent) {
  Apply(1000, {{Field::kId, "7"}, {Field::kSrcIp, "x"}});
  EXPECT_EQ(Apply(1119, {{Field::kId, "7"}}), "srcip=x id=7");
  EXPECT_EQ(Apply(1238, {{Field::kId, "7"}}), "srcip=x id=7");
  EXPECT_EQ(Apply(1358, {{Field::kId, "7"}}), "id=7");
}

TEST_F(AccumulatorTest, SeparatesHostsAndDecoders) {
  Apply(1000, {{Field::kId, "7"}, {Field::kSrcIp, "x"}}, "(a) 1->l");
  EXPECT_EQ(Apply(1001, {{Field::kId, "7"}}, "(b) 1->l"), "id=7");
  decoder_.name = "other";
  EXPECT_EQ(Apply(1001, {{Field::kId, "7"}}, "(a) 1->l"), "id=7");
}

TEST_F(AccumulatorTest, NeedsAnIdAndADecoderThatAccumulates) {
  EXPECT_EQ(Apply(1000, {{Field::kSrcIp, "x"}}), "-");
  EXPECT_EQ(Apply(1000, {{Field::kId, ids_.emplace_back(300, 'i')}}), "-");
  decoder_.accumulate = false;
  EXPECT_EQ(Apply(1000, {{Field::kId, "7"}}), "-");
  event_.decoder = nullptr;
  EXPECT_FALSE(accumulator_.Apply(event_));
}

TEST_F(AccumulatorTest, DoesNotStoreLongValues) {
  Apply(1000, {{Field::kId, "7"},
               {Field::kSrcIp, std::string_view("x")},
               {Field::kData, ids_.emplace_back(81, 'd')}});
  EXPECT_EQ(Apply(1001, {{Field::kId, "7"}}), "srcip=x id=7");
}

TEST_F(AccumulatorTest, SweepsByCountAndByTime) {
  for (int i = 0; i < 199; ++i) Apply(1000, {{Field::kId, ids_.emplace_back(std::to_string(i))}});
  EXPECT_EQ(accumulator_.size(), 199u);
  Apply(1301, {{Field::kId, "late"}});
  EXPECT_EQ(accumulator_.size(), 1u);
  for (int i = 0; i < 150; ++i) Apply(1302, {{Field::kId, ids_.emplace_back(std::to_string(i))}});
  for (int i = 0; i < 60; ++i) Apply(1430, {{Field::kId, "one"}});
  EXPECT_EQ(accumulator_.size(), 1u);
}

}  // namespace
}  // namespace ospatrol::analysisd
