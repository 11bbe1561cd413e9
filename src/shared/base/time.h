// Wall time for records, monotonic time for intervals; local time without surprises in a chroot.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>

namespace ospatrol::base {

using Seconds = int64_t;  // since 1970-01-01 UTC

Seconds WallNow();
int64_t WallNowMilliseconds();
std::chrono::steady_clock::time_point MonotonicNow();

// Loads the time zone now, so that it works after chroot: TZ, else /etc/localtime, else `zone_file`.
void LoadTimeZone(const std::string& zone_file);

std::tm LocalTime(Seconds when);

// Jan..Dec, never localised. `month` is tm_mon, 0-11.
const char* MonthName(int month);

// "2026/08/12 16:55:11": lines of ospatrol.log.
std::string LogTime(Seconds when);

// "2026 Aug 12 16:55:11": alerts, archives.
std::string AlertTime(Seconds when);

}  // namespace ospatrol::base
