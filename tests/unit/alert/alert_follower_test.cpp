#include "alert/alert_follower.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <map>
#include <set>

#include "base/error.h"
#include "follower_fixture.h"

namespace ospatrol::alert {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Source = AlertFollower::Source;

// What holds for every form of the alert log.
class AlertFollowing : public FollowerFixture, public ::testing::WithParamInterface<Source> {
 protected:
  Source source() const override { return GetParam(); }

  // A consumer starts, takes these records as they come, and ends.
  void ComeAndAreTaken(int first, int last) const {
    AlertFollower follower = Started();
    Append(kMay7, Records(first, last));
    EXPECT_EQ(Drain(follower), Ids(first, last));
  }
};

INSTANTIATE_TEST_SUITE_P(Forms, AlertFollowing,
                         ::testing::Values(Source::kText, Source::kSpool, Source::kJson),
                         [](const auto& form) {
                           return form.param == Source::kText    ? "Text"
                                  : form.param == Source::kSpool ? "Spool"
                                                                 : "Json";
                         });

TEST_P(AlertFollowing, BeginsAtTheEndWithoutACursorAndWritesOneAtOnce) {
  Append(kMay7, Records(1, 3));
  AlertFollower follower = Started();
  EXPECT_EQ(StoredCursor(), "v1 2024-05-07 " + Id(3) + " " + std::to_string(Size(kMay7)) + "\n");
  EXPECT_THAT(Drain(follower), IsEmpty());
  Append(kMay7, Records(4, 5));
  EXPECT_EQ(Drain(follower), Ids(4, 5));
}

TEST_P(AlertFollowing, BeginsBeforeARecordThatIsJustBeingWritten) {
  const std::string record = Record(4);
  Append(kMay7, Records(1, 3) + record.substr(0, record.size() / 2));
  AlertFollower follower = Started();
  Append(kMay7, record.substr(record.size() / 2));
  EXPECT_EQ(Drain(follower), Ids(4, 4));
}

TEST_P(AlertFollowing, GivesTheBytesOfTheRecord) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Record(1));
  const auto found = follower.Next(kNoon);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->record, Record(1));
  EXPECT_EQ(found->after, (Cursor{kMay7, Id(1), Record(1).size()}));
  EXPECT_EQ(found->alert.time, kNoon);
}

TEST_P(AlertFollowing, GoesOnAfterARestartWhereItConfirmed) {
  Append(kMay7, Records(1, 2));
  {
    AlertFollower follower = Started();
    Append(kMay7, Records(3, 9));
    for (int number = 3; number <= 5; ++number) {
      const auto found = follower.Next(kNoon);
      ASSERT_TRUE(found);
      ASSERT_TRUE(follower.Confirm(found->after));
    }
    // Read, not confirmed: handed over or not, nobody knows.
    ASSERT_TRUE(follower.Next(kNoon));
  }
  Append(kMay7, Records(10, 12));
  AlertFollower follower = Started();
  EXPECT_EQ(Drain(follower), Ids(6, 12));
}

TEST_P(AlertFollowing, GivesWhatWasNotConfirmedAgainAfterRewind) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Records(1, 4));
  const auto first = follower.Next(kNoon);
  ASSERT_TRUE(first);
  ASSERT_TRUE(follower.Confirm(first->after));
  EXPECT_EQ(Drain(follower, kNoon, false), Ids(2, 4));
  follower.Rewind();
  EXPECT_EQ(Drain(follower), Ids(2, 4));
}

TEST_P(AlertFollowing, ReadsTheRestOfYesterdayAndThenTodayFromItsBeginning) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Records(1, 2));
  OpenDay(kMay8);
  Append(kMay8, Records(3, 4));
  EXPECT_EQ(Drain(follower, kNoon + kDayLength), Ids(1, 4));
  EXPECT_THAT(StoredCursor(), HasSubstr("v1 2024-05-08 " + Id(4)));
  Append(kMay8, Record(5));
  EXPECT_EQ(Drain(follower, kNoon + kDayLength), Ids(5, 5));
}

TEST_P(AlertFollowing, StaysWithYesterdaysFileWhileThatIsWritten) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Record(1));
  EXPECT_EQ(Drain(follower, kNoon + kDayLength), Ids(1, 1));
  // Past midnight, but nothing has happened yet.
  Append(kMay7, Record(2));
  EXPECT_EQ(Drain(follower, kNoon + kDayLength), Ids(2, 2));
}

TEST_P(AlertFollowing, FollowsDaysThatPassedWhileItWasDown) {
  OpenDay(kMay7);
  Started();
  Append(kMay7, Records(1, 2));
  Compress(kMay7);
  Append(kMay8, Records(3, 4));
  Compress(kMay8);
  Append(kMay9, Records(5, 6));
  AlertFollower follower = Started(kNoon + 2 * kDayLength);
  EXPECT_EQ(Drain(follower, kNoon + 2 * kDayLength), Ids(1, 6));
}

TEST_P(AlertFollowing, GoesOnInTheMiddleOfAFileThatWasCompressedMeanwhile) {
  OpenDay(kMay7);
  ComeAndAreTaken(1, 3);
  Append(kMay7, Records(4, 6));
  Compress(kMay7);
  OpenDay(kMay8);
  AlertFollower follower = Started(kNoon + kDayLength);
  EXPECT_EQ(Drain(follower, kNoon + kDayLength), Ids(4, 6));
}

TEST_P(AlertFollowing, ReadsAFileToItsEndThatIsCompressedUnderItsHands) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Records(1, 4));
  ASSERT_TRUE(follower.Next(kNoon));
  Compress(kMay7);
  OpenDay(kMay8);
  Append(kMay8, Record(5));
  EXPECT_EQ(Drain(follower, kNoon + kDayLength), Ids(2, 5));
}

TEST_P(AlertFollowing, ReadsThePartsOfADayInOrder) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Records(1, 2));
  EXPECT_EQ(Drain(follower), Ids(1, 2));
  Append(kMay7, Record(3));
  OpenDay(kMay7, 1);
  Append(kMay7, Records(4, 5), 1);
  OpenDay(kMay7, 2);
  Append(kMay7, Record(6), 2);
  EXPECT_EQ(Drain(follower), Ids(3, 6));
  Append(kMay7, Record(7), 2);
  EXPECT_EQ(Drain(follower), Ids(7, 7));
  // A restart finds its place in the last part.
  Append(kMay7, Record(8), 2);
  Compress(kMay7);
  AlertFollower again = Started();
  EXPECT_EQ(Drain(again), Ids(8, 8));
}

TEST_P(AlertFollowing, WaitsForTheRestOfAHalfWrittenRecord) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  const std::string record = Record(1);
  for (size_t size = 1; size < record.size(); ++size) {
    Append(kMay7, std::string(1, record[size - 1]));
    // A record whose empty line is not here yet is none.
    ASSERT_THAT(Drain(follower), IsEmpty()) << size;
  }
  Append(kMay7, record.substr(record.size() - 1));
  EXPECT_EQ(Drain(follower), Ids(1, 1));
  EXPECT_EQ(follower.broken(), 0u);
}

TEST_P(AlertFollowing, TakesNoHalfOfARecordThatWasTakenBackAndAnotherOfTheNextOne) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Record(1));
  const uint64_t whole = Size(kMay7);
  const std::string record = Record(2, "a text that is longer than the next one");
  Append(kMay7, record.substr(0, record.size() - 3));
  EXPECT_EQ(Drain(follower), Ids(1, 1));
  // The disk was full: the writer takes its half back, is restarted, and writes another.
  Cut(kMay7, whole);
  Append(kMay7, Record(3, "short"));
  const auto found = follower.Next(kNoon);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->record, Record(3, "short"));
  EXPECT_EQ(follower.broken(), 0u);
}

TEST_P(AlertFollowing, LeavesOutARecordThatWasNeverFinished) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  const std::string record = Record(2);
  Append(kMay7, Record(1) + record.substr(0, record.size() / 2));
  OpenDay(kMay8);
  Append(kMay8, Record(3));
  EXPECT_THAT(Drain(follower, kNoon + kDayLength), ElementsAre(Id(1), Id(3)));
  EXPECT_EQ(follower.broken(), 1u);
}

TEST_P(AlertFollowing, LeavesOutWhatIsNoRecord) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Record(1) + "somebody wrote this\n" + Record(2) + std::string(40, '\0') + "\n" +
                    Record(3));
  EXPECT_EQ(Drain(follower), Ids(1, 3));
  EXPECT_EQ(follower.broken(), 2u);
}

TEST_P(AlertFollowing, BeginsAtTheDaysStartWhenTheFileWasEmptied) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Records(1, 5));
  EXPECT_EQ(Drain(follower), Ids(1, 5));
  Cut(kMay7, 0);
  Append(kMay7, Records(6, 7));
  EXPECT_EQ(Drain(follower), Ids(6, 7));
}

TEST_P(AlertFollowing, BeginsAtTheDaysStartWhenTheFileWasEmptiedWhileItWasDown) {
  OpenDay(kMay7);
  ComeAndAreTaken(1, 3);
  Cut(kMay7, 0);
  // As long as before, and longer: only the id tells.
  Append(kMay7, Records(4, 9));
  AlertFollower follower = Started();
  EXPECT_EQ(Drain(follower), Ids(4, 9));
}

TEST_P(AlertFollowing, FindsItsAlertAgainWhenTheTextBeforeItWasRemoved) {
  OpenDay(kMay7);
  ComeAndAreTaken(1, 6);
  Cut(kMay7, 0);
  Append(kMay7, Records(5, 8));
  AlertFollower follower = Started();
  EXPECT_EQ(Drain(follower), Ids(7, 8));
}

TEST_P(AlertFollowing, FollowsTheNameWhenTheFileWasReplaced) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Records(1, 3));
  EXPECT_EQ(Drain(follower), Ids(1, 3));
  Append(kMay7, Record(4));
  std::filesystem::rename(PathOf(kMay7), PathOf(kMay7).native() + ".1");
  OpenDay(kMay7);
  Append(kMay7, Records(5, 6));
  EXPECT_EQ(Drain(follower), Ids(4, 6));
}

TEST_P(AlertFollowing, DoesNotCareWhenOnlyTheLinkIsRenamed) {
  if (names().link.empty()) GTEST_SKIP() << "the spool has no link";
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Record(1));
  const std::filesystem::path link = home_ / names().tree / names().link;
  std::filesystem::rename(link, link.native() + ".1");
  Append(kMay7, Record(2));
  EXPECT_EQ(Drain(follower), Ids(1, 2));
  Append(kMay7, Record(3));
  EXPECT_EQ(Drain(follower), Ids(3, 3));
  OpenDay(kMay8);
  Append(kMay8, Record(4));
  EXPECT_EQ(Drain(follower, kNoon + kDayLength), Ids(4, 4));
}

TEST_P(AlertFollowing, WaitsForAFileThatDoesNotExistYet) {
  AlertFollower follower = Started();
  EXPECT_EQ(StoredCursor(), "v1 2024-05-07 - 0\n");
  EXPECT_THAT(Drain(follower), IsEmpty());
  Append(kMay7, Records(1, 2));
  EXPECT_EQ(Drain(follower), Ids(1, 2));
}

TEST_P(AlertFollowing, GoesOnWithTheNextDayWhenItsOwnWasRemoved) {
  OpenDay(kMay7);
  ComeAndAreTaken(1, 2);
  std::filesystem::remove(PathOf(kMay7));
  Append(kMay9, Records(3, 4));
  AlertFollower follower = Started(kNoon + 2 * kDayLength);
  EXPECT_EQ(Drain(follower, kNoon + 2 * kDayLength), Ids(3, 4));
}

TEST_P(AlertFollowing, LeavesOutWhatIsOlderThanTheLimit) {
  OpenDay(kMay7);
  Started();
  for (int day = 0; day < 6; ++day) Append(base::AddDays(kMay7, day), Record(day + 1));
  AlertFollower follower = Follower(2);
  const base::Seconds now = kNoon + 5 * kDayLength;
  follower.Start(now);
  EXPECT_EQ(Drain(follower, now), Ids(4, 6));
}

TEST_P(AlertFollowing, BeginsAtNowWhenNothingMayBeReplayed) {
  OpenDay(kMay7);
  Started();
  Append(kMay7, Records(1, 3));
  AlertFollower follower = Follower(0);
  follower.Start(kNoon);
  EXPECT_THAT(Drain(follower), IsEmpty());
  Append(kMay7, Record(4));
  EXPECT_EQ(Drain(follower), Ids(4, 4));
}

// analysisd keeps the later file while the clock is less than a day back.
TEST_P(AlertFollowing, StaysWithTomorrowsFileWhenTheClockIsSetBackADay) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Record(1));
  OpenDay(kMay8);
  Append(kMay8, Record(2));
  EXPECT_EQ(Drain(follower, kNoon + kDayLength), Ids(1, 2));
  Append(kMay8, Record(3));
  EXPECT_EQ(Drain(follower, kNoon), Ids(3, 3));
  // So does one that is started then.
  Append(kMay8, Record(4));
  AlertFollower again = Started(kNoon);
  EXPECT_EQ(Drain(again, kNoon), Ids(4, 4));
}

TEST_P(AlertFollowing, FollowsToAnOlderFileWhenTheClockIsSetBackFurther) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Record(1));
  OpenDay(kMay9);
  Append(kMay9, Record(2));
  const base::Seconds late = kNoon + 2 * kDayLength;
  EXPECT_EQ(Drain(follower, late), Ids(1, 2));
  // Back to May 7: that file is opened again, and the rest is as of old.
  Append(kMay9, Record(3));
  OpenDay(kMay7);
  Append(kMay7, Record(4));
  EXPECT_EQ(Drain(follower, kNoon), Ids(3, 4));
  Append(kMay7, Record(5));
  EXPECT_EQ(Drain(follower, kNoon), Ids(5, 5));
  EXPECT_THAT(StoredCursor(), HasSubstr("2024-05-07 " + Id(5)));
  // And when that day comes again, its file goes on where it was left.
  OpenDay(kMay9);
  Append(kMay9, Record(6));
  EXPECT_EQ(Drain(follower, late), Ids(6, 6));
}

TEST_P(AlertFollowing, RemembersWhereOldDaysEndedAlsoAfterARestart) {
  Append(kMay7, Records(1, 2));
  Append(kMay9, Record(3));
  const base::Seconds late = kNoon + 2 * kDayLength;
  Started(late);
  AlertFollower follower = Started(late);
  OpenDay(kMay7);
  Append(kMay7, Record(4));
  EXPECT_EQ(Drain(follower, kNoon), Ids(4, 4));
}

TEST_P(AlertFollowing, TakesAHugeRecordWhole) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  // Both forms: what is long in the one is cut in the other.
  std::string record = Record(1, std::string(3 << 20, 'x'));
  if (source() != Source::kJson) {
    record.insert(record.rfind("\n\n"), std::string(3 << 20, 'y'));
  }
  Append(kMay7, record + Record(2));
  const auto found = follower.Next(kNoon);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->record.size(), record.size());
  ASSERT_TRUE(follower.Confirm(found->after));
  EXPECT_EQ(Drain(follower, kNoon, false), Ids(2, 2));
  AlertFollower again = Started();
  EXPECT_EQ(Drain(again), Ids(2, 2));
}

TEST_P(AlertFollowing, LeavesOutARecordThatIsLargerThanAnyAlert) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  std::string record = Record(1);
  record.insert(record.size() - (source() == Source::kJson ? 3 : 2),
                std::string(kMaxRecord + (1 << 20), 'z'));
  Append(kMay7, record.substr(0, record.size() - 2));
  EXPECT_THAT(Drain(follower), IsEmpty());
  Append(kMay7, record.substr(record.size() - 2) + Records(2, 3));
  EXPECT_EQ(Drain(follower), Ids(2, 3));
  EXPECT_GE(follower.broken(), 1u);
}

TEST_P(AlertFollowing, BeginsWithTodayWhenItsCursorIsDamaged) {
  Append(kMay7, Records(1, 2));
  std::ofstream(home_ / kCursors / "maild") << "v1 2024-05-\n";
  AlertFollower follower = Started();
  EXPECT_EQ(Drain(follower), Ids(1, 2));
}

TEST_P(AlertFollowing, SaysSoWhenTheCursorCannotBeWritten) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Records(1, 2));
  const auto found = follower.Next(kNoon);
  ASSERT_TRUE(found);
  const std::string before = StoredCursor();
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  signal(SIGXFSZ, SIG_IGN);
  const rlimit none{0, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &none);  // as a full disk
  EXPECT_FALSE(follower.Confirm(found->after));
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(StoredCursor(), before);
  EXPECT_TRUE(follower.Confirm(found->after));
  EXPECT_EQ(Drain(follower), Ids(2, 2));
  EXPECT_EQ(ReadCursors(home_).size(), 1u);
}

TEST_P(AlertFollowing, MeasuresWhatIsNotConfirmed) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Records(1, 3));
  OpenDay(kMay8);
  Append(kMay8, Records(4, 5));
  const Lag lag = follower.MeasureLag(kNoon + 90);
  EXPECT_EQ(lag.alerts, 5u);
  EXPECT_EQ(lag.seconds, 90);
  EXPECT_FALSE(lag.more);
  Drain(follower, kNoon + kDayLength);
  EXPECT_EQ(follower.MeasureLag(kNoon + kDayLength).alerts, 0u);
}

// A consumer that is killed at any point between reading and confirming: every alert is handed over
// at least once, and what comes again is what was not confirmed.
class KilledConsumer : public AlertFollowing {
 protected:
  static constexpr int kAlerts = 200;
  static constexpr int kBatch = 7;
  static constexpr useconds_t kPause = 1000;
  static constexpr std::chrono::seconds kPatience{60};  // until a consumer has handed over some

  // Hands over until it is killed.
  [[noreturn]] void Consume(base::Seconds now) const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    AlertFollower follower = Follower();
    follower.Start(now);
    const base::Fd out = base::OpenFile(delivered_, O_WRONLY | O_CREAT | O_APPEND);
    for (int taken = 1;;) {
      const auto found = follower.Next(now);
      if (!found) {
        ::usleep(kPause);
        continue;
      }
      base::WriteAll(out.get(), found->alert.id + "\n");
      if (taken++ % kBatch == 0) follower.Confirm(found->after);
    }
  }
  std::map<std::string, int> HandedOver() const {
    std::map<std::string, int> counts;
    std::ifstream file(delivered_);
    for (std::string id; std::getline(file, id);) ++counts[id];
    return counts;
  }
  // False when the consumer has ended or gives none for too long.
  bool WaitUntilHandedOver(size_t count, pid_t consumer) const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (HandedOver().size() < count) {
      siginfo_t ended{};
      if (waitid(P_PID, static_cast<id_t>(consumer), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
          ended.si_pid != 0 || std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      ::usleep(kPause);
    }
    return true;
  }

  std::filesystem::path delivered_ = home_ / "delivered";
};

INSTANTIATE_TEST_SUITE_P(Forms, KilledConsumer, ::testing::Values(Source::kText, Source::kJson),
                         [](const auto& form) {
                           return form.param == Source::kText ? "Text" : "Json";
                         });

TEST_P(KilledConsumer, LosesNothing) {
  OpenDay(kMay7);
  Started();
  int written = 0;
  int kills = 0;
  base::Day day = kMay7;
  base::Seconds now = kNoon;
  while (HandedOver().size() < kAlerts) {
    if (written < kAlerts) {
      Append(day, Records(written + 1, written + 20));
      written += 20;
      if (written == kAlerts / 2) {  // midnight
        day = kMay8;
        now += kDayLength;
        OpenDay(day);
      }
    }
    const size_t before = HandedOver().size();
    const pid_t child = fork();
    if (child == 0) Consume(now);
    ASSERT_GT(child, 0);
    const size_t enough = std::min<size_t>(before + 15, static_cast<size_t>(written));
    const bool came = WaitUntilHandedOver(enough, child);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    ASSERT_TRUE(came) << HandedOver().size() << " of " << enough << " after kill " << kills;
    ++kills;
    ASSERT_LT(kills, 10 * kAlerts);
  }
  size_t repeated = 0;
  for (const auto& [id, count] : HandedOver()) repeated += static_cast<size_t>(count - 1);
  EXPECT_GE(kills, 10);
  // Of each batch at most what was not confirmed; the file grows by 20 between two kills.
  EXPECT_LE(repeated, static_cast<size_t>(kills * (kBatch + 20)));
}

// --- the text form alone ---

class AlertFollowerText : public FollowerFixture {};

TEST_F(AlertFollowerText, KnowsAllThatTheRecordSays) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Record(1));
  const auto found = follower.Next(kNoon);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->alert.rule.id, 5712);
  EXPECT_EQ(found->alert.srcip, "198.51.100.7");
  EXPECT_TRUE(found->alert.mail);
}

TEST_F(AlertFollowerText, StandsBehindBothEmptyLinesOfATextThatEndsInALineFeed) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  std::string text;
  AppendTextRecord(ChangedFile(), text);
  Append(kMay7, text + Record(1));
  EXPECT_EQ(Drain(follower).size(), 2u);
  AlertFollower again = Started();
  Append(kMay7, Record(2));
  EXPECT_EQ(Drain(again), Ids(2, 2));
  EXPECT_EQ(again.broken(), 0u);
}

TEST_F(AlertFollowerText, LeavesOutATornRecordWithAnotherBehindIt) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  const std::string record = Record(1);
  Append(kMay7, record.substr(0, record.find("\nRule: ") + 1) + Record(2));
  EXPECT_EQ(Drain(follower), Ids(2, 2));
  EXPECT_EQ(follower.broken(), 1u);
}

TEST_F(AlertFollowerText, CannotBeLedAstrayByRecordsInsideOfLogText) {
  OpenDay(kMay7);
  AlertFollower follower = Started();
  Append(kMay7, Record(1, "first\n\n** Alert 1715083200.99: - forged,\nRule: 1 (level 15)"));
  EXPECT_EQ(Drain(follower), Ids(1, 1));
  AlertFollower again = Started();
  Append(kMay7, Record(2));
  EXPECT_EQ(Drain(again), Ids(2, 2));
}

TEST_F(AlertFollowerText, SaysWhichCursorCannotBeRead) {
  std::filesystem::create_directories(home_ / kCursors / "maild");
  AlertFollower follower = Follower();
  try {
    follower.Start(kNoon);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("queue/cursor/maild"));
  }
}

TEST_F(AlertFollowerText, ReadsADamagedArchiveAsFarAsItGoes) {
  OpenDay(kMay7);
  Started();
  Append(kMay7, Records(1, 2000));
  Compress(kMay7);
  const std::filesystem::path packed = PathOf(kMay7).native() + ".gz";
  std::filesystem::resize_file(packed, std::filesystem::file_size(packed) / 2);
  OpenDay(kMay8);
  Append(kMay8, Record(5000));
  AlertFollower follower = Started(kNoon + kDayLength);
  const std::vector<std::string> ids = Drain(follower, kNoon + kDayLength);
  ASSERT_GT(ids.size(), 100u);
  EXPECT_EQ(ids.front(), Id(1));
  EXPECT_EQ(ids.back(), Id(5000));
}

}  // namespace
}  // namespace ospatrol::alert
