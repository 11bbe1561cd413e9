#include "execd/request.h"

#include <gmock/gmock.h>

namespace ospatrol::execd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Reason(std::string_view datagram) {
  std::string reason;
  EXPECT_FALSE(ParseRequest(datagram, reason)) << datagram;
  return reason;
}

Request Good(std::string_view datagram) {
  std::string reason;
  auto request = ParseRequest(datagram, reason);
  EXPECT_TRUE(request) << datagram << ": " << reason;
  return request.value_or(Request{"", {"", ""}});
}

TEST(Request, HasItsFieldsInOrder) {
  const Request request =
      Good("host-deny600 - 198.51.100.7 1715076672.41 5712 /var/log/auth.log -");
  EXPECT_EQ(request.name, "host-deny600");
  EXPECT_THAT(request.arguments,
              ElementsAre("-", "198.51.100.7", "1715076672.41", "5712", "/var/log/auth.log", "-"));
  EXPECT_EQ(request.location(), "/var/log/auth.log");
  EXPECT_EQ(request.file(), "-");
}

TEST(Request, TakesWhatTheToolsWrite) {
  const Request request = Good("restart-ossec0 - null (from_the_server) (no_rule_id)");
  EXPECT_EQ(request.ip(), "null");
  EXPECT_EQ(request.location(), "-");
  EXPECT_EQ(request.file(), "-");
}

TEST(Request, KeepsALocationOfSeveralWords) {
  const Request request =
      Good("firewall-drop600 - 2001:db8::7 1.2 5712 (web1) 10.0.0.5->/var/log/auth.log (null)");
  EXPECT_EQ(request.arguments.size(), 7U);
  EXPECT_EQ(request.file(), "(null)");
}

TEST(Request, EndsAtTheFirstNul) {
  EXPECT_EQ(Good(std::string_view("a0 - 192.0.2.1 1.1 5\0;rm", 24)).arguments.size(), 4U);
}

TEST(Request, LeavesOutArgumentsBehindTheLast) {
  std::string text = "a0 - 192.0.2.1 1.1 5";
  for (int i = 0; i < 60; ++i) text += " x";
  EXPECT_EQ(Good(text).arguments.size(), kMaxArguments);
}

TEST(Request, RefusesWhatAResponseMustNotActOn) {
  const std::pair<std::string_view, std::string_view> kRows[] = {
      {"", "expected a name"},
      {"a0", "expected a name"},
      {"a0 -", "expected a name"},
      {"a0 root 192.0.2.1", "no user"},
      {"a0 -f 192.0.2.1", "no user"},
      {"a0 $(id) 192.0.2.1", "no user"},
      {"a0 - 127.0.0.1", "no address"},
      {"a0 - 0.0.0.0", "no address"},
      {"a0 - 224.0.0.1", "no address"},
      {"a0 - 255.255.255.255", "no address"},
      {"a0 - ::1", "no address"},
      {"a0 - ::", "no address"},
      {"a0 - ff02::1", "no address"},
      {"a0 - ::ffff:127.0.0.1", "no address"},
      {"a0 - 192.0.2.0/24", "no address"},
      {"a0 - -j", "no address"},
      {"a0 - 192.0.2.1;id", "no address"},
      {"a0 - 192.0.2.1 `id` 5", "alert id"},
      {"a0 - 192.0.2.1 1.1 5x", "rule id"},
      {"a0 - 192.0.2.1\n1.1 5", "control"},
  };
  for (const auto& [datagram, reason] : kRows) {
    EXPECT_THAT(Reason(datagram), HasSubstr(std::string(reason))) << datagram;
  }
  EXPECT_THAT(Reason("a0 - 192.0.2.1 " + std::string(2000, '1')), HasSubstr("longer"));
}

}  // namespace
}  // namespace ospatrol::execd
