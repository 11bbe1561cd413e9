// Wake-ups from inotify. Only a hint: whoever gets one looks at the file itself, and everything is
// polled too.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "log/log.h"

namespace ospatrol::logcollector {

class FileWatcher {
 public:
  // `name` is that of the file in a watched directory; empty when it is about the watched one
  // itself, or when notices were lost. `changed_place`: renamed, deleted, created or truncated
  // rather than written to.
  using Callback = std::function<void(std::string_view name, bool changed_place)>;

  // Ends the callbacks when destroyed.
  class Watch {
   public:
    Watch() = default;
    Watch(FileWatcher* watcher, int descriptor, uint64_t key)
        : watcher_(watcher), descriptor_(descriptor), key_(key) {}
    Watch(Watch&& other) noexcept { *this = std::move(other); }
    Watch& operator=(Watch&& other) noexcept;
    ~Watch();

   private:
    FileWatcher* watcher_ = nullptr;
    int descriptor_ = -1;
    uint64_t key_ = 0;
  };

  // Without inotify there are no wake-ups: one line says so.
  FileWatcher();
  FileWatcher(const FileWatcher&) = delete;
  FileWatcher& operator=(const FileWatcher&) = delete;

  // Readable when Dispatch has something to do; -1 without inotify.
  int fd() const { return fd_.get(); }
  void Dispatch();

  // The inode behind an open file, whatever its names become.
  Watch WatchFile(int file, const std::filesystem::path& shown, Callback callback);
  // Names that appear in, disappear from or move within `directory`.
  Watch WatchDirectory(const std::filesystem::path& directory, Callback callback);

 private:
  struct Listener {
    uint64_t key = 0;
    Callback callback;
  };

  Watch Add(const std::filesystem::path& path, const std::filesystem::path& shown, uint32_t mask,
            Callback callback);
  void Remove(int descriptor, uint64_t key);
  void Tell(int descriptor, std::string_view name, bool changed_place);

  base::Fd fd_;
  std::map<int, std::vector<Listener>> listeners_;  // by watch descriptor
  uint64_t next_key_ = 1;
  log::Limited<msg::kNoFileNotices> failures_;
};

}  // namespace ospatrol::logcollector
