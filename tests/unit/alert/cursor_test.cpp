#include "alert/cursor.h"

#include <gtest/gtest.h>

#include <fstream>

#include "../temporary_directory.h"
#include "base/files.h"

namespace ospatrol::alert {
namespace {

constexpr base::Day kDay{2024, 4, 7};

TEST(Cursor, HasTheDocumentedLine) {
  const Cursor cursor{kDay, "1715076700.42", 8813};
  EXPECT_EQ(FormatCursor(cursor), "v1 2024-05-07 1715076700.42 8813\n");
  EXPECT_EQ(ParseCursor("v1 2024-05-07 1715076700.42 8813\n"), cursor);
  EXPECT_EQ(ParseCursor("v1 2024-05-07 - 0"), (Cursor{kDay, "", 0}));
  EXPECT_EQ(FormatCursor(Cursor{kDay, "", 17}), "v1 2024-05-07 - 17\n");
}

TEST(Cursor, RefusesWhatIsNoCursor) {
  for (const std::string_view line :
       {"", "\n", "v1", "v2 2024-05-07 1.2 3", "v1 2024-05-07 1.2", "v1 2024-05-07 1.2 3 4",
        "v1 2024-13-07 1.2 3", "v1 2024-02-30 1.2 3", "v1 2024-5-7 1.2 3", "v1 2024-05-07 1.2 -3",
        "v1 2024-05-07 1.2 99999999999999999999", "v1 2024-05-07 a.b 3", "v1 2024-05-07  3",
        "v1  2024-05-07 1.2 3", "v1 2024-05-07 1.2 3\n\n", "v1 2024-05-07 1.2 3x"}) {
    EXPECT_EQ(ParseCursor(line), std::nullopt) << line;
  }
  EXPECT_EQ(ParseCursor("v1 2024-05-07 " + std::string(100, '1') + " 3"), std::nullopt);
}

TEST(CursorNames, MakesFileNamesThatDiffer) {
  CursorNames names;
  EXPECT_EQ(names.Claim("maild"), "maild");
  EXPECT_EQ(names.Claim("csyslogd.2001:db8::1.514"), "csyslogd.2001_db8__1.514");
  EXPECT_EQ(names.Claim("csyslogd.2001:db8::1.514"), "csyslogd.2001_db8__1.514.2");
  EXPECT_EQ(names.Claim("csyslogd.2001:db8::1.514"), "csyslogd.2001_db8__1.514.3");
  EXPECT_EQ(names.Claim("../../etc/passwd"), "_._.._etc_passwd");
  EXPECT_EQ(names.Claim(""), "_");
}

class CursorStoreTest : public ::testing::Test {
 protected:
  CursorStoreTest() { std::filesystem::create_directories(home_ / kCursors); }
  TemporaryDirectory directory_;
  Home home_{directory_.path()};
};

TEST_F(CursorStoreTest, KeepsWhatWasSaved) {
  const CursorStore store(home_, "maild");
  EXPECT_FALSE(store.Load().exists);
  store.Save(Cursor{kDay, "1.2", 3});
  EXPECT_EQ(store.Load().cursor, (Cursor{kDay, "1.2", 3}));
  EXPECT_EQ(std::filesystem::status(store.path()).permissions(), std::filesystem::perms(0640));
}

TEST_F(CursorStoreTest, TellsADamagedCursorFromNone) {
  const CursorStore store(home_, "maild");
  std::ofstream(store.path()) << "";
  EXPECT_TRUE(store.Load().exists);
  EXPECT_EQ(store.Load().cursor, std::nullopt);
}

TEST_F(CursorStoreTest, RemovesWhatAKilledSaveLeftAndNothingElse) {
  const auto put = [&](const std::string& name) { std::ofstream(home_ / kCursors / name) << "x"; };
  put(".maild.0123456789abcdef.tmp");
  put(".maild.2.0123456789abcdef.tmp");
  put(".dbd.0123456789abcdef.tmp");
  CursorStore(home_, "maild").Load();
  EXPECT_FALSE(std::filesystem::exists(home_ / kCursors / ".maild.0123456789abcdef.tmp"));
  EXPECT_TRUE(std::filesystem::exists(home_ / kCursors / ".maild.2.0123456789abcdef.tmp"));
  EXPECT_TRUE(std::filesystem::exists(home_ / kCursors / ".dbd.0123456789abcdef.tmp"));
}

TEST_F(CursorStoreTest, ListsAllConsumers) {
  CursorStore(home_, "maild").Save(Cursor{kDay, "1.2", 3});
  CursorStore(home_, "dbd").Save(Cursor{kDay, "1.1", 2});
  std::ofstream(home_ / kCursors / "damaged") << "?";
  std::ofstream(home_ / kCursors / ".hidden") << "v1 2024-05-07 1.2 3\n";
  std::filesystem::create_directory(home_ / kCursors / "directory");
  const auto cursors = ReadCursors(home_);
  ASSERT_EQ(cursors.size(), 2u);
  EXPECT_EQ(cursors[0].name, "dbd");
  EXPECT_EQ(cursors[1].cursor.id, "1.2");
  EXPECT_TRUE(ReadCursors(Home("/nonexistent")).empty());
}

}  // namespace
}  // namespace ospatrol::alert
