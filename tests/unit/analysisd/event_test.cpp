#include "analysisd/event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace ospatrol::analysisd {
namespace {

std::string Cleaned(char kind, std::string_view text) {
  Event event;
  event.Assign(kind, "x", text, 0);
  EXPECT_EQ(event.log, event.full_log);
  return std::string(event.full_log);
}

TEST(Event, DeletesControlBytesFromOrdinaryLines) {
  EXPECT_EQ(Cleaned('1', "a\tb\r\nc\x7f\x01 d"), "abc d");
  EXPECT_EQ(Cleaned('2', "ossec: something\nelse"), "ossec: somethingelse");
  EXPECT_EQ(Cleaned('9', "x ossec: output: 'c':\ny"), "x ossec: output: 'c':y");
}

TEST(Event, KeepsBytesAboveAscii) { EXPECT_EQ(Cleaned('1', "\xc3\xa4\xff"), "\xc3\xa4\xff"); }

TEST(Event, KeepsLinesAndTabsOfOutputsAndRelayedAlerts) {
  for (const std::string product : {"ossec", "ospatrol"}) {
    for (const std::string kind : {"output: ", "agentless: ", "Alert Level: "}) {
      const std::string head = product + ": " + kind;
      EXPECT_EQ(Cleaned('1', head + "a\r\n\tb\x01"), head + "a\n\tb");
    }
  }
}

TEST(Event, KeepsTheDiffOfAnIntegrityMessageInLines) {
  EXPECT_EQ(Cleaned('8', "1:2:3 /etc/a\tb\n1c1\r\n< \told"), "1:2:3 /etc/ab\n1c1\n< \told");
}

TEST(Event, EndsAtTheFirstNul) { EXPECT_EQ(Cleaned('1', std::string_view("ab\0cd", 5)), "ab"); }

TEST(Event, KeepsNoMoreThan65535Bytes) {
  EXPECT_EQ(Cleaned('1', std::string(65535, 'x')).size(), 65535u);
  EXPECT_EQ(Cleaned('1', std::string(65536, 'x')).size(), 65535u);
}

TEST(Event, CleansTheLocationToo) {
  Event event;
  event.Assign('1', "/var/log/a\nb", "x", 0);
  EXPECT_EQ(event.location, "/var/log/ab");
}

TEST(Event, TellsUnsetFromEmpty) {
  Event event;
  event.Assign('1', "x", "", 0);
  EXPECT_TRUE(IsSet(event.log));
  EXPECT_FALSE(IsSet(event.program_name));
  EXPECT_FALSE(IsSet(event.Get(Field::kSrcIp)));
  EXPECT_FALSE(IsSet(event.GetDynamic("a")));
}

TEST(Event, FindsDynamicFieldsWithoutRegardToCase) {
  Event event;
  event.SetDynamic("Foo.Bar", "1");
  event.SetDynamic("foo.bar", "2");
  EXPECT_EQ(event.GetDynamic("FOO.BAR"), "2");
  EXPECT_EQ(event.dynamic_fields.size(), 1u);
}

TEST(Event, RemembersTheOrderOfExtraction) {
  Event event;
  event.Set(Field::kUrl, "u");
  event.SetDynamic("a", "1");
  event.SetDynamic("b", "2");
  event.SetDynamic("a", "3");
  ASSERT_EQ(event.Extraction().size(), 4u);
  EXPECT_EQ(event.Extraction()[0].field, Field::kUrl);
  EXPECT_EQ(event.Extraction()[2].dynamic, 1u);
  EXPECT_EQ(event.Extraction()[3].dynamic, 0u);
}

TEST(Event, ForgetsEverythingWhenAssignedAnew) {
  Event event;
  event.Assign('8', "x", "first", 5);
  event.Set(Field::kId, event.Keep("kept"));
  event.SetDynamic("a", "1");
  event.file = std::make_unique<FileFacts>();
  event.dropped = event.first_seen = true;
  event.category = Category::kIds;
  event.decoder_name = "d";
  event.Assign('1', "y", "second", 6);
  EXPECT_EQ(event.full_log, "second");
  EXPECT_EQ(event.time, 6);
  EXPECT_FALSE(IsSet(event.Get(Field::kId)));
  EXPECT_TRUE(event.dynamic_fields.empty());
  EXPECT_TRUE(event.Extraction().empty());
  EXPECT_EQ(event.file, nullptr);
  EXPECT_FALSE(event.dropped || event.first_seen);
  EXPECT_EQ(event.category, Category::kSyslog);
  EXPECT_FALSE(IsSet(event.decoder_name));
}

}  // namespace
}  // namespace ospatrol::analysisd
