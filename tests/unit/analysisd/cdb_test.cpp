#include "analysisd/cdb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "../temporary_directory.h"
#include "base/files.h"

namespace ospatrol::analysisd {
namespace {

using testing::ElementsAre;
using testing::Eq;
using testing::Optional;
using testing::Pair;

std::vector<std::pair<std::string, std::string>> Entries(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> entries;
  ForEachEntry(text, [&](std::string_view key, std::string_view value) {
    entries.emplace_back(key, value);
  });
  return entries;
}

Cdb Compiled(std::string_view text) { return *Cdb::FromBytes(*CompileCdb(text)); }

TEST(CdbText, KeepsKeyAndValueAsTheyStand) {
  EXPECT_THAT(Entries("alpha:one\nbeta:\n delta: x \nA:b:c\n#a:1"),
              ElementsAre(Pair("alpha", "one"), Pair("beta", ""), Pair(" delta", " x "),
                          Pair("A", "b:c"), Pair("#a", "1")));
}

TEST(CdbText, CutsCommentsCarriageReturnsAndBlanksBeforeComments) {
  EXPECT_THAT(Entries("### all\neps:val \t### rest\nzeta ###:x\r\nwin:1\r\nmid:a###b:c\n"),
              ElementsAre(Pair("eps", "val"), Pair("win", "1"), Pair("mid", "a")));
}

TEST(CdbText, SkipsLinesWithoutColonAndLinesThatAreTooLong) {
  EXPECT_THAT(
      Entries("nocolon\n\n" + std::string(6143, 'x') + ":v\n" + std::string(6140, 'y') + ":v"),
      ElementsAre(Pair(std::string(6140, 'y'), "v")));
}

TEST(CdbText, TakesColonsInAQuotedKey) {
  EXPECT_THAT(Entries("\"2001:db8::/32\":bad\n\"2001:db8::7\":\"bad host\"\n\"open:x"),
              ElementsAre(Pair("2001:db8::/32", "bad"), Pair("2001:db8::7", "bad host"),
                          Pair("\"open", "x")));
}

TEST(Cdb, FindsTheFirstOfEqualKeys) {
  const Cdb cdb = Compiled("alpha:first\nalpha:second\nbeta:2\n");
  EXPECT_THAT(cdb.Find("alpha"), Optional(Eq("first")));
  EXPECT_THAT(cdb.Find("beta"), Optional(Eq("2")));
  EXPECT_EQ(cdb.Find("Alpha"), std::nullopt);
  EXPECT_EQ(cdb.Find(""), std::nullopt);
}

TEST(Cdb, FindsEveryOneOfManyKeys) {
  std::string text;
  for (int i = 0; i < 5000; ++i)
    text += "key" + std::to_string(i) + ":" + std::to_string(i * 7) + "\n";
  const Cdb cdb = Compiled(text);
  for (int i = 0; i < 5000; ++i) {
    ASSERT_THAT(cdb.Find("key" + std::to_string(i)), Optional(Eq(std::to_string(i * 7))));
  }
  EXPECT_EQ(cdb.Find("key5000"), std::nullopt);
  size_t records = 0;
  cdb.ForEach([&](std::string_view, std::string_view) { ++records; });
  EXPECT_EQ(records, 5000u);
}

TEST(Cdb, HasTheLayoutOfTheFormat) {
  const std::string bytes = *CompileCdb("a:b\n");
  // Record behind 2048 bytes of tables: key length, value length, key, value.
  EXPECT_EQ(bytes.substr(2048, 10), std::string("\1\0\0\0\1\0\0\0ab", 10));
  // h("a") = (5381 * 33) ^ 'a' = 177604: table 196, two slots at byte 2058.
  EXPECT_EQ(bytes.substr(196 * 8, 8), std::string("\x0a\x08\0\0\2\0\0\0", 8));
  // Slot (177604 >> 8) % 2 = 1: hash and position of the record; slot 0 is empty.
  EXPECT_EQ(bytes.substr(2058), std::string(8, '\0') + std::string("\xc4\xb5\2\0\0\x08\0\0", 8));
}

// The format against another implementation of it, tinycdb, where it is installed.
class CdbAndTinycdb : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v cdb >/dev/null 2>&1") != 0) GTEST_SKIP() << "no tinycdb here";
  }
  TemporaryDirectory directory_;
};

TEST_F(CdbAndTinycdb, ReadsWhatItWrites) {
  const std::string file = (directory_ / "x.cdb").native();
  const std::string command =
      "printf '+3,5:one->first\n+3,0:two->\n\n' | cdb -c -t " + file + ".tmp " + file;
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto cdb = Cdb::FromBytes(base::ReadFile(file));
  ASSERT_TRUE(cdb);
  EXPECT_THAT(cdb->Find("one"), Optional(Eq("first")));
  EXPECT_THAT(cdb->Find("two"), Optional(Eq("")));
  EXPECT_EQ(cdb->Find("three"), std::nullopt);
}

TEST_F(CdbAndTinycdb, WritesWhatItReads) {
  const std::filesystem::path file = directory_ / "y.cdb";
  base::WriteFileAtomically(file, *CompileCdb("one:first\ntwo:\none:again\n"), 0600);
  const std::string command = "test \"$(cdb -q -n 1 " + file.native() +
                              " one)\" = first && cdb -q " + file.native() + " two";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST(Cdb, RefusesATableOfContentsThatPointsOutside) {
  std::string bytes = *CompileCdb("a:b\n");
  EXPECT_FALSE(Cdb::FromBytes(bytes.substr(0, 2047)));
  EXPECT_FALSE(Cdb::FromBytes(bytes.substr(0, bytes.size() - 1)));
  bytes[196 * 8 + 3] = '\x7f';
  EXPECT_FALSE(Cdb::FromBytes(bytes));
}

TEST(Cdb, MissesInsteadOfReadingOutsideOfADamagedRecord) {
  std::string bytes = *CompileCdb("abc:def\n");
  bytes[2048 + 3] = '\x7f';  // key length
  const auto cdb = Cdb::FromBytes(bytes);
  ASSERT_TRUE(cdb);
  EXPECT_EQ(cdb->Find("abc"), std::nullopt);
  size_t records = 0;
  cdb->ForEach([&](std::string_view, std::string_view) { ++records; });
  EXPECT_EQ(records, 0u);
}

}  // namespace
}  // namespace ospatrol::analysisd
