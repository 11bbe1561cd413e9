// What the engine must remember beyond its memory. analysisd keeps it in SQLite and files (state_store.h), logtest and
// unit tests in memory (memory_state.h). Called from the judging thread only; must not block on anything but the disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ospatrol::analysisd {

class EngineState {
 public:
  virtual ~EngineState() = default;

  // First time seen (rules-and-decoders 4.11): true when `line` is new; it is then remembered.
  virtual bool RememberFirstSeen(std::string_view line) = 0;
  // True when `line` was remembered before; changes nothing.
  virtual bool KnowsFirstSeen(std::string_view line) const = 0;

  // Ignore lines (4.7).
  virtual bool IsIgnored(std::string_view line) const = 0;
  virtual void Ignore(std::string_view line) = 0;

  // check_diff (4.10): the last output of (host, rule); unset when there is none. `host` is not yet safe for a path.
  virtual std::optional<std::string> LastOutput(std::string_view host, int rule_id) const = 0;
  virtual void StoreOutput(std::string_view host, int rule_id, std::string_view output) = 0;

  // Host information (3.9): the newest port text of an address.
  virtual std::optional<std::string> HostPorts(std::string_view address) const = 0;
  virtual void StoreHostPorts(std::string_view address, std::string_view ports) = 0;

  // Rootcheck (3.9): true when `text` is new for `location`; its last time is refreshed. What cannot be looked up is
  // not new.
  virtual bool RememberRootcheck(std::string_view location, std::string_view text, int64_t time) = 0;

  // Syscheck (3.9): the newest record of a file at `location`.
  struct FileRecord {
    std::string counter;  // "+++", "!++", "!!+", "!!!", "!!?"
    std::string sum;      // "size:perm:uid:gid:md5:sha1[:sha256]", or "-1" for deleted
  };
  struct KnownFile {
    std::optional<FileRecord> record = std::nullopt;
    bool readable = true;  // false: it cannot be said whether there is one, which was logged
  };
  virtual KnownFile LastFile(std::string_view location, std::string_view name) const = 0;
  virtual void StoreFile(std::string_view location, std::string_view name, const FileRecord& record, int64_t time) = 0;
  virtual bool BaselineComplete(std::string_view location) const = 0;
  virtual void SetBaselineComplete(std::string_view location) = 0;
  // FIM maintenance (collection-and-integrity 5): true = accept the change silently; it is then logged and counted.
  virtual bool AcceptSilently(std::string_view location, std::string_view kind, std::string_view name, int64_t time) = 0;
};

}  // namespace ospatrol::analysisd
