#include "agentd/tamper_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/files.h"
#include "base/time.h"
#include "log/log.h"

namespace ospatrol::agentd {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

// An editor writes, renames and removes in a row.
constexpr milliseconds kSettle{300};
constexpr minutes kRegular{10};  // for what inotify may miss
constexpr minutes kWithoutNotices{1};
constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;

}  // namespace

TamperWatch::TamperWatch(daemon::EventLoop& loop, SharedFiles& files, Hooks hooks)
    : loop_(loop), files_(files), hooks_(std::move(hooks)) {}

TamperWatch::~TamperWatch() = default;

void TamperWatch::Start(const Home& home) {
  Watch(home);
  regular_ = loop_.Every(readable_ ? kRegular : kWithoutNotices, [this] { Look(); });
  Look();
}

void TamperWatch::Watch(const Home& home) {
  inotify_ = base::Fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  const std::filesystem::path shared = home / paths::kShared;
  const std::filesystem::path etc = (home / paths::kConfiguration).parent_path();
  for (const std::filesystem::path& directory : {shared, etc}) {
    if (inotify_ && ::inotify_add_watch(inotify_.get(), directory.c_str(), kEvents) >= 0) continue;
    log::Write<msg::kTamperUnwatched>(directory.native(), base::ErrnoText(errno));
    return;
  }
  readable_ = loop_.WatchReadable(inotify_.get(), [this] { Readable(); });
}

void TamperWatch::Readable() {
  std::array<char, 4096> ignored;
  while (::read(inotify_.get(), ignored.data(), ignored.size()) > 0) {
  }
  if (soon_) return;
  soon_ = loop_.After(kSettle, [this] {
    soon_.reset();
    Look();
  });
}

void TamperWatch::Look() {
  const auto now = base::MonotonicNow();
  for (const SharedFiles::Change& change : files_.FindChanges()) {
    Tell(notices_.Note(change.file, change.Text(), now));
  }
  TellDue();
  hooks_.looked();
}

void TamperWatch::Tell(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    log::Write<msg::kTampered>(text);
    hooks_.report("ossec: Agent file changed locally: " + text + ".");
  }
}

void TamperWatch::TellDue() {
  const auto now = base::MonotonicNow();
  Tell(notices_.Due(now));
  held_.reset();
  if (const auto next = notices_.NextDue()) {
    held_ = loop_.After(std::chrono::ceil<milliseconds>(*next - now), [this] { TellDue(); });
  }
}

void TamperWatch::Stop() {
  Look();
  Tell(notices_.TakeAll());
}

}  // namespace ospatrol::agentd
