#include "base/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../temporary_directory.h"
#include "base/error.h"
#include "base/files.h"

namespace ospatrol::base {
namespace {

using testing::HasSubstr;

class SqliteTest : public ::testing::Test {
 protected:
  SqliteTest() { database_.Execute("CREATE TABLE t (number INTEGER UNIQUE, text)"); }

  int64_t Count() {
    Statement count(database_, "SELECT count(*) FROM t");
    EXPECT_TRUE(count.Step());
    return count.Integer(0);
  }
  void Insert(int64_t number) {
    Statement(database_, "INSERT INTO t VALUES (?, 'x')").Bind(1, number).Run();
  }

  TemporaryDirectory directory_;
  Database database_{directory_ / "state.db"};
};

TEST_F(SqliteTest, KeepsNumbersTextBlobsAndNulls) {
  Statement insert(database_, "INSERT INTO t VALUES (?, ?)");
  const std::string bytes("a\0b\xff", 4);
  insert.Bind(1, int64_t{1} << 40).Bind(2, "text").Run();
  insert.Bind(1, int64_t{2}).BindBlob(2, bytes).Run();
  insert.Bind(1, int64_t{3}).Bind(2, std::string_view()).Run();
  insert.BindNull(1).BindNull(2).Run();

  Statement select(database_, "SELECT number, text FROM t ORDER BY rowid");
  ASSERT_TRUE(select.Step());
  EXPECT_EQ(select.Integer(0), int64_t{1} << 40);
  EXPECT_EQ(select.Text(1), "text");
  ASSERT_TRUE(select.Step());
  EXPECT_EQ(select.Text(1), bytes);
  ASSERT_TRUE(select.Step());
  EXPECT_FALSE(select.IsNull(1));
  EXPECT_EQ(select.Text(1), "");
  ASSERT_TRUE(select.Step());
  EXPECT_TRUE(select.IsNull(0));
  EXPECT_FALSE(select.Step());
}

TEST_F(SqliteTest, AStatementCanRunAgainAfterAnError) {
  Statement insert(database_, "INSERT INTO t VALUES (?, 'x')");
  insert.Bind(1, int64_t{1}).Run();
  EXPECT_THROW(insert.Bind(1, int64_t{1}).Run(), Error);
  insert.Bind(1, int64_t{2}).Run();
  EXPECT_EQ(Count(), 2);
}

TEST_F(SqliteTest, RollsBackATransactionThatWasNotCommitted) {
  {
    Transaction transaction(database_);
    Insert(1);
  }
  EXPECT_EQ(Count(), 0);
  {
    Transaction transaction(database_);
    Insert(1);
    transaction.Commit();
  }
  EXPECT_EQ(Count(), 1);
}

TEST_F(SqliteTest, AReaderSeesTheOldStateWhileAnotherConnectionWrites) {
  Database reader(directory_ / "state.db");
  Transaction transaction(database_);
  Insert(1);
  Statement count(reader, "SELECT count(*) FROM t");
  ASSERT_TRUE(count.Step());
  EXPECT_EQ(count.Integer(0), 0);
}

TEST_F(SqliteTest, ErrorsNameTheFile) {
  try {
    Statement bad(database_, "SELECT x FROM nowhere");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr((directory_ / "state.db").native()));
    EXPECT_THAT(error.what(), HasSubstr("nowhere"));
  }
}

TEST_F(SqliteTest, RefusesAFileThatIsNoDatabase) {
  WriteFileAtomically(directory_ / "other", std::string(4096, 'x'), 0640);
  EXPECT_THROW(Database(directory_ / "other"), Error);
  EXPECT_THROW(Database(directory_ / "missing/state.db"), Error);
}

TEST_F(SqliteTest, StateSurvivesTheConnection) {
  {
    Database other(directory_ / "other.db");
    other.Execute("CREATE TABLE t (x); INSERT INTO t VALUES (7)");
  }
  Database again(directory_ / "other.db");
  Statement select(again, "SELECT x FROM t");
  ASSERT_TRUE(select.Step());
  EXPECT_EQ(select.Integer(0), 7);
}

TEST_F(SqliteTest, CommitsAreSyncedOnRequest) {
  const auto synchronous = [&] {
    Statement query(database_, "PRAGMA synchronous");
    return query.Step() ? query.Integer(0) : -1;
  };
  EXPECT_EQ(synchronous(), 1);
  {
    const DurableCommits durable(database_);
    EXPECT_EQ(synchronous(), 2);
  }
  EXPECT_EQ(synchronous(), 1);
}

}  // namespace
}  // namespace ospatrol::base
