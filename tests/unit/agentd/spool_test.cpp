#include "agentd/spool.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "../temporary_directory.h"
#include "agentd/crc32c.h"

namespace ospatrol::agentd {
namespace {

constexpr int64_t kNow = 1'763'800'000'000;

using Outcome = Spool::Outcome;

Spool::Limits Small() { return {.bytes = 64 * 1024, .segment = 16 * 1024, .drop_oldest = false}; }

ipc::SenderId Sender(uint8_t n) {
  ipc::SenderId id{};
  id[0] = n;
  return id;
}

Outcome Add(Spool& spool, std::string_view event) {
  return spool.Append(std::span(&event, 1), kNow);
}

std::vector<std::string> All(Spool& spool, uint64_t from) {
  std::vector<std::string> events;
  while (const auto event = spool.Read(from)) {
    events.emplace_back(event->message);
    from = event->number + 1;
  }
  return events;
}

std::vector<std::filesystem::path> Files(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string Slurp(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void Spill(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

TEST(Crc32c, GivesThePublishedValuesOfTheRfc) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c("56789", Crc32c("1234")), 0xe3069283u);
}

TEST(Spool, GivesBackWhatWasAppendedInOrderAndNumbersFromOne) {
  TemporaryDirectory home;
  Spool spool(home.path(), Small(), kNow);
  EXPECT_TRUE(spool.IsEmpty());
  EXPECT_EQ(Add(spool, "1:a:one"), Outcome::kStored);
  EXPECT_EQ(Add(spool, "1:a:two"), Outcome::kStored);
  const auto event = spool.Read(0);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->number, 1u);
  EXPECT_EQ(event->time_ms, kNow);
  EXPECT_EQ(All(spool, 1), (std::vector<std::string>{"1:a:one", "1:a:two"}));
  EXPECT_EQ(All(spool, 2), (std::vector<std::string>{"1:a:two"}));
  EXPECT_FALSE(spool.Read(3));
}

TEST(Spool, KeepsEventsNumbersIdAndSendersOverARestart) {
  TemporaryDirectory home;
  SpoolId id{};
  {
    Spool spool(home.path(), Small(), kNow);
    id = spool.id();
    const std::string_view events[] = {"1:a:one", "1:a:two", "1:a:three"};
    ASSERT_EQ(spool.Append(events, kNow, SenderNote{Sender(7), 42}), Outcome::kStored);
    spool.Acknowledge(1);
    ASSERT_TRUE(spool.SaveAcknowledged(kNow));
  }
  Spool spool(home.path(), Small(), kNow);
  EXPECT_EQ(spool.id(), id);
  EXPECT_EQ(spool.first(), 2u);
  EXPECT_EQ(spool.next(), 4u);
  EXPECT_EQ(spool.LastNumber(Sender(7)), 42u);
  EXPECT_EQ(spool.LastNumber(Sender(8)), 0u);
  EXPECT_EQ(All(spool, spool.first()), (std::vector<std::string>{"1:a:two", "1:a:three"}));
}

TEST(Spool, TakesAnotherIdAtAStartWithNothingWaitingBecauseItMayBeACopy) {
  TemporaryDirectory home;
  SpoolId id{};
  {
    Spool spool(home.path(), Small(), kNow);
    id = spool.id();
    const std::string_view event = "1:a:one";
    ASSERT_EQ(spool.Append(std::span(&event, 1), kNow, SenderNote{Sender(7), 42}),
              Outcome::kStored);
    spool.Acknowledge(1);
    ASSERT_TRUE(spool.SaveAcknowledged(kNow));
  }
  SpoolId second{};
  {
    Spool spool(home.path(), Small(), kNow);
    second = spool.id();
    EXPECT_NE(second, id);
    EXPECT_EQ(spool.next(), 2u);
    EXPECT_EQ(spool.LastNumber(Sender(7)), 42u);
    ASSERT_EQ(Add(spool, "1:a:two"), Outcome::kStored);
  }
  EXPECT_EQ(Spool(home.path(), Small(), kNow).id(), second) << "the manager may have event 2";
}

TEST(Spool, DeletesSegmentsThatAreAcknowledgedAndKeepsTheirNotes) {
  TemporaryDirectory home;
  Spool spool(home.path(), Small(), kNow);
  const std::string_view mark = "1:a:marked";
  ASSERT_EQ(spool.Append(std::span(&mark, 1), kNow, SenderNote{Sender(1), 9}), Outcome::kStored);
  const std::string line = "1:a:" + std::string(1000, 'x');
  for (int i = 0; i < 40; ++i) ASSERT_EQ(Add(spool, line), Outcome::kStored);
  EXPECT_GE(Files(home.path()).size(), 3u);
  spool.Acknowledge(spool.next() - 1);
  spool.SaveAcknowledged(kNow);
  EXPECT_EQ(Files(home.path()).size(), 1u);
  EXPECT_LT(spool.bytes(), 1000u);
  Spool again(home.path(), Small(), kNow);
  EXPECT_EQ(again.LastNumber(Sender(1)), 9u);
  EXPECT_EQ(again.next(), 42u);
  EXPECT_TRUE(again.IsEmpty());
}

TEST(Spool, IsFullAtItsLimitAndTakesEventsAgainWhenSomeAreAcknowledged) {
  TemporaryDirectory home;
  Spool spool(home.path(), Small(), kNow);
  const std::string line = "1:a:" + std::string(1000, 'x');
  int stored = 0;
  while (Add(spool, line) == Outcome::kStored) ++stored;
  EXPECT_GT(stored, 55);
  EXPECT_LE(spool.bytes(), Small().bytes);
  EXPECT_FALSE(spool.HasRoom());
  EXPECT_EQ(spool.AppendBeyondLimit("1:ossec:full", kNow), Outcome::kStored);
  EXPECT_EQ(Add(spool, line), Outcome::kFull);
  spool.Acknowledge(30);
  EXPECT_TRUE(spool.HasRoom());
  EXPECT_EQ(Add(spool, line), Outcome::kStored);
  EXPECT_EQ(All(spool, spool.first()).size(), static_cast<size_t>(stored) + 2 - 30);
}

TEST(Spool, DropsTheOldestEventsAndCountsThemWhenItIsToldTo) {
  TemporaryDirectory home;
  Spool::Limits limits = Small();
  limits.drop_oldest = true;
  Spool spool(home.path(), limits, kNow);
  for (int i = 1; i <= 200; ++i) {
    ASSERT_EQ(Add(spool, "1:a:" + std::to_string(i) + std::string(1000, 'x')), Outcome::kStored);
  }
  EXPECT_GT(spool.dropped(), 100u);
  EXPECT_EQ(spool.first(), spool.dropped() + 1);
  EXPECT_LE(spool.bytes(), limits.bytes);
  const auto left = All(spool, 0);
  EXPECT_EQ(left.size(), 200 - spool.dropped());
  EXPECT_TRUE(left.back().starts_with("1:a:200x"));
}

TEST(Spool, ReadsAgainFromAnyNumber) {
  TemporaryDirectory home;
  Spool spool(home.path(), {.bytes = 8 << 20, .segment = 1 << 20, .drop_oldest = false}, kNow);
  std::mt19937 random(1);
  for (int i = 1; i <= 20000; ++i) {
    ASSERT_EQ(Add(spool, std::to_string(i) + ":" + std::string(random() % 300, 'y')),
              Outcome::kStored);
  }
  for (int i = 0; i < 300; ++i) {
    const uint64_t number = 1 + random() % 20000;
    for (uint64_t n = number; n < number + 5 && n <= 20000; ++n) {
      const auto event = spool.Read(n);
      ASSERT_TRUE(event);
      ASSERT_EQ(event->number, n);
      ASSERT_TRUE(event->message.starts_with(std::to_string(n) + ":"));
    }
  }
}

TEST(Spool, StoresTheLongestEventAndOneOfZeroBytes) {
  TemporaryDirectory home;
  Spool spool(home.path(), Spool::LimitsOf(0, false), kNow);
  const std::string longest(65535, 'z');
  ASSERT_EQ(Add(spool, ""), Outcome::kStored);
  ASSERT_EQ(Add(spool, longest), Outcome::kStored);
  ASSERT_EQ(Add(spool, "1:a:b"), Outcome::kStored);
  EXPECT_EQ(All(spool, 1), (std::vector<std::string>{"", longest, "1:a:b"}));
  spool.TrimMemory();
  EXPECT_EQ(All(spool, 2), (std::vector<std::string>{longest, "1:a:b"}));
}

// A kill -9 during a write, or a lost end of a file: every prefix of a segment is a spool.
TEST(Spool, SurvivesTheEndOfItsLastSegmentAtAnyByte) {
  TemporaryDirectory home;
  std::filesystem::path file;
  std::map<size_t, uint64_t> next_at;  // bytes that are there: next number then
  {
    Spool spool(home.path(), Small(), kNow);
    file = Files(home.path()).front();
    next_at[Slurp(file).size()] = spool.next();
    const std::string_view frame[] = {"1:a:one", "1:a:two", "1:a:three"};
    for (uint64_t i = 1; i <= 3; ++i) {
      ASSERT_EQ(Add(spool, "1:queue:alone"), Outcome::kStored);
      next_at[Slurp(file).size()] = spool.next();
      ASSERT_EQ(spool.Append(frame, kNow, SenderNote{Sender(1), i * 3}), Outcome::kStored);
      next_at[Slurp(file).size()] = spool.next();
    }
  }
  const std::string whole = Slurp(file);
  const size_t head = next_at.begin()->first;
  for (size_t size = 0; size <= whole.size(); ++size) {
    for (const auto& other : Files(home.path())) std::filesystem::remove(other);
    Spill(file, whole.substr(0, size));
    Spool spool(home.path(), Small(), kNow);
    const uint64_t expected = size < head ? 1 : std::prev(next_at.upper_bound(size))->second;
    ASSERT_EQ(spool.next(), expected) << size;
    ASSERT_EQ(All(spool, 1).size(), expected - 1) << size;
    // Frames are there as a whole, and what their sender is told agrees with it.
    ASSERT_EQ(spool.LastNumber(Sender(1)), (expected - 1) / 4 * 3) << size;
    ASSERT_EQ(Add(spool, "1:a:next"), Outcome::kStored);
    ASSERT_EQ(spool.Read(expected)->message, "1:a:next");
  }
}

TEST(Spool, SurvivesAnyFlippedByteAndLosesNothingInFrontOfIt) {
  TemporaryDirectory home;
  std::filesystem::path file;
  {
    Spool spool(home.path(), Small(), kNow);
    file = Files(home.path()).front();
    for (int i = 0; i < 10; ++i) ASSERT_EQ(Add(spool, "1:a:event"), Outcome::kStored);
  }
  const std::string whole = Slurp(file);
  const size_t record = kRecordHead + 9;
  const size_t begin = whole.size() - 10 * record;
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const auto& other : Files(home.path())) std::filesystem::remove(other);
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x40);
    Spill(file, flipped);
    Spool spool(home.path(), Small(), kNow);
    if (at >= begin) {
      ASSERT_EQ(All(spool, 1).size(), (at - begin) / record) << at;
    }
    const uint64_t next = spool.next();
    ASSERT_EQ(Add(spool, "1:a:next"), Outcome::kStored);
    ASSERT_EQ(spool.Read(next)->message, "1:a:next");
  }
}

TEST(Spool, GoesOnWithTheNextSegmentAfterADamagedRecordAndCountsTheLoss) {
  TemporaryDirectory home;
  Spool spool(home.path(), Small(), kNow);
  const std::string line = "1:a:" + std::string(1000, 'x');
  for (int i = 0; i < 40; ++i) ASSERT_EQ(Add(spool, line), Outcome::kStored);
  const auto files = Files(home.path());
  std::string damaged = Slurp(files[0]);
  damaged[5000] ^= 1;
  Spill(files[0], damaged);
  std::vector<uint64_t> numbers;
  uint64_t from = 1;
  while (const auto event = spool.Read(from)) {
    numbers.push_back(event->number);
    from = event->number + 1;
  }
  EXPECT_EQ(numbers[3], 4u);
  EXPECT_GT(numbers[4], 10u);
  EXPECT_EQ(spool.damaged(), numbers[4] - 5);
  EXPECT_EQ(numbers.back(), 40u);
  All(spool, 1);
  EXPECT_EQ(spool.damaged(), numbers[4] - 5) << "counted once";
}

TEST(Spool, TakesADeletedSegmentFileForDamage) {
  TemporaryDirectory home;
  Spool spool(home.path(), Small(), kNow);
  ASSERT_EQ(Add(spool, "1:a:one"), Outcome::kStored);
  std::filesystem::remove(Files(home.path()).front());
  EXPECT_TRUE(All(spool, 1).empty());
  EXPECT_EQ(spool.damaged(), 1u);
  ASSERT_EQ(Add(spool, "1:a:two"), Outcome::kStored);
  EXPECT_EQ(All(spool, 1), (std::vector<std::string>{"1:a:two"}));
  EXPECT_EQ(Files(home.path()).size(), 1u);
}

TEST(Spool, AcknowledgesWhatTheManagerHas) {
  TemporaryDirectory home;
  Spool spool(home.path(), Small(), kNow);
  const SpoolId id = spool.id();
  for (int i = 0; i < 5; ++i) Add(spool, "1:a:b");
  EXPECT_TRUE(spool.Reconcile(0, kNow));
  EXPECT_TRUE(spool.Reconcile(3, kNow));
  EXPECT_EQ(spool.first(), 4u);
  EXPECT_EQ(spool.id(), id);
}

// The end of the spool was lost with the machine, after the manager had it: the numbers are given
// again, to other events.
TEST(Spool, TakesAnotherIdWhenTheManagerHasEventsThatItDoesNotKnow) {
  TemporaryDirectory home;
  {
    Spool spool(home.path(), Small(), kNow);
    spool.Reconcile(0, kNow);
    for (int i = 1; i <= 3; ++i) Add(spool, "1:a:old" + std::to_string(i));
  }
  Spool spool(home.path(), Small(), kNow);  // had 5 events when the machine stopped
  const SpoolId id = spool.id();
  for (int i = 4; i <= 9; ++i) Add(spool, "1:a:new" + std::to_string(i));
  EXPECT_FALSE(spool.Reconcile(5, kNow));
  EXPECT_NE(spool.id(), id);
  EXPECT_EQ(spool.first(), 4u) << "what the manager has as it is here is not sent again";
  EXPECT_EQ(All(spool, spool.first()).size(), 6u);
  Spool again(home.path(), Small(), kNow);
  EXPECT_EQ(again.id(), spool.id());
  EXPECT_TRUE(again.Reconcile(0, kNow));
}

TEST(Spool, TakesAnotherIdWhenASnapshotWasRestoredUnderItsFeet) {
  TemporaryDirectory home;
  Spool spool(home.path(), Small(), kNow);
  spool.Reconcile(0, kNow);
  for (int i = 1; i <= 5; ++i) Add(spool, "1:a:b");
  const SpoolId id = spool.id();
  EXPECT_FALSE(spool.Reconcile(200, kNow));
  EXPECT_NE(spool.id(), id);
  EXPECT_EQ(spool.first(), 1u) << "nothing is given up";
}

TEST(Spool, RemembersABoundedNumberOfSenders) {
  SenderTable senders;
  for (uint32_t i = 0; i < SenderTable::kMost + 100; ++i) {
    ipc::SenderId id{};
    id[0] = static_cast<uint8_t>(i);
    id[1] = static_cast<uint8_t>(i >> 8);
    senders.Set({id, 1}, kNow + i);
  }
  EXPECT_EQ(senders.entries().size(), SenderTable::kMost);
  EXPECT_EQ(senders.Last(ipc::SenderId{}), 0u) << "the one that was silent longest is forgotten";
  senders.Forget(kNow + SenderTable::kForgottenAfterMs + 100000);
  EXPECT_TRUE(senders.entries().empty());
}

}  // namespace
}  // namespace ospatrol::agentd
