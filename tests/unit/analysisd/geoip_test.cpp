#include "analysisd/geoip.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "../temporary_directory.h"
#include "base/text.h"
#include "config/configuration.h"
#include "decoding.h"

namespace ospatrol::analysisd {
namespace {

constexpr std::string_view kWriter = R"(
use strict; use warnings; use MaxMind::DB::Writer::Tree;
my %types = (country => 'map', iso_code => 'utf8_string', subdivisions => ['array', 'map'],
             names => 'map', en => 'utf8_string');
my $tree = MaxMind::DB::Writer::Tree->new(ip_version => 6, record_size => 24, database_type => 'Test',
  languages => ['en'], description => {en => 'test'}, remove_reserved_networks => 0,
  map_key_type_callback => sub { $types{$_[0]} });
$tree->insert_network('198.51.100.0/24',
  {country => {iso_code => 'FR'}, subdivisions => [{names => {en => 'Brittany'}}]});
$tree->insert_network('2001:db8::/32', {country => {iso_code => 'DE'}});
$tree->insert_network('203.0.113.0/24', {subdivisions => [{names => {en => 'Nowhere'}}]});
open my $out, '>:raw', $ARGV[0] or die; $tree->write_tree($out); close $out;
)";

class GeoIpTest : public testing::Test {
 protected:
  // A small database, or a skipped test.
  void SetUp() override {
#ifndef OSPATROL_HAVE_GEOIP
    GTEST_SKIP() << "built without libmaxminddb";
#endif
    if (std::system("perl -MMaxMind::DB::Writer::Tree -e 1 2>/dev/null") != 0) {
      GTEST_SKIP() << "needs perl with MaxMind::DB::Writer (libmaxmind-db-writer-perl)";
    }
    std::ofstream(directory_.path() / "write.pl") << kWriter;
    database_ = directory_.path() / "test.mmdb";
    const std::string command =
        "perl '" + (directory_.path() / "write.pl").string() + "' '" + database_.string() + "'";
    ASSERT_EQ(std::system(command.c_str()), 0);
  }

  TemporaryDirectory directory_;
  std::filesystem::path database_;
};

TEST_F(GeoIpTest, NamesCountryAndRegion) {
  std::string error;
  const auto geoip = GeoIp::Open(database_, &error);
  ASSERT_NE(geoip, nullptr) << error;
  EXPECT_EQ(geoip->Lookup("198.51.100.7"), "FR / Brittany");
  EXPECT_EQ(geoip->Lookup("2001:db8::1"), "DE");
  EXPECT_EQ(geoip->Lookup("203.0.113.1"), "");
  EXPECT_EQ(geoip->Lookup("192.0.2.1"), "");
  EXPECT_EQ(geoip->Lookup("localhost"), "");
  EXPECT_EQ(geoip->Lookup(""), "");
  EXPECT_EQ(geoip->Lookup(std::string(100, '1')), "");
}

TEST_F(GeoIpTest, IsKeptByAReloadThatCannotSeeTheFileAnyMore) {
  std::string error;
  auto geoip = GeoIp::Open(database_, &error);
  ASSERT_NE(geoip, nullptr) << error;
  std::filesystem::remove(database_);
  const auto again = GeoIp::Open(database_, &error);
  EXPECT_EQ(again, geoip);
  geoip.reset();
  EXPECT_EQ(again->Lookup("2001:db8::1"), "DE");
}

TEST_F(GeoIpTest, AddsPlacesToDecodedAddresses) {
  std::filesystem::create_directories(directory_.path() / "etc");
  std::ofstream(directory_.path() / "etc/decoder.xml")
      << "<decoder name=\"d\"><prematch>^from</prematch><regex>from (\\S+) to (\\S+)</regex>"
         "<order>srcip,dstip</order></decoder>";
  config::Configuration configuration;
  configuration.global.geoipdb = "test.mmdb";
  config::Problems problems;
  const auto set = LoadDecoders(Home(directory_.path()), configuration, TestOptions(), problems);
  ASSERT_FALSE(problems.HasErrors()) << ProblemText(problems);
  ASSERT_NE(set->geoip(), nullptr);
  Event event;
  Receive(event, "from 198.51.100.7 to 192.0.2.1");
  set->Decode(event);
  EXPECT_EQ(FieldLine(event), "srcip=198.51.100.7 dstip=192.0.2.1 srcgeoip=FR / Brittany");
}

TEST(GeoIp, SaysWhyAFileCannotBeUsed) {
  std::string error;
  EXPECT_EQ(GeoIp::Open("/nonexistent.mmdb", &error), nullptr);
  EXPECT_NE(error, "");
}

}  // namespace
}  // namespace ospatrol::analysisd
