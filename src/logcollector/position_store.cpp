#include "logcollector/position_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/random.h"

namespace ospatrol::logcollector {
namespace {

// Paths are bytes, not text: stored as blobs. SQLite integers are signed; the cast keeps all 64
// bits.
constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS files (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path BLOB NOT NULL, entry BLOB NOT NULL, reader TEXT NOT NULL, sender BLOB NOT NULL,
  device INTEGER NOT NULL, inode INTEGER NOT NULL, birth_ns INTEGER NOT NULL,
  offset INTEGER NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, partial INTEGER NOT NULL,
  head_length INTEGER NOT NULL, head_digest TEXT NOT NULL, modified_ns INTEGER NOT NULL,
  phase INTEGER NOT NULL, touched INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS files_by_path ON files (path);
CREATE INDEX IF NOT EXISTS files_by_inode ON files (inode);
CREATE TABLE IF NOT EXISTS cuts (
  file INTEGER NOT NULL, offset INTEGER NOT NULL, PRIMARY KEY (file, offset)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notices (
  number INTEGER PRIMARY KEY, location BLOB NOT NULL, text BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS notice_sender (
  only INTEGER PRIMARY KEY CHECK (only = 1), sender BLOB NOT NULL, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS entries (entry BLOB PRIMARY KEY, seen INTEGER NOT NULL) WITHOUT ROWID;
)";

constexpr std::string_view kColumns =
    "SELECT id, path, entry, reader, sender, device, inode, birth_ns, offset, number, state, "
    "partial, head_length, head_digest, modified_ns, phase FROM files ";

std::string_view Bytes(const ipc::SenderId& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

ipc::SenderId ToSenderId(std::string_view bytes) {
  ipc::SenderId id{};
  std::memcpy(id.data(), bytes.data(), std::min(bytes.size(), id.size()));
  return id;
}

std::string Select(std::string_view where) {
  return std::string(kColumns) + std::string(where) + " ORDER BY id";
}

int64_t Signed(uint64_t value) { return static_cast<int64_t>(value); }
uint64_t Unsigned(int64_t value) { return static_cast<uint64_t>(value); }

// The columns that change while a generation is read, in the order of both statements.
constexpr int kChangeable = 14;

void BindChangeable(base::Statement& statement, const StoredFile& file) {
  statement.BindBlob(1, file.path)
      .BindBlob(2, file.entry)
      .Bind(3, Signed(file.identity.device))
      .Bind(4, Signed(file.identity.inode))
      .Bind(5, file.identity.birth_ns)
      .Bind(6, Signed(file.position.offset))
      .Bind(7, Signed(file.position.number))
      .Bind(8, file.position.state)
      .Bind(9, Signed(file.partial))
      .Bind(10, static_cast<int64_t>(file.head_length))
      .Bind(11, file.head_digest)
      .Bind(12, file.modified_ns)
      .Bind(13, static_cast<int64_t>(file.phase))
      .Bind(kChangeable, base::WallNow());
}

}  // namespace

ipc::SenderId NewSenderId() { return ToSenderId(base::RandomBytes(sizeof(ipc::SenderId))); }

PositionStore::PositionStore(const std::filesystem::path& file) : database_(file) {
  database_.Execute(kSchema);
  base::Statement(database_, "INSERT OR IGNORE INTO notice_sender VALUES (1, ?, 0)")
      .BindBlob(1, Bytes(NewSenderId()))
      .Run();
  base::Statement query(database_, "SELECT sender FROM notice_sender");
  if (query.Step()) notice_sender_ = ToSenderId(query.Text(0));
}

bool PositionStore::Try(const std::function<bool()>& work) {
  try {
    return work();
  } catch (const Error& error) {
    failures_.Write(error.what());
    return false;
  }
}

bool PositionStore::Atomically(const std::function<bool()>& work) {
  return Try([&] {
    // A savepoint outside a transaction is one itself; inside, it can be undone alone.
    const std::string name = fmt::format("level{}", ++depth_);
    const bool begun = Try([&] {
      database_.Execute("SAVEPOINT " + name);
      return true;
    });
    const bool done = begun && Try(work) && Try([&] {
                        database_.Execute("RELEASE " + name);
                        return true;
                      });
    --depth_;
    if (begun && !done) database_.Execute("ROLLBACK TO " + name + "; RELEASE " + name);
    return done;
  });
}

std::vector<StoredFile> PositionStore::Select(base::Statement& query) {
  std::vector<StoredFile> files;
  while (query.Step()) {
    StoredFile file;
    file.id = query.Integer(0);
    file.path = query.Text(1);
    file.entry = query.Text(2);
    file.reader = query.Text(3);
    file.sender = ToSenderId(query.Text(4));
    file.identity.device = Unsigned(query.Integer(5));
    file.identity.inode = Unsigned(query.Integer(6));
    file.identity.birth_ns = query.Integer(7);
    file.position.offset = Unsigned(query.Integer(8));
    file.position.number = Unsigned(query.Integer(9));
    file.position.state = query.Text(10);
    file.partial = Unsigned(query.Integer(11));
    file.head_length = std::min(static_cast<size_t>(query.Integer(12)), kHeadSize);
    file.head_digest = query.Text(13);
    file.modified_ns = query.Integer(14);
    file.phase = static_cast<StoredFile::Phase>(query.Integer(15));
    files.push_back(std::move(file));
  }
  base::Statement cuts(database_, "SELECT offset FROM cuts WHERE file = ? ORDER BY offset");
  for (StoredFile& file : files) {
    cuts.Bind(1, file.id);
    while (cuts.Step()) file.cuts.push_back(Unsigned(cuts.Integer(0)));
  }
  return files;
}

std::vector<StoredFile> PositionStore::FindByPath(std::string_view path) {
  std::vector<StoredFile> files;
  Try([&] {
    base::Statement query(database_, logcollector::Select("WHERE path = ?"));
    query.BindBlob(1, path);
    files = Select(query);
    return true;
  });
  return files;
}

std::vector<StoredFile> PositionStore::FindByInode(uint64_t inode) {
  std::vector<StoredFile> files;
  Try([&] {
    base::Statement query(database_, logcollector::Select("WHERE inode = ?"));
    query.Bind(1, Signed(inode));
    files = Select(query);
    return true;
  });
  return files;
}

std::vector<StoredFile> PositionStore::FindUnfinished(std::string_view entry) {
  std::vector<StoredFile> files;
  Try([&] {
    base::Statement query(database_, logcollector::Select("WHERE entry = ? AND phase < ?"));
    query.BindBlob(1, entry).Bind(2, static_cast<int64_t>(StoredFile::Phase::kDone));
    files = Select(query);
    return true;
  });
  return files;
}

bool PositionStore::Insert(StoredFile& file) {
  return Try([&] {
    base::Statement insert(
        database_,
        "INSERT INTO files (path, entry, device, inode, birth_ns, offset, number, state, partial, "
        "head_length, head_digest, modified_ns, phase, touched, reader, sender) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    BindChangeable(insert, file);
    insert.Bind(kChangeable + 1, file.reader).BindBlob(kChangeable + 2, Bytes(file.sender)).Run();
    base::Statement id(database_, "SELECT last_insert_rowid()");
    if (!id.Step()) return false;
    file.id = id.Integer(0);
    return true;
  });
}

bool PositionStore::Update(const StoredFile& file) {
  return Try([&] {
    base::Statement update(database_,
                           "UPDATE files SET path = ?, entry = ?, device = ?, inode = ?, "
                           "birth_ns = ?, offset = ?, number = ?, state = ?, partial = ?, "
                           "head_length = ?, head_digest = ?, modified_ns = ?, phase = ?, "
                           "touched = ? WHERE id = ?");
    BindChangeable(update, file);
    update.Bind(kChangeable + 1, file.id).Run();
    base::Statement(database_, "DELETE FROM cuts WHERE file = ? AND offset <= ?")
        .Bind(1, file.id)
        .Bind(2, Signed(file.position.offset))
        .Run();
    return true;
  });
}

bool PositionStore::AddCut(int64_t id, uint64_t offset) {
  return Try([&] {
    // Inside a transaction the outermost commit decides.
    std::optional<base::DurableCommits> durable;
    if (depth_ == 0) durable.emplace(database_);
    base::Statement(database_, "INSERT OR IGNORE INTO cuts VALUES (?, ?)")
        .Bind(1, id)
        .Bind(2, Signed(offset))
        .Run();
    return true;
  });
}

bool PositionStore::Delete(int64_t id) {
  return Atomically([&] {
    base::Statement(database_, "DELETE FROM cuts WHERE file = ?").Bind(1, id).Run();
    base::Statement(database_, "DELETE FROM files WHERE id = ?").Bind(1, id).Run();
    return true;
  });
}

std::vector<StoredNotice> PositionStore::LoadNotices() {
  std::vector<StoredNotice> notices;
  Try([&] {
    base::Statement query(database_, "SELECT number, location, text FROM notices ORDER BY number");
    while (query.Step()) {
      notices.push_back({Unsigned(query.Integer(0)), query.Text(1), query.Text(2)});
    }
    return true;
  });
  return notices;
}

std::optional<StoredNotice> PositionStore::AddNotice(std::string_view location,
                                                     std::string_view text) {
  StoredNotice notice{0, std::string(location), std::string(text)};
  const bool added = Atomically([&] {
    base::Statement(database_, "UPDATE notice_sender SET last = last + 1").Run();
    base::Statement last(database_, "SELECT last FROM notice_sender");
    if (!last.Step()) return false;
    notice.number = Unsigned(last.Integer(0));
    base::Statement(database_, "INSERT INTO notices VALUES (?, ?, ?)")
        .Bind(1, Signed(notice.number))
        .BindBlob(2, location)
        .BindBlob(3, text)
        .Run();
    return true;
  });
  return added ? std::optional(notice) : std::nullopt;
}

bool PositionStore::DeleteNoticesUpTo(uint64_t number) {
  return Try([&] {
    base::Statement(database_, "DELETE FROM notices WHERE number <= ?")
        .Bind(1, Signed(number))
        .Run();
    return true;
  });
}

std::optional<base::Seconds> PositionStore::EntrySeen(std::string_view entry) {
  std::optional<base::Seconds> seen;
  Try([&] {
    base::Statement query(database_, "SELECT seen FROM entries WHERE entry = ?");
    query.BindBlob(1, entry);
    if (query.Step()) seen = query.Integer(0);
    return true;
  });
  return seen;
}

bool PositionStore::MarkEntrySeen(std::string_view entry, base::Seconds now) {
  return Try([&] {
    base::Statement(database_, "INSERT OR REPLACE INTO entries VALUES (?, ?)")
        .BindBlob(1, entry)
        .Bind(2, now)
        .Run();
    return true;
  });
}

bool PositionStore::Purge(base::Seconds now) {
  return Atomically([&] {
    base::Statement(database_,
                    "DELETE FROM cuts WHERE file IN (SELECT id FROM files WHERE touched < ?)")
        .Bind(1, now - kKeep)
        .Run();
    base::Statement(database_, "DELETE FROM files WHERE touched < ?").Bind(1, now - kKeep).Run();
    base::Statement(database_, "DELETE FROM entries WHERE seen < ?").Bind(1, now - kKeep).Run();
    return true;
  });
}

}  // namespace ospatrol::logcollector
