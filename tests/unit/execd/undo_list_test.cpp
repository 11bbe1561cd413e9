#include "execd/undo_list.h"

#include <gtest/gtest.h>

namespace ospatrol::execd {
namespace {

using std::chrono::seconds;

Request For(const std::string& user, const std::string& ip) {
  return {.name = "a5", .arguments = {user, ip, "1.1", "5"}};
}

TEST(UndoList, FindsTheSameScriptUserAndAddress) {
  UndoList list;
  const auto now = Undo::Clock::now();
  list.Add({"a.sh", For("-", "192.0.2.1"), now + seconds(5)});
  EXPECT_NE(list.Find("a.sh", For("-", "192.0.2.1")), nullptr);
  EXPECT_EQ(list.Find("b.sh", For("-", "192.0.2.1")), nullptr);
  EXPECT_EQ(list.Find("a.sh", For("ann", "192.0.2.1")), nullptr);
  EXPECT_EQ(list.Find("a.sh", For("-", "192.0.2.2")), nullptr);
}

TEST(UndoList, GivesWhatIsDueInTheOrderOfTime) {
  UndoList list;
  const auto now = Undo::Clock::now();
  list.Add({"a.sh", For("-", "192.0.2.1"), now + seconds(9)});
  list.Add({"b.sh", For("-", "192.0.2.1"), now + seconds(3)});
  EXPECT_EQ(list.NextDue(), now + seconds(3));
  EXPECT_FALSE(list.TakeDue(now + seconds(2)));
  EXPECT_EQ(list.TakeDue(now + seconds(9))->executable, "b.sh");
  EXPECT_EQ(list.TakeDue(now + seconds(9))->executable, "a.sh");
  EXPECT_FALSE(list.NextDue());
  EXPECT_FALSE(list.Take());
}

}  // namespace
}  // namespace ospatrol::execd
