#include "config/problems.h"

#include <gtest/gtest.h>

namespace ospatrol::config {
namespace {

TEST(Problem, IsOneLineWithPlaceCauseAndRemedy) {
  const Problem full{Problem::Kind::kError,
                     1230,
                     "etc/ospatrol.conf",
                     14,
                     "<alerts><log_alert_levl>: unknown option",
                     "did you mean 'log_alert_level'?"};
  EXPECT_EQ(full.Line(),
            "etc/ospatrol.conf:14: <alerts><log_alert_levl>: unknown option; did you mean "
            "'log_alert_level'?");
  const Problem whole_file{Problem::Kind::kError, 1239, "etc/ospatrol.conf", 0, "is missing", ""};
  EXPECT_EQ(whole_file.Line(), "etc/ospatrol.conf: is missing");
  const Problem no_file{Problem::Kind::kInfo, 0, "", 0, "text", ""};
  EXPECT_EQ(no_file.Line(), "text");
}

TEST(Problems, KeepTheOrderAndCountErrors) {
  Problems first;
  EXPECT_FALSE(first.HasErrors());
  first.Warning(1, "a", 1, "w");
  first.Info(2, "a", 2, "i");
  EXPECT_FALSE(first.HasErrors());
  Problems second;
  second.Error(3, "b", 3, "e", "r");
  first.Append(second);
  EXPECT_TRUE(first.HasErrors());
  EXPECT_EQ(first.error_count(), 1U);
  ASSERT_EQ(first.all().size(), 3U);
  EXPECT_EQ(first.all()[2].Line(), "b:3: e; r");
  EXPECT_EQ(first.all()[1].kind, Problem::Kind::kInfo);
}

TEST(Problems, WriteEachToTheLogWithLevelAndNumber) {
  Problems problems;
  problems.Error(1230, "f", 1, "wrong", "do this");
  problems.Warning(9051, "f", 2, "odd");
  ::testing::internal::CaptureStderr();
  problems.WriteToLog();
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("(1230): ERROR: f:1: wrong; do this\n"), std::string::npos) << log;
  EXPECT_NE(log.find("(9051): WARN: f:2: odd\n"), std::string::npos) << log;
}

}  // namespace
}  // namespace ospatrol::config
