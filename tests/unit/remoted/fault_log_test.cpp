#include "remoted/fault_log.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "../temporary_directory.h"
#include "base/files.h"

namespace ospatrol::remoted {
namespace {

class FaultLogTest : public testing::Test {
 protected:
  FaultLogTest() { log::Configure("test", directory_ / "log", false); }
  ~FaultLogTest() override { log::Configure("test", {}, true); }

  std::string Log() { return base::ReadFileIfPresent(directory_ / "log").value_or(""); }
  int64_t Lines() {
    const std::string text = Log();
    return std::count(text.begin(), text.end(), '\n');
  }

  TemporaryDirectory directory_;
  FaultLog faults_;
};

TEST_F(FaultLogTest, WritesOneLineASourceAndFaultAndCountsTheRest) {
  for (int i = 0; i < 1000; ++i) {
    faults_.Write<msg::kPacketWrongKey>("10.0.0.1", "10.0.0.1");
    faults_.Write<msg::kPacketWrongKey>("10.0.0.2", "10.0.0.2");
    faults_.Write<msg::kPacketChecksum>("10.0.0.1", "10.0.0.1");
  }
  EXPECT_EQ(Lines(), 3);
  faults_.Tell(FaultLog::Clock::now());
  EXPECT_EQ(Lines(), 3);
  faults_.Tell(FaultLog::Clock::now() + FaultLog::kPause);
  EXPECT_EQ(Lines(), 6);
  EXPECT_NE(Log().find("999 more messages from '10.0.0.2' like the one before with number 1404"),
            std::string::npos);
}

TEST_F(FaultLogTest, ForgetsSourcesThatAreQuiet) {
  faults_.Write<msg::kPacketWrongKey>("10.0.0.1", "10.0.0.1");
  faults_.Tell(FaultLog::Clock::now() + FaultLog::kPause);
  EXPECT_EQ(Lines(), 1);
  faults_.Write<msg::kPacketWrongKey>("10.0.0.1", "10.0.0.1");
  EXPECT_EQ(Lines(), 2);
}

TEST_F(FaultLogTest, StaysBoundedHoweverManySourcesThereAre) {
  constexpr int kSources = 20'000;
  for (int i = 0; i < kSources; ++i) {
    const std::string source = std::to_string(i);
    faults_.Write<msg::kPacketWrongKey>(source, source);
  }
  EXPECT_EQ(Lines(), static_cast<int64_t>(FaultLog::kMaxSources));
  faults_.Tell(FaultLog::Clock::now() + FaultLog::kPause);
  EXPECT_EQ(Lines(), static_cast<int64_t>(FaultLog::kMaxSources) + 1);
  EXPECT_NE(Log().find(std::to_string(kSources - FaultLog::kMaxSources) +
                       " messages of further sources with the fault of number 1404"),
            std::string::npos);
}

}  // namespace
}  // namespace ospatrol::remoted
