// What the manager gave this agent: etc/shared (wire-protocol 4.4), and whether somebody else
// changed it.
//
// A received merged.mg is believed only as a whole: its sum, its entries, and agent.conf in it must
// be right; then its files replace the old ones one by one, each atomically. A copy of what was
// received and a list of sums lie in queue/rids; they tell a local change from one of ours, over
// restarts too, and are what a changed file is restored from.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "product/paths.h"

namespace ospatrol::agentd {

class SharedFiles {
 public:
  struct Settings {
    bool restore = true;
    // Who `uid` is; empty when unknown.
    std::function<std::string(unsigned uid)> user_name;
    unsigned own_uid = 0;
  };

  // Reads what is stored. What is in etc/shared at the first start of all counts as received.
  SharedFiles(const Home& home, Settings settings);
  void SetRestore(bool restore) { settings_.restore = restore; }

  // ---- receiving ----

  struct Verdict {
    bool accepted = true;
    std::string reason;  // why not
    size_t files = 0;
    bool agent_conf_changed = false;
  };
  // `name` is merged.mg or one file. `content` has the sum that the manager named.
  Verdict Install(std::string_view name, std::string_view content);

  // For keep-alives: hex digits, empty when there is no such file.
  const std::string& merged_md5() const { return merged_md5_; }
  const std::string& agent_conf_md5() const { return agent_conf_md5_; }
  // SHA-256, 32 bytes; zeros when there is no such file.
  std::array<uint8_t, 32> merged_sha256() const;
  // Of the agent.conf that this agent works with: the one present at its start or last reload. A
  // newer one that has been received counts from then on.
  std::array<uint8_t, 32> agent_conf_in_use() const;
  // The daemons of this agent read agent.conf again.
  void TakeIntoUse() { agent_conf_in_use_ = agent_conf_sha256_; }

  // ---- watching ----

  struct Change {
    std::string file;  // "etc/shared/agent.conf"
    enum class Kind { kModified, kAdded, kRemoved } kind = Kind::kModified;
    std::string user;  // empty: not known
    enum class Outcome { kLeft, kRestored, kFailed } outcome = Outcome::kLeft;
    std::string Text() const;  // "'etc/shared/agent.conf' modified by user 'alice'; restored"
  };
  // Compares the files with the stored sums, where their facts (inode, size, times) changed;
  // restores what was received and is to be restored; what it tells once it does not tell again.
  std::vector<Change> FindChanges();

  // A received file could not be restored from the copy: the manager should send it again.
  bool wants_resend() const { return wants_resend_; }

 private:
  struct Facts {
    uint64_t inode = 0, size = 0;
    int64_t modified_ns = 0, changed_ns = 0;
    bool operator==(const Facts&) const = default;
  };
  struct Entry {
    std::string sha256;  // hex
    bool received = false;
    Facts facts;  // when the sum was last compared
  };

  std::filesystem::path PathOf(const std::string& name) const;
  bool Load();
  void Save();
  void TakePresent();
  void RefreshSums();
  bool WriteShared(const std::string& name, std::string_view content);
  void Remember(const std::string& name, std::string_view content, bool received);
  std::vector<std::string> Present() const;
  std::optional<Change> Compare(const std::string& name, Entry& entry);
  Change::Outcome Restore(const std::string& name, Entry& entry);
  std::optional<std::string> CopyOf(const std::string& name, const Entry& entry) const;
  std::string WriterOf(const std::string& name) const;

  Home home_;
  Settings settings_;
  std::map<std::string, Entry> entries_;  // by name in etc/shared, or kConfigurationName
  std::string merged_md5_, agent_conf_md5_, merged_sha256_, agent_conf_sha256_;
  std::string agent_conf_in_use_;
  bool wants_resend_ = false;
};

}  // namespace ospatrol::agentd
