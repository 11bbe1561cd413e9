#include "logcollector/file_watcher.h"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/files.h"

namespace ospatrol::logcollector {
namespace {

constexpr uint32_t kFileMask = IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF;
constexpr uint32_t kDirectoryMask = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                    IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR;

}  // namespace

FileWatcher::Watch& FileWatcher::Watch::operator=(Watch&& other) noexcept {
  std::swap(watcher_, other.watcher_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(key_, other.key_);
  return *this;
}

FileWatcher::Watch::~Watch() {
  if (watcher_ != nullptr) watcher_->Remove(descriptor_, key_);
}

FileWatcher::FileWatcher() : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!fd_) failures_.Write("/", base::ErrnoText(errno));
}

FileWatcher::Watch FileWatcher::WatchFile(int file, const std::filesystem::path& shown,
                                          Callback callback) {
  return Add(fmt::format("/proc/self/fd/{}", file), shown, kFileMask, std::move(callback));
}

FileWatcher::Watch FileWatcher::WatchDirectory(const std::filesystem::path& directory,
                                               Callback callback) {
  return Add(directory, directory, kDirectoryMask, std::move(callback));
}

FileWatcher::Watch FileWatcher::Add(const std::filesystem::path& path,
                                    const std::filesystem::path& shown, uint32_t mask,
                                    Callback callback) {
  if (!fd_) return {};
  // Two listeners of one inode share a descriptor.
  const int descriptor = ::inotify_add_watch(fd_.get(), path.c_str(), mask | IN_MASK_ADD);
  if (descriptor < 0) {
    if (errno != ENOENT && errno != ENOTDIR) {
      failures_.Write(shown.native(), base::ErrnoText(errno));
    }
    return {};
  }
  const uint64_t key = next_key_++;
  listeners_[descriptor].push_back({key, std::move(callback)});
  return {this, descriptor, key};
}

void FileWatcher::Remove(int descriptor, uint64_t key) {
  const auto found = listeners_.find(descriptor);
  if (found == listeners_.end()) return;
  std::erase_if(found->second, [&](const Listener& listener) { return listener.key == key; });
  if (!found->second.empty()) return;
  listeners_.erase(found);
  ::inotify_rm_watch(fd_.get(), descriptor);
}

void FileWatcher::Dispatch() {
  alignas(inotify_event) char buffer[16 * 1024];
  for (;;) {
    const ssize_t got = ::read(fd_.get(), buffer, sizeof(buffer));
    if (got <= 0) return;
    for (ssize_t at = 0; at < got;) {
      inotify_event event{};
      std::memcpy(&event, buffer + at, sizeof(event));
      const char* name = buffer + at + sizeof(event);
      const std::string_view text(name, event.len == 0 ? 0 : ::strnlen(name, event.len));
      at += static_cast<ssize_t>(sizeof(event) + event.len);
      const bool changed_place = (event.mask & ~uint32_t{IN_MODIFY}) != 0;
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        std::vector<int> all;
        for (const auto& [descriptor, listeners] : listeners_) all.push_back(descriptor);
        for (const int descriptor : all) Tell(descriptor, {}, true);
      } else if ((event.mask & IN_IGNORED) != 0) {
        listeners_.erase(event.wd);
      } else {
        Tell(event.wd, text, changed_place);
      }
    }
  }
}

void FileWatcher::Tell(int descriptor, std::string_view name, bool changed_place) {
  const auto found = listeners_.find(descriptor);
  if (found == listeners_.end()) return;
  // A callback may add or remove watches.
  const std::vector<Listener> listeners = found->second;
  for (const Listener& listener : listeners) listener.callback(name, changed_place);
}

}  // namespace ospatrol::logcollector
