#include "pattern/ip_list.h"

#include <gtest/gtest.h>

#include <string>

namespace ospatrol::pattern {
namespace {

IpList Make(const std::vector<std::string>& entries) {
  IpList list;
  for (const auto& entry : entries) {
    const auto network = IpNetwork::Parse(entry);
    EXPECT_TRUE(network) << entry;
    if (network) list.Add(*network);
  }
  return list;
}

TEST(IpAddress, TakesNumericAddressesOnly) {
  for (const char* good :
       {"10.0.0.1", "0.0.0.0", "255.255.255.255", "::", "::1", "FE80::AbCd", "::ffff:1.2.3.4",
        "1:2:3:4:5:6:7:8", "10.0.0.1/24", "fe80::1/64", "10.0.0.1/0"}) {
    EXPECT_TRUE(ParseAddress(good)) << good;
  }
  for (const char* bad : {"",
                          "10",
                          "10.1",
                          "10.0.0",
                          "10.0.0.",
                          "10.0.0.256",
                          "010.0.0.1",
                          "0x0a000001",
                          "10.0.0.1 ",
                          " 10.0.0.1",
                          "localhost",
                          "any",
                          "!10.0.0.1",
                          "10.0.0.1/",
                          "10.0.0.1/33",
                          "10.0.0.1/x",
                          "10.0.0.1/255.0.0.0",
                          "::1/129",
                          "fe80::1%eth0",
                          "1:2:3",
                          ":::",
                          "10.0.0.1/0024",
                          "1.2.3.4.5",
                          "10.0.0.1/-1",
                          "10.0.0.1/+8"}) {
    EXPECT_FALSE(ParseAddress(bad)) << bad;
  }
  EXPECT_FALSE(ParseAddress(std::string("10.0.0.1\0", 9)));
  EXPECT_FALSE(ParseAddress(std::string(5000, '1')));
}

TEST(IpAddress, MappedIpv6IsIpv4) {
  EXPECT_EQ(ParseAddress("10.0.0.1"), ParseAddress("::ffff:a00:1"));
}

TEST(IpNetwork, StoresIpv4LengthsBehindTheMappedPrefix) {
  EXPECT_EQ(IpNetwork::Parse("10.0.0.0/8")->prefix, 104);
  EXPECT_EQ(IpNetwork::Parse("::ffff:10.0.0.0/8")->prefix, 104);
  EXPECT_EQ(IpNetwork::Parse("::ffff:10.0.0.0/104")->prefix, 104);
  EXPECT_EQ(IpNetwork::Parse("10.0.0.0")->prefix, 128);
  EXPECT_EQ(IpNetwork::Parse("0.0.0.0/0")->prefix, 0);
  EXPECT_EQ(IpNetwork::Parse("any")->prefix, 0);
  EXPECT_EQ(IpNetwork::Parse("2001:db8::/20")->prefix, 20);
  EXPECT_TRUE(IpNetwork::Parse("!any")->negated);
}

TEST(IpNetwork, RefusesWhatIsNoEntry) {
  for (const char* bad : {"", "!", "!!10.0.0.1", "Any", "any/8", "10.0.0.0/33",
                          "10.0.0.0/255.0.0.0", "::/129", "host"}) {
    EXPECT_FALSE(IpNetwork::Parse(bad)) << bad;
  }
}

TEST(IpNetwork, ComparesPartsOfBytes) {
  const auto network = IpNetwork::Parse("192.168.1.64/26");
  EXPECT_TRUE(network->Contains(*ParseAddress("192.168.1.127")));
  EXPECT_FALSE(network->Contains(*ParseAddress("192.168.1.128")));
  EXPECT_FALSE(network->Contains(*ParseAddress("192.168.1.63")));
}

TEST(IpList, OfARuleTurnsNoHitIntoTheNegationOfItsLastEntry) {
  EXPECT_TRUE(Make({"10.0.0.0/8", "!10.1.1.1"}).MatchesRule("11.0.0.1"));
  EXPECT_FALSE(Make({"!10.1.1.1", "10.0.0.0/8"}).MatchesRule("11.0.0.1"));
  EXPECT_FALSE(Make({}).MatchesRule("11.0.0.1"));
  EXPECT_FALSE(Make({"!10.0.0.1"}).MatchesRule("(null)"));
}

TEST(IpList, OfTheConfigurationContainsTheRestOnlyWhenAllEntriesAreNegated) {
  EXPECT_FALSE(Make({"10.0.0.0/8", "!10.1.1.1"}).MatchesConfiguration("11.0.0.1"));
  EXPECT_TRUE(Make({"!10.1.1.1", "!10.1.1.2"}).MatchesConfiguration("11.0.0.1"));
  EXPECT_FALSE(Make({"!10.1.1.1", "!10.1.1.2"}).MatchesConfiguration("10.1.1.2"));
  EXPECT_TRUE(Make({"!10.1.1.1", "10.0.0.0/8"}).MatchesConfiguration("10.1.1.2"));
  EXPECT_FALSE(Make({"!10.1.1.1", "10.0.0.0/8"}).MatchesConfiguration("10.1.1.1"));
  EXPECT_FALSE(Make({}).MatchesConfiguration("11.0.0.1"));
  EXPECT_FALSE(Make({"!10.1.1.1"}).MatchesConfiguration("bogus"));
}

}  // namespace
}  // namespace ospatrol::pattern
