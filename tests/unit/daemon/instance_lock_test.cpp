#include "daemon/instance_lock.h"

#include <gtest/gtest.h>

#include <fstream>

#include "../temporary_directory.h"
#include "base/error.h"

namespace ospatrol::daemon {
namespace {

class InstanceLock : public ::testing::Test {
 protected:
  InstanceLock() : home_(directory_.path()) {}

  TemporaryDirectory directory_;
  Home home_;
};

TEST_F(InstanceLock, RefusesASecondInstanceUntilTheFirstIsGone) {
  std::filesystem::create_directory(home_ / "bin");
  std::ofstream(home_ / "bin/ospatrol-analysisd") << "program";
  base::Fd first = LockInstance(home_, programs::kAnalysisd);
  ASSERT_TRUE(first.IsOpen());
  try {
    LockInstance(home_, programs::kAnalysisd);
    FAIL() << "a second instance got the lock";
  } catch (const Error& error) {
    EXPECT_EQ(error.id(), 9010);
    EXPECT_NE(std::string(error.what()).find(home_.prefix().native()), std::string::npos);
  }
  first.reset();
  EXPECT_TRUE(LockInstance(home_, programs::kAnalysisd).IsOpen());
}

TEST_F(InstanceLock, DoesNotLockAProgramThatIsNotInstalledThere) {
  EXPECT_FALSE(LockInstance(home_, programs::kAnalysisd).IsOpen());
}

}  // namespace
}  // namespace ospatrol::daemon
