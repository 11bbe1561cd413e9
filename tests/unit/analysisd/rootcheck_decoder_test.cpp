#include "analysisd/rootcheck_decoder.h"

#include <gtest/gtest.h>

#include <string>

#include "analysisd/memory_state.h"
#include "decoding.h"

namespace ospatrol::analysisd {
namespace {

class RootcheckTest : public testing::Test {
 protected:
  bool Decode(std::string_view text, std::string_view location = "rootcheck") {
    Receive(event_, text, location, '9');
    return DecodeRootcheck(event_, state_, TestOptions());
  }

  MemoryState state_;
  Event event_;
};

TEST_F(RootcheckTest, FlagsTheFirstSightOfAFindingOfALocation) {
  EXPECT_TRUE(Decode("X"));
  EXPECT_TRUE(event_.first_seen);
  EXPECT_EQ(event_.decoder_name, "rootcheck");
  EXPECT_EQ(event_.category, Category::kOssec);
  EXPECT_TRUE(Decode("X"));
  EXPECT_FALSE(event_.first_seen);
  EXPECT_TRUE(Decode("X", "(a) 1.2.3.4->rootcheck"));
  EXPECT_TRUE(event_.first_seen);
  EXPECT_TRUE(Decode("X y"));
  EXPECT_TRUE(event_.first_seen);
}

TEST_F(RootcheckTest, ExtractsTheFileAndItsDigests) {
  const std::string md5(32, 'a'), sha1(40, 'B'), sha256(64, '1');
  Decode("Rootkit 'x' detected by the presence of file '/tmp/a b'. MD5=" + md5 + " SHA1=" + sha1 +
         " SHA256=" + sha256);
  EXPECT_EQ(FieldLine(event_), "filename=/tmp/a b");
  EXPECT_EQ(event_.file->md5_after, md5);
  EXPECT_EQ(event_.file->sha1_after, sha1);
  EXPECT_EQ(event_.file->sha256_after, sha256);
}

TEST_F(RootcheckTest, LeavesBrokenPartsUnset) {
  Decode("the file '/open MD5=abc SHA1=" + std::string(40, 'x'));
  EXPECT_EQ(FieldLine(event_), "");
  EXPECT_EQ(event_.file->md5_after, "");
  EXPECT_EQ(event_.file->sha1_after, "");
}

TEST_F(RootcheckTest, HasNoEventForAnEmptyText) { EXPECT_FALSE(Decode("")); }

}  // namespace
}  // namespace ospatrol::analysisd
