#include "base/time.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../temporary_directory.h"
#include "base/files.h"

namespace ospatrol::base {
namespace {

constexpr Seconds kAugust12 = 1786553711;  // 2026-08-12 16:55:11 UTC
constexpr Seconds kJanuary2 = 1767326405;  // 2026-01-02 04:00:05 UTC

// The zone belongs to the process: every test that sets it runs in a child, which exits 0 on
// success.
template <typename Body>
void InAChild(Body body) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(body() ? 0 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Time, WritesTheTwoFormsOfRecords) {
  InAChild([] {
    setenv("TZ", "UTC", 1);
    LoadTimeZone("");
    return LogTime(kAugust12) == "2026/08/12 16:55:11" &&
           LogTime(kJanuary2) == "2026/01/02 04:00:05" &&
           AlertTime(kAugust12) == "2026 Aug 12 16:55:11" &&
           AlertTime(kJanuary2) == "2026 Jan 02 04:00:05";
  });
}

TEST(Time, FollowsTheVariableTz) {
  InAChild([] {
    setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
    LoadTimeZone("");
    return LogTime(kAugust12) == "2026/08/12 12:55:11" &&
           LogTime(kJanuary2) == "2026/01/01 23:00:05";
  });
}

// What mktime and strftime do inside: they look at the zone file again when TZ is not set.
TEST(Time, KeepsTheZoneInAnEmptyRootDirectory) {
  if (geteuid() != 0) GTEST_SKIP() << "chroot needs root";
  const TemporaryDirectory empty;
  InAChild([&] {
    unsetenv("TZ");
    LoadTimeZone("");
    const std::string before = LogTime(kAugust12);
    if (chroot(empty.path().c_str()) != 0 || chdir("/") != 0) return false;
    std::tm local = LocalTime(kAugust12);
    mktime(&local);
    return LogTime(kAugust12) == before;
  });
}

TEST(Time, TakesTheGivenZoneFileWhenTheSystemHasNone) {
  if (geteuid() != 0) GTEST_SKIP() << "chroot needs root";
  if (access("/usr/share/zoneinfo/Asia/Tokyo", R_OK) != 0) GTEST_SKIP() << "no zone data here";
  const TemporaryDirectory root;
  WriteFileAtomically(root / "zone", ReadFile("/usr/share/zoneinfo/Asia/Tokyo"), 0644);
  InAChild([&] {
    unsetenv("TZ");
    if (chroot(root.path().c_str()) != 0 || chdir("/") != 0) return false;
    LoadTimeZone("/zone");
    return LogTime(kAugust12) == "2026/08/13 01:55:11";
  });
}

TEST(Time, NamesMonthsInEnglishAndSurvivesNonsense) {
  EXPECT_STREQ(MonthName(0), "Jan");
  EXPECT_STREQ(MonthName(11), "Dec");
  EXPECT_STREQ(MonthName(12), "???");
  EXPECT_STREQ(MonthName(-1), "???");
}

TEST(Time, ClocksAgreeWithEachOther) {
  const Seconds before = WallNow();
  const int64_t milliseconds = WallNowMilliseconds();
  EXPECT_GE(milliseconds / 1000, before);
  const auto earlier = MonotonicNow();
  EXPECT_LE(earlier, MonotonicNow());
}

}  // namespace
}  // namespace ospatrol::base
