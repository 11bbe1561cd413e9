#include "secure/channel_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/digest.h"
#include "base/error.h"
#include "base/random.h"
#include "log/log.h"

namespace ospatrol::secure {

namespace {

constexpr std::string_view kSchema = R"(
CREATE TABLE IF NOT EXISTS peer (agent TEXT PRIMARY KEY, ip BLOB NOT NULL, port INTEGER NOT NULL,
  scope INTEGER NOT NULL, last_heard INTEGER NOT NULL, cipher TEXT NOT NULL,
  version INTEGER NOT NULL, interval INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hello (agent TEXT PRIMARY KEY, counter INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spool (id BLOB PRIMARY KEY, agent TEXT NOT NULL,
  last_event INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS server (server TEXT PRIMARY KEY, cipher TEXT, v2 INTEGER NOT NULL,
  stay INTEGER NOT NULL, manager BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS receive_window (peer TEXT PRIMARY KEY, global INTEGER NOT NULL,
  local INTEGER NOT NULL, seen INTEGER NOT NULL, has_file INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
)";

constexpr std::string_view kOwnHello = "own hello";
constexpr std::string_view kOwnNumbers = "own numbers";
constexpr std::string_view kSenderId = "sender id";
constexpr size_t kSenderIdBytes = 16;

// SQLite's integers are signed; the bits are kept.
int64_t Stored(uint64_t value) { return static_cast<int64_t>(value); }
uint64_t Loaded(int64_t value) { return static_cast<uint64_t>(value); }

template <typename Bytes>
std::string_view BlobOf(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <typename Bytes>
bool ReadBlob(const std::string& blob, Bytes& bytes) {
  if (blob.size() != bytes.size()) return false;
  std::memcpy(bytes.data(), blob.data(), bytes.size());
  return true;
}

Cipher CipherNamed(std::string_view name) {
  return name == CipherName(Cipher::kBlowfish) ? Cipher::kBlowfish : Cipher::kAes;
}

log::Limited<msg::kChannelStateNotWritten>& WriteFault() {
  static log::Limited<msg::kChannelStateNotWritten> fault;
  return fault;
}

}  // namespace

struct ChannelState::Statements {
  explicit Statements(base::Database& database)
      : save_peer(database, "INSERT OR REPLACE INTO peer VALUES (?,?,?,?,?,?,?,?)"),
        save_hello(database, "INSERT OR REPLACE INTO hello VALUES (?,?)"),
        save_spool(database, "INSERT OR REPLACE INTO spool VALUES (?,?,?)"),
        save_window(database, "INSERT OR REPLACE INTO receive_window VALUES (?,?,?,?,?)"),
        delete_window(database, "DELETE FROM receive_window WHERE peer = ?"),
        get_number(database, "SELECT value FROM number WHERE name = ?"),
        set_number(database, "INSERT OR REPLACE INTO number VALUES (?,?)") {}

  uint64_t Number(std::string_view name) {
    get_number.Bind(1, name);
    const uint64_t value = get_number.Step() ? Loaded(get_number.Integer(0)) : 0;
    get_number.Reset();
    return value;
  }

  base::Statement save_peer, save_hello, save_spool, save_window, delete_window, get_number,
      set_number;
};

ChannelState::ChannelState(const std::filesystem::path& file) : file_(file) {
  try {
    Open();
  } catch (const Error& error) {
    // Only what is there can be damaged; everything else is for the caller.
    std::error_code ignored;
    if (!std::filesystem::exists(file_, ignored)) throw;
    const std::filesystem::path damaged = file_.native() + ".damaged";
    statements_.reset();
    database_.reset();
    std::filesystem::rename(file_, damaged, ignored);
    if (ignored) throw;
    for (const char* part : {"-wal", "-shm"}) {
      std::filesystem::remove(file_.native() + part, ignored);
    }
    log::Write<msg::kChannelStateDamaged>(file_.native(), error.what(), damaged.native());
    Open();
  }
}

ChannelState::~ChannelState() = default;

void ChannelState::Open() {
  database_ = std::make_unique<base::Database>(file_);
  database_->Execute(std::string(kSchema));
  base::Statement check(*database_, "PRAGMA quick_check(1)");
  if (check.Step() && check.Text(0) != "ok") {
    throw Error(fmt::format("{}: {}", file_.native(), check.Text(0)));
  }
  check.Reset();
  statements_ = std::make_unique<Statements>(*database_);
  sender_id_ = base::ToHex(Secret(kSenderId, kSenderIdBytes));
}

bool ChannelState::Write(const std::function<void()>& work, bool durable) {
  try {
    std::optional<base::DurableCommits> sync;
    if (durable) sync.emplace(*database_);
    base::Transaction transaction(*database_);
    work();
    transaction.Commit();
    return true;
  } catch (const Error& error) {
    WriteFault().Write(error.what());
    return false;
  }
}

std::vector<ChannelState::Peer> ChannelState::LoadPeers() {
  base::Statement rows(*database_,
                       "SELECT agent, ip, port, scope, last_heard, cipher, version, interval "
                       "FROM peer");
  std::vector<Peer> peers;
  while (rows.Step()) {
    Peer peer{.agent_id = rows.Text(0)};
    if (!ReadBlob(rows.Text(1), peer.address.ip)) continue;
    peer.address.port = static_cast<uint16_t>(rows.Integer(2));
    peer.address.scope = static_cast<uint32_t>(rows.Integer(3));
    peer.last_heard = rows.Integer(4);
    peer.cipher = CipherNamed(rows.Text(5));
    peer.version = static_cast<uint8_t>(rows.Integer(6));
    peer.interval = static_cast<uint32_t>(rows.Integer(7));
    peers.push_back(std::move(peer));
  }
  return peers;
}

bool ChannelState::SavePeers(std::span<const Peer> peers) {
  return Write(
      [&] {
        for (const Peer& peer : peers) {
          statements_->save_peer.Bind(1, peer.agent_id)
              .BindBlob(2, BlobOf(peer.address.ip))
              .Bind(3, int64_t{peer.address.port})
              .Bind(4, int64_t{peer.address.scope})
              .Bind(5, int64_t{peer.last_heard})
              .Bind(6, CipherName(peer.cipher))
              .Bind(7, int64_t{peer.version})
              .Bind(8, int64_t{peer.interval})
              .Run();
        }
      },
      false);
}

std::vector<ChannelState::Hello> ChannelState::LoadHellos() {
  base::Statement rows(*database_, "SELECT agent, counter FROM hello");
  std::vector<Hello> hellos;
  while (rows.Step()) hellos.push_back({rows.Text(0), Loaded(rows.Integer(1))});
  return hellos;
}

bool ChannelState::SaveHellos(std::span<const Hello> hellos) {
  return Write(
      [&] {
        for (const Hello& hello : hellos) {
          statements_->save_hello.Bind(1, hello.agent_id).Bind(2, Stored(hello.counter)).Run();
        }
      },
      true);
}

std::vector<ChannelState::Spool> ChannelState::LoadSpools() {
  base::Statement rows(*database_, "SELECT id, agent, last_event FROM spool");
  std::vector<Spool> spools;
  while (rows.Step()) {
    Spool spool{.id = {}, .agent_id = rows.Text(1), .last_event = Loaded(rows.Integer(2))};
    if (ReadBlob(rows.Text(0), spool.id)) spools.push_back(std::move(spool));
  }
  return spools;
}

bool ChannelState::SaveSpools(std::span<const Spool> spools) {
  return Write(
      [&] {
        for (const Spool& spool : spools) {
          statements_->save_spool.BindBlob(1, BlobOf(spool.id))
              .Bind(2, spool.agent_id)
              .Bind(3, Stored(spool.last_event))
              .Run();
        }
      },
      false);
}

bool ChannelState::ForgetAgent(std::string_view agent_id) {
  return Write(
      [&] {
        for (const char* sql :
             {"DELETE FROM peer WHERE agent = ?", "DELETE FROM hello WHERE agent = ?",
              "DELETE FROM spool WHERE agent = ?", "DELETE FROM receive_window WHERE peer = ?"}) {
          base::Statement(*database_, sql).Bind(1, agent_id).Run();
        }
      },
      true);
}

bool ChannelState::ForgetHello(std::string_view agent_id) {
  return Write(
      [&] {
        base::Statement(*database_, "DELETE FROM hello WHERE agent = ?").Bind(1, agent_id).Run();
      },
      true);
}

std::vector<ChannelState::Server> ChannelState::LoadServers() {
  base::Statement rows(*database_, "SELECT server, cipher, v2, stay, manager FROM server");
  std::vector<Server> servers;
  while (rows.Step()) {
    Server server{.server = rows.Text(0)};
    if (!rows.IsNull(1)) server.cipher = CipherNamed(rows.Text(1));
    server.v2 = rows.Integer(2) != 0;
    server.stay = rows.Integer(3) != 0;
    server.manager_id = rows.Text(4);
    servers.push_back(std::move(server));
  }
  return servers;
}

bool ChannelState::SaveServer(const Server& server) {
  return Write(
      [&] {
        base::Statement save(*database_, "INSERT OR REPLACE INTO server VALUES (?,?,?,?,?)");
        save.Bind(1, server.server);
        if (server.cipher) {
          save.Bind(2, CipherName(*server.cipher));
        } else {
          save.BindNull(2);
        }
        save.Bind(3, int64_t{server.v2})
            .Bind(4, int64_t{server.stay})
            .BindBlob(5, server.manager_id)
            .Run();
      },
      true);
}

std::optional<uint64_t> ChannelState::NextHelloCounter(int64_t unix_us) {
  uint64_t counter = 0;
  const bool stored = Write(
      [&] {
        counter =
            std::max(statements_->Number(kOwnHello) + 1, Loaded(std::max(unix_us, int64_t{1})));
        statements_->set_number.Bind(1, kOwnHello).Bind(2, Stored(counter)).Run();
      },
      true);
  return stored ? std::optional(counter) : std::nullopt;
}

std::optional<uint64_t> ChannelState::ReserveNumbers(uint64_t count) {
  uint64_t first = 0;
  const bool stored = Write(
      [&] {
        first = std::max(statements_->Number(kOwnNumbers), uint64_t{1});
        statements_->set_number.Bind(1, kOwnNumbers).Bind(2, Stored(first + count)).Run();
      },
      true);
  return stored ? std::optional(first) : std::nullopt;
}

std::string ChannelState::Secret(std::string_view name, size_t size) {
  base::Statement get(*database_, "SELECT value FROM secret WHERE name = ?");
  get.Bind(1, name);
  std::string value = get.Step() ? get.Text(0) : std::string();
  get.Reset();
  if (value.size() == size) return value;
  value = base::RandomBytes(size);
  const base::DurableCommits durable(*database_);
  base::Statement(*database_, "INSERT OR REPLACE INTO secret VALUES (?,?)")
      .Bind(1, name)
      .BindBlob(2, value)
      .Run();
  return value;
}

std::vector<ChannelState::Window> ChannelState::LoadWindows() {
  base::Statement rows(*database_,
                       "SELECT peer, global, local, seen, has_file FROM receive_window");
  std::vector<Window> windows;
  while (rows.Step()) {
    const Counter highest{.global = static_cast<uint32_t>(rows.Integer(1)),
                          .local = static_cast<uint32_t>(rows.Integer(2))};
    windows.push_back({.peer = rows.Text(0),
                       .window = ReplayWindow::From(highest, Loaded(rows.Integer(3))),
                       .has_file = rows.Integer(4) != 0});
  }
  return windows;
}

bool ChannelState::SaveWindows(std::span<const Window> changed,
                               std::span<const std::string> deleted) {
  return Write(
      [&] {
        // Deleted first: a peer that was forgotten and heard again keeps its new window.
        for (const std::string& peer : deleted) statements_->delete_window.Bind(1, peer).Run();
        for (const Window& row : changed) {
          statements_->save_window.Bind(1, row.peer)
              .Bind(2, int64_t{row.window.highest().global})
              .Bind(3, int64_t{row.window.highest().local})
              .Bind(4, Stored(row.window.bitmap()))
              .Bind(5, int64_t{row.has_file})
              .Run();
        }
      },
      true);
}

}  // namespace ospatrol::secure
