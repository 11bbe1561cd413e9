#include "logcollector/formats.h"

#include <gtest/gtest.h>

#include "logcollector/line_reader.h"

namespace ospatrol::logcollector {
namespace {

TEST(Formats, AllLineFormatsHaveTheLineReader) {
  for (const char* name : {"syslog", "generic", "snort-fast", "apache", "iis", "squid",
                           "syslog-pipe", "json", "SYSLOG"}) {
    const Format* format = FindFormat(name);
    ASSERT_NE(format, nullptr) << name;
    EXPECT_EQ(format->reader, "line");
    EXPECT_NE(dynamic_cast<LineReader*>(format->make({}).get()), nullptr);
  }
}

TEST(Formats, OthersAreNotThereYet) {
  for (const char* name : {"audit", "journald", "command", "multi-line:3", ""}) {
    EXPECT_EQ(FindFormat(name), nullptr) << name;
  }
  EXPECT_EQ(SupportedFormats(),
            "apache, generic, iis, json, snort-fast, squid, syslog, syslog-pipe");
}

}  // namespace
}  // namespace ospatrol::logcollector
