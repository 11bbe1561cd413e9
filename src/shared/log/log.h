// logs/ospatrol.log: one line a message, the file opened, appended and closed each time, so that it
// may be moved or truncated at any time and written by several users in chroots
// (configuration-and-operation 2.8).
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "log/message.h"
#include "log/messages.h"

namespace ospatrol::log {

// Sets where lines go. Until then they go to standard error only. Thread-safe afterwards.
// `program` is what stands before the colon. An empty `file` means standard error only.
void Configure(std::string program, std::filesystem::path file, bool also_stderr);
void SetFile(std::filesystem::path file);  // after chroot
void SetAlsoStderr(bool on);
void SetDebugLevel(int level);  // 0 none, 1 basic, 2 full
int DebugLevel();

// "<program>(<id>): <LEVEL>: <text>", or without "(<id>)" when id is 0. Control bytes in `text` are
// escaped.
void WriteLine(int id, Level level, std::string_view text);

template <const Message& M, typename... Args>
std::string Render(Args&&... args) {
  constexpr fmt::string_view text{M.text.data(), M.text.size()};
  // The constructor of format_string checks text against Args at compile time.
  constexpr fmt::format_string<Args...> checked{text};
  return fmt::format(checked, std::forward<Args>(args)...);
}

template <const Message& M, typename... Args>
void Write(Args&&... args) {
  WriteLine(M.id, M.level, Render<M>(std::forward<Args>(args)...));
}

// Debug text needs no catalogue. `level` 1 or 2.
template <typename... Args>
void Debug(int level, fmt::format_string<Args...> text, Args&&... args) {
  if (DebugLevel() >= level)
    WriteLine(0, Level::kDebug, fmt::format(text, std::forward<Args>(args)...));
}

// An exception for start-up errors, carrying the message's number: `throw
// log::Fatal<msg::kPidFile>(path, reason);`
template <const Message& M, typename... Args>
Error Fatal(Args&&... args) {
  return Error(M.id, Render<M>(std::forward<Args>(args)...));
}

// What Limited is without its message: counts, and the text of the last line.
class LimitedBase {
 public:
  static constexpr std::chrono::minutes kPause{1};

  LimitedBase();
  LimitedBase(LimitedBase&& other) noexcept;  // takes over what is left to be told
  LimitedBase& operator=(LimitedBase&&) = delete;

  // Writes the last text again with the number of those since, if there are any and that line is
  // as old. Thread-safe.
  void Tell(std::chrono::steady_clock::duration older_than);

 protected:
  ~LimitedBase();  // tells what is left

  bool Admit();
  void WriteAdmitted(int id, Level level, std::string text);

 private:
  void WriteCounted();

  std::mutex mutex_;
  bool written_ = false;
  std::chrono::steady_clock::time_point last_;
  uint64_t suppressed_ = 0;
  int id_ = 0;
  Level level_ = Level::kError;
  std::string text_;
};

// A message of the data path that may come a million times: the first is written at once, then at
// most one a minute with the number of those in between appended (" (N more since the last line)").
// When no more come, TellSuppressed or the end of the object tells the number. One object per kind
// and source; one thread each.
template <const Message& M>
class Limited : public LimitedBase {
 public:
  Limited() = default;
  Limited(Limited&&) noexcept = default;

  template <typename... Args>
  void Write(Args&&... args) {
    if (Admit()) WriteAdmitted(M.id, M.level, Render<M>(std::forward<Args>(args)...));
  }
};

// Tells the counts of all Limited objects whose last line is a minute old, or of all of them. The
// daemon skeleton calls it every minute and at the end.
void TellSuppressed(bool all_of_them);

}  // namespace ospatrol::log
