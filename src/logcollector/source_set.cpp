#include "logcollector/source_set.h"

#include <glob.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/time.h"

namespace ospatrol::logcollector {
namespace {

constexpr std::chrono::minutes kMarkEntries{1};
constexpr std::chrono::hours kPurge{24};
constexpr size_t kLongestPath = 4095;

bool IsGlob(std::string_view location) {
  return location.find_first_of("*?[") != std::string_view::npos;
}
bool IsDate(std::string_view location) { return location.find('%') != std::string_view::npos; }

std::vector<std::string> GlobMatches(const std::string& pattern) {
  std::vector<std::string> matches;
  glob_t found{};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    matches.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return matches;
}

std::string DirectoryOf(const std::string& path) {
  return std::filesystem::path(path).parent_path().native();
}

}  // namespace

SourceSet::SourceSet(PositionStore& store, Notices& notices, FileWatcher& watcher)
    : store_(store), notices_(notices), watcher_(watcher) {}

SourceSet::~SourceSet() = default;

void SourceSet::Configure(const std::vector<config::LocalFileSection>& sections,
                          Clock::time_point now) {
  LoadEntries(sections);
  if (entries_.empty()) log::Write<msg::kNoFileConfigured>();
  const Wanted wanted = Expand();
  DropForgotten(wanted);
  // One transaction for all new rows.
  store_.Atomically([&] {
    Apply(wanted, true, now);
    ResumeUnfinished(wanted, now);
    return true;
  });
  MarkEntriesSeen();
  entries_marked_ = now;
  if (purged_ == Clock::time_point{}) {
    store_.Purge(base::WallNow());
    purged_ = now;
  }
}

void SourceSet::LoadEntries(const std::vector<config::LocalFileSection>& sections) {
  std::map<std::string, std::optional<base::Seconds>> known;
  for (const EntryPointer& entry : entries_) known[entry->section.location] = entry->seen_before;
  entries_.clear();
  reported_.clear();
  has_patterns_ = false;
  has_dates_ = false;
  for (const config::LocalFileSection& section : sections) {
    const Format* format = FindFormat(section.log_format);
    if (format == nullptr) continue;
    const auto earlier = known.find(section.location);
    const auto seen = earlier != known.end() ? earlier->second : store_.EntrySeen(section.location);
    entries_.push_back(std::make_shared<const Entry>(Entry{section, format, seen}));
    has_patterns_ = has_patterns_ || IsGlob(section.location);
    has_dates_ = has_dates_ || IsDate(section.location);
  }
}

SourceSet::Wanted SourceSet::Expand() {
  Wanted wanted;
  for (const EntryPointer& entry : entries_) {
    const std::string& location = entry->section.location;
    if (IsGlob(location)) {
      ExpandGlob(entry, wanted);
    } else if (IsDate(location)) {
      const std::string name = ExpandDate(location);
      if (!name.empty()) Want(wanted, name, entry);
    } else {
      Want(wanted, location, entry);
    }
  }
  return wanted;
}

void SourceSet::ExpandGlob(const EntryPointer& entry, Wanted& wanted) {
  const std::vector<std::string> matches = GlobMatches(entry->section.location);
  if (matches.empty() && reported_.insert(entry->section.location).second) {
    log::Write<msg::kNoGlobMatch>(entry->section.location);
  }
  for (const std::string& match : matches) {
    const std::string name = IsDate(match) ? ExpandDate(match) : match;
    const auto facts = FactsOf(name);
    // Directories and devices that a pattern happens to match were not meant.
    if (facts && facts->type != FileFacts::Type::kOther) wanted.emplace(name, entry);
  }
}

std::string SourceSet::ExpandDate(const std::string& pattern) {
  std::array<char, kLongestPath + 1> name{};
  const std::tm time = base::LocalTime(base::WallNow());
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  const size_t length = std::strftime(name.data(), name.size(), pattern.c_str(), &time);
#pragma GCC diagnostic pop
  if (length == 0) {
    if (reported_.insert(pattern).second) log::Write<msg::kBadDatePattern>(pattern);
    return {};
  }
  std::string& last = date_names_[pattern];
  if (last != name.data()) {
    last = name.data();
    log::Write<msg::kVariableFile>(last);
  }
  return last;
}

void SourceSet::Want(Wanted& wanted, const std::string& path, const EntryPointer& entry) {
  const auto [present, added] = wanted.emplace(path, entry);
  if (added) return;
  const bool pattern_came_first = IsGlob(present->second->section.location);
  if (!pattern_came_first && reported_.insert(path).second) {
    log::Write<msg::kDuplicateLogFile>(path);
  }
}

void SourceSet::Apply(const Wanted& wanted, bool at_start, Clock::time_point now) {
  for (const auto& [path, entry] : wanted) {
    const auto slot = sources_.find(path);
    if (slot == sources_.end()) {
      Create(path, entry, true, at_start, now);
    } else {
      slot->second.source->SetEntry(entry);
      slot->second.source->SetWanted(true, now);
    }
  }
  for (auto slot = sources_.begin(); slot != sources_.end();) {
    const auto present = slot++;
    LogSource& source = *present->second.source;
    if (wanted.contains(present->first) || MayComeBack(source, now)) continue;
    source.SetWanted(false, now);
    if (!source.HasOpenFiles()) Erase(present);
  }
  SetDirectories(wanted);
  WatchDirectories();
}

// Between the rename and the create of a rotation a pattern does not match the file.
bool SourceSet::MayComeBack(const LogSource& source, Clock::time_point now) {
  return source.wanted() && IsGlob(source.entry().section.location) && !FactsOf(source.path()) &&
         !source.IsMissingFor(LogSource::kLinger, now);
}

// At a reload: what no entry leads to any more is closed at once.
void SourceSet::DropForgotten(const Wanted& wanted) {
  for (auto slot = sources_.begin(); slot != sources_.end();) {
    const auto present = slot++;
    const Entry& old = present->second.source->entry();
    const auto now_wanted = wanted.find(present->first);
    const bool stays =
        now_wanted != wanted.end()
            ? now_wanted->second->format->reader == old.format->reader
            : std::any_of(entries_.begin(), entries_.end(), [&](const EntryPointer& entry) {
                return entry->section.location == old.section.location &&
                       entry->format->reader == old.format->reader;
              });
    if (!stays) Erase(present);
  }
}

void SourceSet::Create(const std::string& path, const EntryPointer& entry, bool wanted,
                       bool at_start, Clock::time_point now) {
  Slot& slot = sources_[path];
  slot.directory = DirectoryOf(path);
  slot.source = std::make_unique<LogSource>(path, entry, store_, notices_, watcher_, *this);
  if (!wanted) slot.source->SetWanted(false, now);
  slot.source->Open(at_start, now);
  if (!wanted) slot.source->SetWanted(false, now);  // what was opened is only to be finished
}

// Files of a pattern that had another name when the collector stopped: yesterday's, or one that is
// gone from its place.
void SourceSet::ResumeUnfinished(const Wanted& wanted, Clock::time_point now) {
  for (const EntryPointer& entry : entries_) {
    for (const StoredFile& row : store_.FindUnfinished(entry->section.location)) {
      if (wanted.contains(row.path) || sources_.contains(row.path)) continue;
      Create(row.path, entry, false, true, now);
    }
  }
}

void SourceSet::Erase(std::map<std::string, Slot>::iterator slot) {
  slot->second.source->Save(true);
  std::erase(ready_, &slot->second);
  sources_.erase(slot);
}

void SourceSet::SetDirectories(const Wanted& wanted) {
  std::set<std::string> needed;
  for (const auto& [path, entry] : wanted) needed.insert(DirectoryOf(path));
  for (const EntryPointer& entry : entries_) {
    const std::string directory = DirectoryOf(entry->section.location);
    if (IsGlob(entry->section.location) && !IsGlob(directory)) needed.insert(directory);
  }
  std::erase_if(directories_, [&](const auto& watch) { return !needed.contains(watch.first); });
  for (const std::string& directory : needed) directories_.try_emplace(directory);
}

void SourceSet::WatchDirectories() {
  for (auto& [directory, watched] : directories_) Watch(directory, LookAt(directory), watched);
}

// If it has come, or if another one has replaced it.
void SourceSet::Watch(const std::string& directory, const Look& look, DirectoryWatch& watched) {
  if (look.error != 0) {
    watched.watch = {};
    watched.identity.reset();
    return;
  }
  if (watched.identity == look.facts.identity) return;
  const auto callback = [this, directory](std::string_view name, bool) {
    DirectoryChanged(directory, name);
  };
  watched.watch = watcher_.WatchDirectory(directory, callback);
  watched.identity = look.facts.identity;
  watched.present_facts = HasPresentFacts(directory);
}

void SourceSet::LookAtDirectories(Clock::time_point now) {
  for (auto& [directory, watched] : directories_) {
    const Look look = LookAt(directory);
    Watch(directory, look, watched);
    const bool same = watched.glance.IsSame(look, now);
    watched.same = look.error == 0 ? same && watched.present_facts : look.error == ENOENT;
  }
}

bool SourceSet::IsSamePlace(const std::string& directory) const {
  const auto watched = directories_.find(directory);
  return watched != directories_.end() && watched->second.same;
}

void SourceSet::DirectoryChanged(const std::string& directory, std::string_view name) {
  expand_soon_ = expand_soon_ || has_patterns_;
  // Without name: the directory itself has gone, or notices were lost.
  check_all_ = check_all_ || name.empty();
  if (!name.empty()) to_check_.insert((std::filesystem::path(directory) / name).native());
}

bool SourceSet::Poll(Clock::time_point now) {
  check_all_ = false;
  expand_soon_ = false;
  to_check_.clear();
  if (has_patterns_ || has_dates_) Apply(Expand(), false, now);
  LookAtDirectories(now);
  bool calm = true;
  for (auto& [path, slot] : sources_) {
    if (slot.source->IsCalm(IsSamePlace(slot.directory), now)) continue;
    calm = false;
    slot.source->Check(now);
    Wake(*slot.source);
  }
  Maintain(now);
  return !calm;
}

void SourceSet::CheckNamed(Clock::time_point now) {
  if (check_all_) {
    Poll(now);
    return;
  }
  const std::set<std::string> paths = std::exchange(to_check_, {});
  if (std::exchange(expand_soon_, false)) Apply(Expand(), false, now);
  for (const std::string& path : paths) {
    const auto slot = sources_.find(path);
    if (slot != sources_.end()) slot->second.source->Check(now);
  }
}

bool SourceSet::Service(Sink& sink, Clock::time_point now) {
  for (size_t turns = ready_.size(); turns > 0 && !ready_.empty(); --turns) {
    Slot* slot = ready_.front();
    ready_.pop_front();
    slot->ready = false;
    const LogFile::Turn turn = slot->source->Read(sink, kTurn, now);
    if (turn == LogFile::Turn::kIdle) continue;
    // Behind the others, also when the sink is full: the next room is for someone else.
    Wake(*slot->source);
    if (turn == LogFile::Turn::kBlocked) return false;
  }
  return true;
}

void SourceSet::Tick(Clock::time_point now) {
  for (auto& [path, slot] : sources_) {
    if (slot.source->Tick(now)) Wake(*slot.source);
  }
  store_.Atomically([&] {
    for (auto& [path, slot] : sources_) slot.source->Save(false);
    return true;
  });
}

bool SourceSet::HasPending() const {
  return std::any_of(sources_.begin(), sources_.end(),
                     [](const auto& slot) { return slot.second.source->HasPending(); });
}

void SourceSet::Maintain(Clock::time_point now) {
  if (now - purged_ >= kPurge) {
    store_.Atomically([&] {
      // Rows of files that never change are touched once a day, or they would be forgotten.
      for (auto& [path, slot] : sources_) slot.source->Save(true);
      store_.Purge(base::WallNow());
      return true;
    });
    purged_ = now;
  }
  if (now - entries_marked_ >= kMarkEntries) {
    MarkEntriesSeen();
    entries_marked_ = now;
  }
}

void SourceSet::MarkEntriesSeen() {
  const base::Seconds now = base::WallNow();
  store_.Atomically([&] {
    for (const EntryPointer& entry : entries_) {
      if (!store_.MarkEntrySeen(entry->section.location, now)) return false;
    }
    return true;
  });
}

void SourceSet::Save() {
  store_.Atomically([&] {
    for (auto& [path, slot] : sources_) slot.source->Save(true);
    return true;
  });
  MarkEntriesSeen();
}

std::vector<const LogSource*> SourceSet::sources() const {
  std::vector<const LogSource*> all;
  for (const auto& [path, slot] : sources_) all.push_back(slot.source.get());
  return all;
}

void SourceSet::Wake(LogSource& source) {
  const auto found = sources_.find(source.path());
  if (found == sources_.end() || found->second.ready) return;
  found->second.ready = true;
  ready_.push_back(&found->second);
}

void SourceSet::Recheck(LogSource& source) { to_check_.insert(source.path()); }

const LogSource* SourceSet::ReaderOf(const FileIdentity& identity, const LogSource& asking) {
  for (const auto& [path, slot] : sources_) {
    if (slot.source && slot.source.get() != &asking && slot.source->IsReading(identity)) {
      return slot.source.get();
    }
  }
  return nullptr;
}

}  // namespace ospatrol::logcollector
