// What goes wrong because of somebody on the network: at most one line a minute per source and
// kind of fault, with the number of those left out. However many sources there are (addresses of
// UDP can be forged), memory and lines stay bounded: those that find no place are counted together.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "log/log.h"

namespace ospatrol::remoted {

// Thread-safe.
class FaultLog {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr size_t kMaxSources = 512;  // per minute
  static constexpr std::chrono::minutes kPause{1};

  // `source` tells sources apart and need not appear in the text.
  template <const log::Message& M, typename... Args>
  void Write(std::string_view source, Args&&... args) {
    if (!Admit(M, source)) return;
    log::WriteLine(M.id, M.level, log::Render<M>(std::forward<Args>(args)...));
  }

  // Writes the counts of lines that are a minute old and forgets their sources. To be called every
  // few seconds.
  void Tell(Clock::time_point now);
  // All of them, for the end of the program.
  void TellAll() { Tell(Clock::time_point::max()); }

 private:
  struct Entry {
    const log::Message* message = nullptr;
    std::string source;
    Clock::time_point written;
    uint64_t left_out = 0;
  };
  bool Admit(const log::Message& message, std::string_view source);
  void TellEntry(const Entry& entry) const;

  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
  std::unordered_map<const log::Message*, uint64_t> others_;  // of sources without an entry
  Clock::time_point others_told_{};
};

}  // namespace ospatrol::remoted
