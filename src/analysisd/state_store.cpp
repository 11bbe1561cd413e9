#include "analysisd/state_store.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "log/log.h"

namespace ospatrol::analysisd {
namespace {

constexpr std::string_view kHostinfoFile = "queue/fts/hostinfo";
constexpr size_t kMaxImport = size_t{1} << 30;

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS first_seen(line TEXT PRIMARY KEY,"
    "  used INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS ignored(line TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS host(address TEXT PRIMARY KEY, ports TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sender(id BLOB PRIMARY KEY, last INTEGER NOT NULL,"
    "  seen INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS imported(file TEXT PRIMARY KEY) WITHOUT ROWID;";

// The file of a store below `home`, in a directory that exists.
std::filesystem::path StoreFilePath(const Home& home, std::string_view relative) {
  const std::filesystem::path path = home / relative;
  base::MakeDirectories(path.parent_path(), 0770);
  return path;
}

// The counters are unsigned, SQLite's integers are not: same bits.
int64_t ToStored(uint64_t number) { return static_cast<int64_t>(number); }
uint64_t FromStored(int64_t number) { return static_cast<uint64_t>(number); }

std::string_view BytesOf(const ipc::SenderId& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

}  // namespace

struct StateStore::Statements {
  explicit Statements(base::Database& database)
      : add_first_seen(database, "INSERT OR REPLACE INTO first_seen VALUES(?1, ?2)"),
        remove_first_seen(database, "DELETE FROM first_seen WHERE line = ?1"),
        add_ignored(database, "INSERT OR IGNORE INTO ignored VALUES(?1)"),
        set_ports(database, "INSERT OR REPLACE INTO host VALUES(?1, ?2)"),
        set_sender(database, "INSERT OR REPLACE INTO sender VALUES(?1, ?2, ?3)"),
        forget_senders(database, "DELETE FROM sender WHERE seen < ?1") {}

  base::Statement add_first_seen, remove_first_seen, add_ignored, set_ports, set_sender,
      forget_senders;
};

size_t StateStore::SenderHash::operator()(const ipc::SenderId& id) const {
  size_t hash = 0;  // ids are random: any part of one is a hash
  std::memcpy(&hash, id.data(), sizeof(hash));
  return hash;
}

StateStore::StateStore(const Home& home, base::Seconds now)
    : database_(StoreFilePath(home, paths::kFtsDatabase)),
      outputs_(home / paths::kDiff),
      integrity_(home),
      rootcheck_(home),
      maintenance_(home) {
  database_.Execute(kSchema);
  AddOrderOfUse();
  statements_ = std::make_unique<Statements>(database_);
  Import(home);
  Load();
  ForgetOldSenders(now);
}

StateStore::~StateStore() = default;

// Databases of before the limit have no such column.
void StateStore::AddOrderOfUse() {
  base::Statement column(database_,
                         "SELECT 1 FROM pragma_table_info('first_seen') WHERE name = 'used'");
  const bool exists = column.Step();
  column.Reset();
  if (!exists) {
    database_.Execute("ALTER TABLE first_seen ADD COLUMN used INTEGER NOT NULL DEFAULT 0");
  }
}

void StateStore::Load() {
  base::Statement seen(database_, "SELECT line, used FROM first_seen ORDER BY used");
  while (seen.Step()) first_seen_.Load(seen.Text(0), FromStored(seen.Integer(1)));
  base::Statement ignored(database_, "SELECT line FROM ignored");
  while (ignored.Step()) ignored_.insert(ignored.Text(0));
  base::Statement hosts(database_, "SELECT address, ports FROM host");
  while (hosts.Step()) ports_[hosts.Text(0)] = hosts.Text(1);
  base::Statement senders(database_, "SELECT id, last, seen FROM sender");
  while (senders.Step()) {
    const std::string bytes = senders.Text(0);
    ipc::SenderId id{};
    if (bytes.size() != id.size()) continue;
    std::memcpy(id.data(), bytes.data(), id.size());
    senders_[id] = {FromStored(senders.Integer(1)), senders.Integer(2), false};
  }
}

// Text files of an earlier installation, each once.
void StateStore::Import(const Home& home) {
  const auto take_over = [&](std::string_view file, const auto& take) {
    base::Statement done(database_, "SELECT 1 FROM imported WHERE file = ?1");
    done.Bind(1, file);
    const bool known = done.Step();
    done.Reset();
    if (known) return;
    const auto content = base::ReadFileIfPresent(home / file, kMaxImport);
    if (!content) return;
    size_t lines = 0;
    base::Transaction transaction(database_);
    for (std::string_view line : base::Split(*content, '\n')) {
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty()) continue;
      take(line);
      ++lines;
    }
    base::Statement mark(database_, "INSERT INTO imported VALUES(?1)");
    mark.Bind(1, file).Run();
    transaction.Commit();
    log::Write<msg::kStateImported>(lines, file);
  };
  take_over(paths::kFtsQueue, [this](std::string_view line) {
    statements_->add_first_seen.Bind(1, line).Bind(2, int64_t{0}).Run();
  });
  take_over(paths::kIgnoreQueue,
            [this](std::string_view line) { statements_->add_ignored.Bind(1, line).Run(); });
  // "10.0.0.1 22,80": the newest line of an address counts; its ports keep their leading blank.
  take_over(kHostinfoFile, [this](std::string_view line) {
    const size_t blank = line.find(' ');
    if (blank == std::string_view::npos) return;
    statements_->set_ports.Bind(1, line.substr(0, blank)).Bind(2, line.substr(blank)).Run();
  });
}

bool StateStore::RememberFirstSeen(std::string_view line) {
  const uint64_t forgotten = first_seen_.forgotten();
  const bool is_new = first_seen_.Remember(line);
  if (first_seen_.forgotten() != forgotten) first_seen_full_.Write(first_seen_.size());
  return is_new;
}

bool StateStore::KnowsFirstSeen(std::string_view line) const { return first_seen_.Knows(line); }

void StateStore::SetFirstSeenLimit(size_t limit) { first_seen_.SetLimit(limit); }

bool StateStore::IsIgnored(std::string_view line) const {
  return !ignored_.empty() && ignored_.contains(std::string(line));
}

void StateStore::Ignore(std::string_view line) {
  const auto [place, is_new] = ignored_.emplace(line);
  if (is_new) new_ignored_.push_back(*place);
}

std::optional<std::string> StateStore::LastOutput(std::string_view host, int rule_id) const {
  return outputs_.Last(host, rule_id);
}

void StateStore::StoreOutput(std::string_view host, int rule_id, std::string_view output) {
  outputs_.Store(host, rule_id, output);
}

std::optional<std::string> StateStore::HostPorts(std::string_view address) const {
  const auto found = ports_.find(address);
  if (found == ports_.end()) return std::nullopt;
  return found->second;
}

void StateStore::StoreHostPorts(std::string_view address, std::string_view ports) {
  ports_.insert_or_assign(std::string(address), std::string(ports));
  changed_ports_.emplace_back(address);
}

bool StateStore::RememberRootcheck(std::string_view location, std::string_view text, int64_t time) {
  if (text == "Starting syscheck scan.") maintenance_.ScanStarted(location, time);
  return rootcheck_.Remember(location, text, time);
}

EngineState::KnownFile StateStore::LastFile(std::string_view location,
                                            std::string_view name) const {
  return integrity_.Last(location, name);
}

void StateStore::StoreFile(std::string_view location, std::string_view name,
                           const FileRecord& record, int64_t time) {
  integrity_.Store(location, name, record, time);
}

bool StateStore::BaselineComplete(std::string_view location) const {
  return integrity_.BaselineComplete(location);
}

void StateStore::SetBaselineComplete(std::string_view location) {
  integrity_.SetBaselineComplete(location);
  maintenance_.BaselineCompleted(location);
}

bool StateStore::AcceptSilently(std::string_view location, std::string_view kind,
                                std::string_view name, int64_t time) {
  return maintenance_.Accept(location, kind, name, time);
}

uint64_t StateStore::LastNumber(const ipc::SenderId& sender) const {
  const auto found = senders_.find(sender);
  return found == senders_.end() ? 0 : found->second.last;
}

void StateStore::SetLastNumber(const ipc::SenderId& sender, uint64_t number, base::Seconds now) {
  Sender& entry = senders_[sender];
  entry.last = number;
  entry.seen = now;
  if (!entry.changed) changed_senders_.push_back(sender);
  entry.changed = true;
}

void StateStore::ForgetOldSenders(base::Seconds now) {
  const base::Seconds limit = now - kSenderLifetime;
  const size_t forgotten = std::erase_if(senders_, [limit](const auto& item) {
    return !item.second.changed && item.second.seen < limit;
  });
  if (forgotten > 0) forget_before_ = limit;
}

bool StateStore::HasChanges() const {
  return first_seen_.HasChanges() || !new_ignored_.empty() || !changed_ports_.empty() ||
         !changed_senders_.empty() || forget_before_ || outputs_.HasChanges() ||
         integrity_.HasChanges() || rootcheck_.HasChanges() || maintenance_.HasChanges();
}

bool StateStore::Commit(std::string& failure) {
  try {
    outputs_.Commit();
    integrity_.Commit();
    rootcheck_.Commit();
    maintenance_.Commit();
    CommitEngineState();
    return true;
  } catch (const Error& error) {
    failure = error.what();
    return false;
  }
}

void StateStore::CommitEngineState() {
  if (!first_seen_.HasChanges() && new_ignored_.empty() && changed_ports_.empty() &&
      changed_senders_.empty() && !forget_before_) {
    return;
  }
  base::Transaction transaction(database_);
  for (const std::string& line : first_seen_.removed()) {
    statements_->remove_first_seen.Bind(1, line).Run();
  }
  for (const LineMemory::Change& change : first_seen_.changed()) {
    if (!first_seen_.Knows(change.line)) continue;
    statements_->add_first_seen.Bind(1, change.line).Bind(2, ToStored(change.used)).Run();
  }
  for (const std::string& line : new_ignored_) statements_->add_ignored.Bind(1, line).Run();
  for (const std::string& address : changed_ports_) {
    statements_->set_ports.Bind(1, address).Bind(2, ports_.find(address)->second).Run();
  }
  if (forget_before_) statements_->forget_senders.Bind(1, *forget_before_).Run();
  for (const ipc::SenderId& id : changed_senders_) {
    const Sender& sender = senders_.at(id);
    statements_->set_sender.BindBlob(1, BytesOf(id))
        .Bind(2, ToStored(sender.last))
        .Bind(3, sender.seen)
        .Run();
  }
  transaction.Commit();
  first_seen_.Settle();
  new_ignored_.clear();
  changed_ports_.clear();
  forget_before_.reset();
  for (const ipc::SenderId& id : changed_senders_) senders_.at(id).changed = false;
  changed_senders_.clear();
}

}  // namespace ospatrol::analysisd
