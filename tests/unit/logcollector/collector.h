// Everything of the collector but its daemon and its sockets, with a clock that tests advance.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fake_sink.h"
#include "logcollector/file_watcher.h"
#include "logcollector/notices.h"
#include "logcollector/position_store.h"
#include "logcollector/source_set.h"

namespace ospatrol::logcollector {

class Collector {
 public:
  explicit Collector(const std::filesystem::path& database)
      : store(database),
        notices(std::make_shared<Notices>(store)),
        sources(store, *notices, watcher) {}

  static config::LocalFileSection Section(const std::filesystem::path& location,
                                          bool from_beginning = false) {
    config::LocalFileSection section;
    section.location = location.native();
    section.log_format = "syslog";
    section.read_from_beginning = from_beginning;
    return section;
  }

  void Configure(const std::vector<config::LocalFileSection>& sections) {
    sources.Configure(sections, now);
  }

  // Looks at everything and offers what there is.
  void Read(FakeSink& sink) {
    sources.Poll(now);
    Offer(sink);
  }
  void Offer(FakeSink& sink) {
    bool room = true;
    for (int rounds = 0; rounds < 10000; ++rounds) {
      room = notices->OfferTo(sink) && sources.Service(sink, now);
      if (!room || (!sources.HasWork() && !notices->HasWaiting())) return;
    }
  }
  void ReadAndAnswer(FakeSink& sink) {
    Read(sink);
    sink.AnswerAll();
  }
  // What the daemon does each second, after `time` has gone by.
  void Wait(std::chrono::seconds time) {
    now += time;
    sources.Tick(now);
  }

  PositionStore store;
  std::shared_ptr<Notices> notices;
  FileWatcher watcher;
  SourceSet sources;
  Clock::time_point now = Clock::now();
};

}  // namespace ospatrol::logcollector
