#include "analysisd/hostinfo_decoder.h"

#include <gtest/gtest.h>

#include <string>

#include "analysisd/memory_state.h"
#include "decoding.h"

namespace ospatrol::analysisd {
namespace {

class HostInfoTest : public testing::Test {
 protected:
  std::string Decode(std::string_view text) {
    Receive(event_, text, "/var/log/nmap", '3');
    return DecodeHostInfo(event_, state_, TestOptions()) ? std::string(event_.decoder_name) : "";
  }

  MemoryState state_;
  Event event_;
};

TEST_F(HostInfoTest, ReportsNewAndChangedHosts) {
  EXPECT_EQ(Decode("Host: 10.0.0.1 (a), open ports: 22(tcp)"), "hostinfo_new");
  EXPECT_EQ(event_.category, Category::kOssec);
  EXPECT_EQ(event_.log, "Host: 10.0.0.1 (a), open ports: 22(tcp)");
  EXPECT_EQ(Decode("Host: 10.0.0.1 (renamed), open ports: 22(tcp)"), "");
  EXPECT_EQ(Decode("Host: 10.0.0.1, open ports: 22(tcp) 80(tcp)"), "hostinfo_modified");
}

TEST_F(HostInfoTest, ReportsTheReturnToAnEarlierState) {
  Decode("Host: 10.0.0.1, open ports: 22(tcp)");
  Decode("Host: 10.0.0.1, open ports: 80(tcp)");
  EXPECT_EQ(Decode("Host: 10.0.0.1, open ports: 22(tcp)"), "hostinfo_modified");
}

TEST_F(HostInfoTest, ComparesWholeAddresses) {
  Decode("Host: 10.0.0.10, open ports: 22(tcp)");
  EXPECT_EQ(Decode("Host: 10.0.0.1, open ports: 22(tcp)"), "hostinfo_new");
}

TEST_F(HostInfoTest, RefusesOtherTexts) {
  for (const std::string_view text :
       {"", "Host: 10.0.0.1 open ports", "Hosts: 1, x", "Host: , x", "Host:  , x"}) {
    EXPECT_EQ(Decode(text), "") << text;
  }
}

}  // namespace
}  // namespace ospatrol::analysisd
