// etc/client.keys on disk: reading, changing, watching (wire-protocol 1.3 to 1.6, 1.9).
//
// Every change happens under a lock that all writers take, and is on disk when the call returns: a
// key that a peer was told survives a crash. A reader never needs the lock.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "product/paths.h"
#include "secure/keys.h"

namespace ospatrol::secure {

struct LoadedKeys {
  KeyTable keys;
  std::vector<KeyProblem> problems;
  bool present = false;  // false: there is no file; `keys` is empty then
};

// One line each: "Error reading authentication key: '013'. (etc/client.keys:7: expected ...)".
void WriteToLog(std::span<const KeyProblem> problems);

// Proof that this process holds the lock of the writers. Released when it goes out of scope or the
// process dies.
class KeysLock {
 public:
  KeysLock(KeysLock&&) noexcept = default;
  KeysLock& operator=(KeysLock&&) noexcept = default;

 private:
  friend class KeysFile;
  explicit KeysLock(base::Fd file) : file_(std::move(file)) {}
  base::Fd file_;
};

class KeysFile {
 public:
  // `home` as the process sees it: the prefix, or "/" in a chroot.
  explicit KeysFile(const Home& home);

  const std::filesystem::path& path() const { return path_; }

  // Throws Error when the file is there and cannot be read.
  LoadedKeys Load() const;

  // Waits for other writers. Throws Error when the lock file cannot be opened or another writer
  // holds it for longer than `patience`.
  KeysLock Lock(std::chrono::milliseconds patience = std::chrono::seconds(10)) const;

  // All three are durable when they return. A process that may write to the directory makes a new
  // file with owner, group and mode of the old one (0640 root:ospatrol when there was none) and
  // renames it. One that may not (authd has given up root) appends with one write, and blanks a
  // removed line in place. Throw Error; the file then is as before, or a torn line is at its end,
  // which readers name and skip and the next Append separates.

  // REQUIRES: ids that are not taken, fields that passed the checks below, under this lock.
  void Append(const KeysLock& lock, std::span<const AgentKey> agents) const;
  // The line becomes "ID #*#*#*#*#*#*#*#*#*#*#": the id stays taken, no byte of the key is left.
  // False when no entry has the id.
  bool Remove(const KeysLock& lock, std::string_view id) const;
  // The whole file: the one key of an agent, or none.
  void ReplaceAll(const KeysLock& lock, std::span<const AgentKey> agents) const;

  // As root, before giving it up: makes the file belong to `uid`:`gid`, mode 0640, so that this
  // user can append to it; creates it empty when it is missing. Throws Error.
  void HandTo(uid_t uid, gid_t gid) const;

 private:
  std::filesystem::path path_;
  std::filesystem::path lock_path_;
};

// Tells when the file is another one than before: device, inode, size and time of change in
// nanoseconds. One stat a call.
class KeysWatch {
 public:
  explicit KeysWatch(std::filesystem::path file) : file_(std::move(file)) {}

  // True when the file differs from what the last call saw, including that it is there or gone;
  // true for the first call. Call it before Load: a change in between is then seen next time.
  bool Changed();

 private:
  struct Facts {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = -1;  // -1: missing
    int64_t modified_ns = 0;
    int64_t changed_ns = 0;
    bool operator==(const Facts&) const = default;
  };

  std::filesystem::path file_;
  std::optional<Facts> seen_;
};

// 32 bytes of the system's generator as 64 lower-case hex digits.
std::string MakeKey();

// "ID NAME ADDRESS KEY", without line feed; the address as written.
std::string FormatKeyLine(const AgentKey& agent);

// Builds an entry; nothing when `address_text` is no address form.
std::optional<AgentKey> MakeAgentKey(std::string_view id, std::string_view name,
                                     std::string_view address_text, std::string_view key);

// Checks for those who create entries (1.1). Nothing when it is fine, else why not, as one phrase
// that can stand behind "Invalid name '...': ".
inline constexpr size_t kMaxIdDigits = 8;
inline constexpr size_t kMinNameLength = 2;
inline constexpr size_t kMaxNameLength = 127;  // the longest that every reader keeps whole
std::optional<std::string> IdFault(std::string_view id);
std::optional<std::string> NameFault(std::string_view name);
std::optional<std::string> AddressFault(std::string_view address_text);
// 64 hex digits.
std::optional<std::string> KeyFault(std::string_view key);

// "7" becomes "007"; "1024" stays. Nothing when IdFault.
std::optional<std::string> PaddedId(std::string_view digits);
// Highest id in the file plus one, removed ones counted, three digits at least: what manage_agents
// suggests.
std::string SuggestedId(const KeyTable& keys);
// Lowest number from `first` on that is not taken, not padded: what authd gives. Nothing when all
// of them up to eight digits are.
inline constexpr uint32_t kFirstEnrolledId = 1024;
std::optional<std::string> FreeId(const KeyTable& keys, uint32_t first = kFirstEnrolledId);

// Base64 of the line, without line breaks.
std::string ExportString(const AgentKey& agent);

struct ImportedKey {
  std::optional<AgentKey> agent;
  std::string reason;  // why there is none
};
// Bytes outside the base64 alphabet are ignored. What is decoded must be one whole line whose
// fields pass the checks above, except for the key: any text without control characters will do.
ImportedKey ImportString(std::string_view text);

}  // namespace ospatrol::secure
