// All log paths of the configuration: expands patterns, wakes what has grown, gives everyone a fair
// turn.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/sections.h"
#include "logcollector/file_watcher.h"
#include "logcollector/glance.h"
#include "logcollector/log_source.h"
#include "logcollector/notices.h"
#include "logcollector/position_store.h"
#include "logcollector/sink.h"

namespace ospatrol::logcollector {

class SourceSet final : public SourceHost {
 public:
  static constexpr size_t kTurn = size_t{1}
                                  << 20;  // bytes of one file before the next has its turn

  SourceSet(PositionStore& store, Notices& notices, FileWatcher& watcher);
  ~SourceSet() override;

  // At start and at each reload. Paths that stay keep their open files; positions of those that go
  // are kept on disk. REQUIRES: FindFormat knows each section's format.
  void Configure(const std::vector<config::LocalFileSection>& sections, Clock::time_point now);

  // Every loop_timeout: patterns are expanded again, every path is looked at, everything that is
  // not calm is read. False when everything is calm.
  bool Poll(Clock::time_point now);
  // After wake-ups: looks at the paths that they named.
  void CheckNamed(Clock::time_point now);

  // One turn for everyone who may have something. False when the sink is full.
  bool Service(Sink& sink, Clock::time_point now);
  bool HasWork() const { return !ready_.empty(); }

  // Every second while HasPending: incomplete lines of quiet files, finished generations, positions
  // to disk.
  void Tick(Clock::time_point now);
  bool HasPending() const;
  // At exit.
  void Save();

  std::vector<const LogSource*> sources() const;

  void Wake(LogSource& source) override;
  void Recheck(LogSource& source) override;
  const LogSource* ReaderOf(const FileIdentity& identity, const LogSource& asking) override;

 private:
  struct Slot {
    std::unique_ptr<LogSource> source;
    std::string directory;
    bool ready = false;
  };
  struct DirectoryWatch {
    FileWatcher::Watch watch;
    std::optional<FileIdentity> identity;  // of what is watched; none: nothing is there
    bool present_facts = false;
    Glance glance;      // of Poll
    bool same = false;  // no name can have been added between the last two Polls
  };
  using EntryPointer = std::shared_ptr<const Entry>;
  using Wanted = std::map<std::string, EntryPointer>;

  void LoadEntries(const std::vector<config::LocalFileSection>& sections);
  Wanted Expand();
  void ExpandGlob(const EntryPointer& entry, Wanted& wanted);
  std::string ExpandDate(const std::string& pattern);
  void Want(Wanted& wanted, const std::string& path, const EntryPointer& entry);
  void Apply(const Wanted& wanted, bool at_start, Clock::time_point now);
  static bool MayComeBack(const LogSource& source, Clock::time_point now);
  void DropForgotten(const Wanted& wanted);
  void Create(const std::string& path, const EntryPointer& entry, bool wanted, bool at_start,
              Clock::time_point now);
  void ResumeUnfinished(const Wanted& wanted, Clock::time_point now);
  void Erase(std::map<std::string, Slot>::iterator slot);
  void SetDirectories(const Wanted& wanted);
  void WatchDirectories();
  void Watch(const std::string& directory, const Look& look, DirectoryWatch& watched);
  void LookAtDirectories(Clock::time_point now);
  bool IsSamePlace(const std::string& directory) const;
  void DirectoryChanged(const std::string& directory, std::string_view name);
  void Maintain(Clock::time_point now);
  void MarkEntriesSeen();

  PositionStore& store_;
  Notices& notices_;
  FileWatcher& watcher_;
  std::vector<EntryPointer> entries_;
  bool has_patterns_ = false;
  bool has_dates_ = false;
  std::map<std::string, Slot> sources_;  // by path
  std::deque<Slot*> ready_;
  std::set<std::string> to_check_;  // paths
  bool expand_soon_ = false;
  bool check_all_ = false;
  std::map<std::string, DirectoryWatch> directories_;
  std::map<std::string, std::string> date_names_;  // pattern -> last name
  std::set<std::string> reported_;                 // patterns and duplicates complained about
  Clock::time_point entries_marked_{};
  Clock::time_point purged_{};
};

}  // namespace ospatrol::logcollector
