// Alerts whose records stand in tests/data/alert. Their times are those of a zone without summer
// time.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include "alert/alert.h"

namespace ospatrol::alert {

// 1715076672 is 10:11:12 there.
inline void UseSampleZone() {
  ::setenv("TZ", "XXX-00:00", 1);
  ::tzset();
}

// What every alert has; `number` is the one of its day.
inline Alert Begin(int64_t time, int number, int rule, int level, std::string_view comment,
                   std::string_view group) {
  Alert alert;
  alert.id = std::to_string(time) + "." + std::to_string(number);
  alert.time = time;
  alert.rule.id = rule;
  alert.rule.level = level;
  alert.rule.comment = comment;
  alert.rule.group = group;
  return alert;
}

inline Alert BruteForce() {
  Alert alert =
      Begin(1715076672, 41, 5712, 10, "SSHD brute force trying to get access to the system.",
            "syslog,sshd,authentication_failures,");
  alert.mail = true;
  alert.rule.frequency = 8;
  alert.rule.fired_times = 1;
  alert.decoder.name = alert.decoder.parent = "sshd";
  alert.location = "/var/log/auth.log";
  alert.hostname = "gw1";
  alert.program_name = "sshd";
  alert.srcip = "198.51.100.7";
  alert.srcport = "40022";
  alert.dstuser = "root";
  alert.full_log =
      "May  7 10:11:11 gw1 sshd[811]: Failed password for root from 198.51.100.7 port 40022 ssh2";
  alert.last_events = {
      "May  7 10:11:10 gw1 sshd[811]: Failed password for root from 198.51.100.7 port 40021 ssh2"};
  return alert;
}

inline Alert ChangedFile() {
  Alert alert = Begin(1715076700, 42, 550, 7, "Integrity checksum changed.", "ossec,syscheck,");
  alert.decoder.name = "syscheck_integrity_changed";
  alert.location = alert.hostname = "(web1) 10.0.0.5->syscheck";
  alert.full_log =
      "Integrity checksum changed for: '/etc/hosts'\nSize changed from '100' to '120'\n";
  alert.file.path = "/etc/hosts";
  return alert;
}

inline Alert LinkDown() {
  Alert alert =
      Begin(1715076711, 43, 1002, 2, "Unknown problem somewhere in the system.", "syslog,errors,");
  alert.location = "203.0.113.9";
  alert.hostname = "fw1";
  alert.full_log = "May  7 10:11:50 fw1 kernel: error: link down";
  return alert;
}

}  // namespace ospatrol::alert
