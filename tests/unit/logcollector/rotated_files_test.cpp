#include "logcollector/rotated_files.h"

#include <gtest/gtest.h>

namespace ospatrol::logcollector {
namespace {

TEST(RotatedFiles, KnowsTheNamesThatRotationGives) {
  for (const char* name : {"app.log.1", "app.log.12", "app.log-20260812", "app-20260812.log",
                           "app.log.2026-08-12_11", "app.log.old", "app.1.log"}) {
    EXPECT_TRUE(IsRotatedName("app.log", name)) << name;
  }
  for (const char* name : {"app.log", "app.log.1.gz", "app.logs", "app.log.conf", "app.log.1x",
                           "other.log.1", "app.log.", "app-x.log", "application.log", ""}) {
    EXPECT_FALSE(IsRotatedName("app.log", name)) << name;
  }
  EXPECT_TRUE(IsRotatedName("messages", "messages.1"));
  EXPECT_TRUE(IsRotatedName("messages", "messages-20260812"));
}

}  // namespace
}  // namespace ospatrol::logcollector
