#include "base/digest.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace ospatrol::base {
namespace {

// Test vectors of RFC 1321 and FIPS 180.
TEST(Digest, MatchesThePublishedVectors) {
  EXPECT_EQ(Md5Hex(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(Md5Hex("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(Sha1Hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, HexCoversAllBytes) {
  EXPECT_EQ(ToHex(std::string_view("\x00\x7f\x80\xff", 4)), "007f80ff");
  EXPECT_EQ(ToHex(""), "");
}

TEST(Random, GivesAsManyBytesAsAskedFor) {
  EXPECT_EQ(RandomBytes(0).size(), 0U);
  EXPECT_EQ(RandomBytes(1000).size(), 1000U);
  EXPECT_NE(RandomBytes(16), RandomBytes(16));
}

TEST(Hex, IsReadBackInEitherCase) {
  EXPECT_EQ(FromHex("00ffAb"), std::string("\0\xff\xab", 3));
  EXPECT_EQ(FromHex(""), "");
  for (const char* wrong : {"0", "0g", "-1", "0x11", " 1"}) EXPECT_FALSE(FromHex(wrong)) << wrong;
}

}  // namespace
}  // namespace ospatrol::base
