#include "base/time.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

namespace ospatrol::base {

Seconds WallNow() { return std::time(nullptr); }

int64_t WallNowMilliseconds() {
  using std::chrono::system_clock;
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             system_clock::now().time_since_epoch())
      .count();
}

std::chrono::steady_clock::time_point MonotonicNow() { return std::chrono::steady_clock::now(); }

// Without TZ, glibc looks at /etc/localtime again whenever something calls mktime or strftime, and
// would find another file, or none, in a chroot. With TZ it reads the file once and again only when
// the variable's text changes.
void LoadTimeZone(const std::string& zone_file) {
  constexpr const char* kSystemZone = "/etc/localtime";
  if (std::getenv("TZ") == nullptr) {
    const bool system = access(kSystemZone, R_OK) == 0;
    const std::string file = system ? kSystemZone : zone_file;
    setenv("TZ", (":" + file).c_str(), 0);
  }
  tzset();
}

std::tm LocalTime(Seconds when) {
  const std::time_t time = when;
  std::tm local{};
  localtime_r(&time, &local);
  return local;
}

const char* MonthName(int month) {
  static constexpr const char* kNames[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return month >= 0 && month < 12 ? kNames[month] : "???";
}

std::string LogTime(Seconds when) {
  const std::tm local = LocalTime(when);
  return fmt::format("{}/{:02}/{:02} {:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

std::string AlertTime(Seconds when) {
  const std::tm local = LocalTime(when);
  return fmt::format("{} {} {:02} {:02}:{:02}:{:02}", local.tm_year + 1900, MonthName(local.tm_mon),
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

}  // namespace ospatrol::base
