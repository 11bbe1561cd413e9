#include "agentd/shared_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "config/agent_conf.h"
#include "log/log.h"
#include "secure/control_message.h"
#include "secure/merged_file.h"

namespace ospatrol::agentd {
namespace {

constexpr std::string_view kSumsFile = "queue/rids/shared.sums";
constexpr std::string_view kCopyFile = "queue/rids/shared.mg";
constexpr std::string_view kAgentConfName = "agent.conf";
constexpr std::string_view kConfigurationName = "/";  // no name in etc/shared: ospatrol.conf
constexpr mode_t kMode = 0640;
constexpr size_t kMostFiles = 4096;

std::array<uint8_t, 32> FromHex(std::string_view hex) {
  std::array<uint8_t, 32> bytes{};
  if (hex.size() != 2 * bytes.size()) return bytes;
  for (size_t i = 0; i < bytes.size(); ++i) {
    unsigned value = 0;
    std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, value, 16);
    bytes[i] = static_cast<uint8_t>(value);
  }
  return bytes;
}

int64_t Nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Nothing when it is not there or no regular file.
std::optional<struct stat> Look(const std::filesystem::path& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  return facts;
}

// Nothing when it is not there, cannot be read or is larger than any that is sent.
std::optional<std::string> ReadRegular(const std::filesystem::path& path) {
  if (!Look(path)) return std::nullopt;
  try {
    return base::ReadFileIfPresent(path, secure::kMaxMergedFile);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string_view Word(SharedFiles::Change::Kind kind) {
  switch (kind) {
    case SharedFiles::Change::Kind::kAdded:
      return "added";
    case SharedFiles::Change::Kind::kRemoved:
      return "removed";
    default:
      return "modified";
  }
}

}  // namespace

std::string SharedFiles::Change::Text() const {
  std::string text = fmt::format("'{}' {}", file, Word(kind));
  if (!user.empty()) text += fmt::format(" by user '{}'", user);
  if (outcome == Outcome::kRestored) text += "; restored";
  if (outcome == Outcome::kFailed) text += "; cannot be restored, asked for again";
  return text;
}

SharedFiles::SharedFiles(const Home& home, Settings settings)
    : home_(home), settings_(std::move(settings)) {
  if (!Load()) TakePresent();
  RefreshSums();
  TakeIntoUse();
}

std::filesystem::path SharedFiles::PathOf(const std::string& name) const {
  if (name == kConfigurationName) return home_ / paths::kConfiguration;
  return home_ / paths::kShared / name;
}

// ---- stored sums: "<sha256> <r|o> <name>" a line ----

bool SharedFiles::Load() {
  std::optional<std::string> text;
  try {
    text = base::ReadFileIfPresent(home_ / kSumsFile);
  } catch (const Error& error) {
    log::Write<msg::kSharedNotWritten>((home_ / kSumsFile).native(), error.what());
  }
  if (!text) return false;
  for (const std::string_view line : base::Split(*text, '\n')) {
    constexpr size_t kSum = 64;
    if (line.size() < kSum + 4 || line[kSum] != ' ' || line[kSum + 2] != ' ') continue;
    entries_[std::string(line.substr(kSum + 3))] = {.sha256 = std::string(line.substr(0, kSum)),
                                                    .received = line[kSum + 1] == 'r',
                                                    .facts = {}};
  }
  return true;
}

void SharedFiles::Save() {
  std::string text;
  for (const auto& [name, entry] : entries_) {
    text += fmt::format("{} {} {}\n", entry.sha256, entry.received ? 'r' : 'o', name);
  }
  try {
    base::WriteFileAtomically(home_ / kSumsFile, text, kMode);
  } catch (const Error& error) {
    log::Write<msg::kSharedNotWritten>((home_ / kSumsFile).native(), error.what());
  }
}

void SharedFiles::TakePresent() {
  for (const std::string& name : Present()) {
    if (const auto content = ReadRegular(PathOf(name))) Remember(name, *content, false);
  }
  Save();
}

std::vector<std::string> SharedFiles::Present() const {
  std::vector<std::string> names{std::string(kConfigurationName)};
  std::error_code error;
  for (std::filesystem::directory_iterator file(home_ / paths::kShared, error), end;
       !error && file != end && names.size() < kMostFiles; file.increment(error)) {
    std::string name = file->path().filename().native();
    // Names with a dot in front are being written, and are never received.
    if (!name.starts_with('.') && name.find('\n') == std::string::npos) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

void SharedFiles::Remember(const std::string& name, std::string_view content, bool received) {
  entries_[name] = {.sha256 = base::Sha256Hex(content), .received = received, .facts = {}};
}

// The sums that the manager is told are those of the files as they are.
void SharedFiles::RefreshSums() {
  const auto merged = ReadRegular(PathOf(std::string(secure::kMergedName)));
  merged_md5_ = merged ? base::Md5Hex(*merged) : std::string();
  merged_sha256_ = merged ? base::Sha256Hex(*merged) : std::string();
  const auto agent_conf = ReadRegular(PathOf(std::string(kAgentConfName)));
  agent_conf_md5_ = agent_conf ? base::Md5Hex(*agent_conf) : std::string();
  agent_conf_sha256_ = agent_conf ? base::Sha256Hex(*agent_conf) : std::string();
}

std::array<uint8_t, 32> SharedFiles::merged_sha256() const { return FromHex(merged_sha256_); }
std::array<uint8_t, 32> SharedFiles::agent_conf_in_use() const {
  return FromHex(agent_conf_in_use_);
}

// ---- receiving ----

SharedFiles::Verdict SharedFiles::Install(std::string_view name, std::string_view content) {
  Verdict verdict;
  std::vector<secure::SharedFile> files;
  const bool merged = name == secure::kMergedName;
  if (merged) {
    secure::SplitFiles split = secure::Split(content);
    if (!split.files) {
      verdict.accepted = false;
      verdict.reason = split.problems.empty() ? "its content is cut" : split.problems.front();
      return verdict;
    }
    files = std::move(*split.files);
  } else {
    if (const auto fault = secure::SharedNameFault(name)) {
      verdict.accepted = false;
      verdict.reason = *fault;
      return verdict;
    }
    files.push_back({std::string(name), std::string(content)});
  }
  const std::string conf_before = agent_conf_md5_;
  bool complete = true;  // all files could be written
  for (const secure::SharedFile& file : files) {
    if (file.name != kAgentConfName) continue;
    if (const auto fault = config::AgentConfFault(file.content)) {
      verdict.accepted = false;
      verdict.reason = *fault;
    }
  }
  if (verdict.accepted) {
    for (auto& [old, entry] : entries_) {
      if (merged) entry.received = false;  // what is not in the new one stays, as a local file
    }
    for (const secure::SharedFile& file : files) {
      Remember(file.name, file.content, true);
      if (WriteShared(file.name, file.content)) continue;
      verdict.accepted = complete = false;
      verdict.reason = fmt::format("{} cannot be written", file.name);
      const auto present = ReadRegular(PathOf(file.name));
      Remember(file.name, present.value_or(""), false);
      if (!present) entries_.erase(file.name);
    }
    verdict.files = files.size();
  }
  if (merged && complete) {
    // Also one whose agent.conf was refused: the manager then knows that it has been received, and
    // sends it again only when it changes.
    Remember(std::string(secure::kMergedName), content, true);
    WriteShared(std::string(secure::kMergedName), content);
    if (verdict.accepted) {
      try {
        base::WriteFileAtomically(home_ / kCopyFile, content, kMode);
      } catch (const Error& error) {
        log::Write<msg::kSharedNotWritten>((home_ / kCopyFile).native(), error.what());
      }
    }
  }
  wants_resend_ = false;
  Save();
  RefreshSums();
  verdict.agent_conf_changed = verdict.accepted && agent_conf_md5_ != conf_before;
  return verdict;
}

bool SharedFiles::WriteShared(const std::string& name, std::string_view content) {
  const std::filesystem::path path = PathOf(name);
  if (ReadRegular(path) == content) return true;
  try {
    base::WriteFileAtomically(path, content, kMode);
    return true;
  } catch (const Error& error) {
    log::Write<msg::kSharedNotWritten>(path.native(), error.what());
    return false;
  }
}

// ---- watching ----

std::vector<SharedFiles::Change> SharedFiles::FindChanges() {
  std::vector<Change> changes;
  for (const std::string& name : Present()) {
    if (!entries_.contains(name)) entries_[name] = {};
  }
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (auto change = Compare(entry->first, entry->second)) changes.push_back(std::move(*change));
    entry = entry->second.sha256.empty() ? entries_.erase(entry) : std::next(entry);
  }
  if (changes.empty()) return changes;
  Save();
  RefreshSums();
  return changes;
}

std::optional<SharedFiles::Change> SharedFiles::Compare(const std::string& name, Entry& entry) {
  const auto look = Look(PathOf(name));
  Facts facts;
  if (look) {
    facts = {look->st_ino, static_cast<uint64_t>(look->st_size), Nanoseconds(look->st_mtim),
             Nanoseconds(look->st_ctim)};
    if (facts == entry.facts && !entry.sha256.empty()) return std::nullopt;
  }
  const auto content = look ? ReadRegular(PathOf(name)) : std::nullopt;
  const std::string sum = content ? base::Sha256Hex(*content) : std::string();
  entry.facts = facts;
  if (sum == entry.sha256) return std::nullopt;

  Change change;
  change.file = name == kConfigurationName ? std::string(paths::kConfiguration)
                                           : std::string(paths::kShared) + "/" + name;
  change.kind = entry.sha256.empty() ? Change::Kind::kAdded
                : sum.empty()        ? Change::Kind::kRemoved
                                     : Change::Kind::kModified;
  change.user = WriterOf(name);
  if (entry.received && settings_.restore) {
    change.outcome = Restore(name, entry);
    return change;
  }
  entry.sha256 = sum;
  return change;
}

SharedFiles::Change::Outcome SharedFiles::Restore(const std::string& name, Entry& entry) {
  const auto copy = CopyOf(name, entry);
  if (copy && WriteShared(name, *copy)) {
    entry.facts = {};
    return Change::Outcome::kRestored;
  }
  // Without merged.mg the next keep-alive makes the manager send everything.
  wants_resend_ = true;
  ::unlink(PathOf(std::string(secure::kMergedName)).c_str());
  entry.sha256.clear();
  return Change::Outcome::kFailed;
}

std::optional<std::string> SharedFiles::CopyOf(const std::string& name, const Entry& entry) const {
  const auto right = [&entry](const std::string& content) {
    return base::Sha256Hex(content) == entry.sha256;
  };
  auto merged = ReadRegular(home_ / kCopyFile);
  if (!merged) return std::nullopt;
  if (name == secure::kMergedName) {
    return right(*merged) ? std::move(merged) : std::nullopt;
  }
  secure::SplitFiles split = secure::Split(*merged);
  if (!split.files) return std::nullopt;
  for (secure::SharedFile& file : *split.files) {
    if (file.name == name && right(file.content)) return std::move(file.content);
  }
  return std::nullopt;
}

// The owner tells when somebody else than us wrote a new file in place of ours; a file that only
// root may write was written by root. Else nobody can say.
std::string SharedFiles::WriterOf(const std::string& name) const {
  const auto facts = Look(PathOf(name));
  if (!facts || facts->st_uid == settings_.own_uid) return {};
  constexpr mode_t kOthersMayWrite = S_IWGRP | S_IWOTH;
  if (facts->st_uid == 0 && (facts->st_mode & kOthersMayWrite) != 0) return {};
  const std::string user = settings_.user_name ? settings_.user_name(facts->st_uid) : "";
  return user.empty() ? fmt::format("uid {}", facts->st_uid) : user;
}

}  // namespace ospatrol::agentd
