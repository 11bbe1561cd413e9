#include "secure/counters.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ospatrol::secure {

namespace {

constexpr mode_t kCounterMode = 0640;
constexpr size_t kMaxCounterFile = 64;
constexpr int64_t kNanoseconds = 1'000'000'000;

std::string CounterText(std::string text) {
  text.resize(std::min(text.size(), kMaxCounterFile));
  return text;
}

// `counter` and the next `count - 1`: the last of them.
Counter Ahead(Counter counter, uint32_t count) {
  const uint64_t position =
      uint64_t{counter.global} * Counter::kLastLocal + counter.local - 1 + count;
  return {.global = static_cast<uint32_t>(position / Counter::kLastLocal),
          .local = static_cast<uint32_t>(position % Counter::kLastLocal) + 1};
}

Counter AtTime(base::Seconds now) {
  const base::Seconds usable = now > 0 && now <= SenderCounter::kLastUsableTime ? now : 0;
  return {.global = static_cast<uint32_t>(usable), .local = 0};
}

int64_t ChangedNs(const std::filesystem::path& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return 0;
  return facts.st_mtim.tv_sec * kNanoseconds + facts.st_mtim.tv_nsec;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// Names in a directory; nothing when it cannot be read, which is not the same as an empty one.
std::optional<std::unordered_set<std::string>> NamesIn(const std::filesystem::path& path) {
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path.c_str()));
  if (!directory) return std::nullopt;
  std::unordered_set<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(directory.get())) names.emplace(entry->d_name);
  if (errno != 0) return std::nullopt;
  return names;
}

// Names of servers may be anything; an id that is one path step can be a file.
bool CanBeFile(std::string_view id) {
  return !id.empty() && id.front() != '.' && id.find('/') == std::string_view::npos &&
         id != "sender_counter" && !id.starts_with("state.db");
}

log::Limited<msg::kSenderCounterNotWritten>& SenderFault() {
  static log::Limited<msg::kSenderCounterNotWritten> fault;
  return fault;
}

log::Limited<msg::kCounterFilesNotMade>& FilesFault() {
  static log::Limited<msg::kCounterFilesNotMade> fault;
  return fault;
}

}  // namespace

// --- SenderCounter ---

SenderCounter::SenderCounter(std::filesystem::path file, base::Seconds now)
    : file_(std::move(file)), fd_(base::OpenFile(file_, O_RDWR | O_CREAT, kCounterMode)) {
  if (!fd_) {
    throw Error(fmt::format("{}: cannot open: {}", file_.native(), base::ErrnoText(errno)));
  }
  const std::string text = CounterText(base::ReadFile(file_));
  last_ = std::max(Counter::Parse(text).value_or(Counter{}), AtTime(now));
  last_.local = std::min(last_.local, Counter::kLastLocal);
  if (!Reserve()) {
    throw Error(fmt::format("{}: cannot write: {}", file_.native(), base::ErrnoText(errno)));
  }
}

SenderCounter::~SenderCounter() { Save(); }

Counter SenderCounter::Next() {
  const std::lock_guard lock(mutex_);
  if (last_ >= reserved_ && !Reserve()) SenderFault().Write(file_.native(), base::ErrnoText(errno));
  last_ = last_.Next();
  saved_ = false;
  return last_;
}

void SenderCounter::JumpAhead(base::Seconds now) {
  const std::lock_guard lock(mutex_);
  // Not only to the time: a clock that was ahead once must not hold the agent back either.
  last_ = std::max(Counter{.global = last_.global + 1, .local = 0}, AtTime(now));
  if (!Reserve()) SenderFault().Write(file_.native(), base::ErrnoText(errno));
}

void SenderCounter::Save() {
  const std::lock_guard lock(mutex_);
  if (saved_) return;
  saved_ = Write(last_);
  // What was reserved is given back: the next packet reserves again.
  if (saved_) reserved_ = last_;
}

// Falls into step with the time first, so that counters that were set back, with the machine or
// from a backup, are passed within one reservation.
bool SenderCounter::Reserve() {
  last_ = std::max(last_, AtTime(base::WallNow()));
  const Counter wanted = Ahead(last_, kReserve);
  const bool written = Write(wanted);
  reserved_ = wanted;
  saved_ = false;
  return written;
}

bool SenderCounter::Write(Counter counter) {
  const std::string text = counter.Text();
  const ssize_t written = pwrite(fd_.get(), text.data(), text.size(), 0);
  if (written == static_cast<ssize_t>(text.size())) return fdatasync(fd_.get()) == 0;
  if (written >= 0) errno = ENOSPC;
  return false;
}

// --- ReceiveCounter ---

ReplayWindow::Verdict ReceiveCounter::Accept(Counter counter) {
  const std::lock_guard lock(mutex_);
  const ReplayWindow::Verdict verdict = window_.Accept(counter);
  if (verdict == ReplayWindow::Verdict::kNew) dirty_ = true;
  return verdict;
}

ReplayWindow::Verdict ReceiveCounter::Check(Counter counter) const {
  const std::lock_guard lock(mutex_);
  return window_.Check(counter);
}

void ReceiveCounter::AcceptAny(Counter counter) {
  const std::lock_guard lock(mutex_);
  window_.AcceptAny(counter);
  dirty_ = true;
}

ReplayWindow ReceiveCounter::window() const {
  const std::lock_guard lock(mutex_);
  return window_;
}

// --- ReceiveCounters ---

ReceiveCounters::ReceiveCounters(ChannelState& state, std::filesystem::path directory,
                                 Options options)
    : state_(state), directory_(std::move(directory)), options_(options) {
  for (const ChannelState::Window& row : state_.LoadWindows()) {
    peers_.emplace(row.peer, Peer{.counter = std::make_shared<ReceiveCounter>(row.window),
                                  .has_file = row.has_file});
  }
  // Files that were deleted while nobody watched.
  FindDeletedFiles();
}

ReceiveCounters::~ReceiveCounters() { Flush(); }

std::shared_ptr<ReceiveCounter> ReceiveCounters::For(std::string_view id) {
  const std::string key(id);
  {
    const std::shared_lock lock(mutex_);
    const auto found = peers_.find(key);
    if (found != peers_.end()) return found->second.counter;
  }
  const std::unique_lock lock(mutex_);
  const auto [peer, is_new] = peers_.try_emplace(key);
  if (is_new) {
    const ReplayWindow window = ReadFile(id);
    peer->second.counter = std::make_shared<ReceiveCounter>(window);
    peer->second.counter->dirty_ = !window.empty();
  }
  return peer->second.counter;
}

void ReceiveCounters::Forget(std::string_view id) {
  const std::unique_lock lock(mutex_);
  const auto found = peers_.find(std::string(id));
  if (found != peers_.end()) peers_.erase(found);
  forgotten_.emplace_back(id);
  if (options_.files && CanBeFile(id)) unlink((directory_ / id).c_str());
}

void ReceiveCounters::Resynchronise(std::string_view id, Counter counter) {
  const std::shared_ptr<ReceiveCounter> peer = For(id);
  const std::lock_guard lock(peer->mutex_);
  peer->window_ = ReplayWindow::From(counter);
  peer->dirty_ = true;
}

// Windows may change and peers come and go while the store is written; only the owner's thread
// touches has_file.
bool ReceiveCounters::Flush() {
  std::vector<std::string> deleted;
  {
    const std::unique_lock lock(mutex_);
    deleted.swap(forgotten_);
  }
  std::vector<ChannelState::Window> changed;
  std::vector<std::shared_ptr<ReceiveCounter>> counters;
  {
    const std::shared_lock lock(mutex_);
    if (options_.files) MakeMissingFiles();
    for (const auto& [id, peer] : peers_) {
      const std::lock_guard own(peer.counter->mutex_);
      if (!peer.counter->dirty_) continue;
      changed.push_back({.peer = id, .window = peer.counter->window_, .has_file = peer.has_file});
      peer.counter->dirty_ = false;
      counters.push_back(peer.counter);
    }
  }
  if (changed.empty() && deleted.empty()) return true;
  if (state_.SaveWindows(changed, deleted)) return true;
  for (const auto& counter : counters) {
    const std::lock_guard own(counter->mutex_);
    counter->dirty_ = true;
  }
  const std::unique_lock lock(mutex_);
  forgotten_.insert(forgotten_.end(), deleted.begin(), deleted.end());
  return false;
}

std::vector<std::string> ReceiveCounters::FindDeletedFiles() {
  std::vector<std::string> reset;
  if (!options_.files) return reset;
  const int64_t changed_ns = ChangedNs(directory_);
  if (changed_ns == directory_changed_ns_) return reset;
  const auto names = NamesIn(directory_);
  if (!names) return reset;
  // Of two changes at one tick of the clock the second could be missed: look again soon.
  const bool settled = base::WallNow() - changed_ns / kNanoseconds > 1;
  directory_changed_ns_ = settled ? changed_ns : -1;
  const std::unique_lock lock(mutex_);
  for (auto& [id, peer] : peers_) {
    if (!peer.has_file || names->contains(id)) continue;
    const std::lock_guard own(peer.counter->mutex_);
    peer.counter->window_ = ReplayWindow();
    peer.counter->dirty_ = false;
    peer.has_file = false;
    forgotten_.push_back(id);
    reset.push_back(id);
  }
  return reset;
}

ReplayWindow ReceiveCounters::ReadFile(std::string_view id) const {
  if (!CanBeFile(id)) return {};
  try {
    const auto text = base::ReadFileIfPresent(directory_ / id);
    const auto counter = text ? Counter::Parse(CounterText(*text)) : std::nullopt;
    return counter ? ReplayWindow::From(*counter) : ReplayWindow();
  } catch (const Error&) {
    return {};  // unreadable: as missing (wire-protocol 2.7)
  }
}

bool ReceiveCounters::MakeFile(std::string_view id, Counter counter) const {
  const base::Fd file =
      base::OpenFile(directory_ / id, O_WRONLY | O_CREAT | O_NOFOLLOW, kCounterMode);
  if (file && base::WriteAll(file.get(), counter.Text())) return true;
  FilesFault().Write((directory_ / id).native(), base::ErrnoText(errno));
  return false;
}

// Only for peers that have been heard: the others have nothing that could be reset.
void ReceiveCounters::MakeMissingFiles() {
  size_t made = 0;
  for (auto& [id, peer] : peers_) {
    if (peer.has_file || !CanBeFile(id)) continue;
    const std::lock_guard own(peer.counter->mutex_);
    if (!peer.counter->dirty_ || peer.counter->window_.empty()) continue;
    if (made == kFilesPerFlush || !MakeFile(id, peer.counter->window_.highest())) return;
    peer.has_file = true;
    ++made;
  }
}

}  // namespace ospatrol::secure
