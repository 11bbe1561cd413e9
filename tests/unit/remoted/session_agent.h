// An agent of version 2 without disk: its events are made up, its datagrams go where its owner
// sends them. For tests and for the benchmark.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "secure/v2/agent_link.h"
#include "secure/v2/manager_link.h"

namespace ospatrol::remoted {

class SessionAgent final : public secure::v2::EventSource, public secure::v2::AgentPeer {
 public:
  using MakeEvent = std::function<std::string(uint64_t number)>;

  SessionAgent(std::string id, std::string name, std::string key, MakeEvent make_event,
               secure::v2::RandomSource& random, bool probe = true)
      : make_event_(std::move(make_event)),
        link(ConfigOf(std::move(id), std::move(name), std::move(key), probe), *this, *this,
             random) {
    random.Fill(spool_);
    uname = "Linux test 6.1 #1 x86_64 - OSPatrol v0.1.0";
  }

  void AddEvents(uint64_t count) { next_ += count; }
  uint64_t acknowledged() const { return first_ - 1; }

  // EventSource
  secure::v2::SpoolId id() const override { return spool_; }
  uint64_t first() const override { return first_; }
  uint64_t next() const override { return next_; }
  std::optional<std::string_view> Event(uint64_t number) override {
    event_ = make_event_(number);
    return event_;
  }
  void Acknowledged(uint64_t number) override { first_ = number + 1; }
  void SetBack() override { ++spool_[0]; }

  // AgentPeer
  std::optional<uint64_t> NextHelloCounter(uint64_t at_least) override {
    return hello_ = std::max(hello_ + 1, at_least);
  }
  void Established(const Session& session) override { stay = session.stay; }
  void Unreachable() override {}
  void ClosedByManager(uint16_t reason, std::string_view) override { closed = reason; }
  Answer Control(std::string_view text) override {
    controls.emplace_back(text);
    return {};
  }
  void ControlDone(uint64_t) override {}
  bool FileBegins(std::string_view, uint64_t) override {
    file.clear();
    return true;
  }
  bool FileBytes(std::string_view, secure::v2::Bytes bytes) override {
    file.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return true;
  }
  FileVerdict FileComplete(std::string_view name) override {
    merged_sum = secure::v2::Sum256(file);
    files.emplace_back(name);
    return {};
  }
  void FileAborted(std::string_view) override {}
  secure::v2::StatusFrame Status() override {
    secure::v2::StatusFrame status;
    status.merged_sum = merged_sum;
    status.uname = uname;
    return status;
  }

  std::vector<std::string> controls, files;
  std::string file, uname;
  secure::v2::FileSum merged_sum{};
  bool stay = false;
  int closed = -1;  // reason of the manager's CLOSE

 private:
  static secure::v2::AgentLink::Config ConfigOf(std::string id, std::string name, std::string key,
                                                bool probe) {
    secure::v2::AgentLink::Config config;
    config.agent_id = std::move(id);
    config.name = std::move(name);
    config.key = std::move(key);
    config.product = "OSPatrol test";
    config.probe = probe;
    return config;
  }

  MakeEvent make_event_;
  secure::v2::SpoolId spool_{};
  uint64_t first_ = 1, next_ = 1, hello_ = 1'700'000'000'000'000;
  std::string event_;

 public:
  secure::v2::AgentLink link;
};

}  // namespace ospatrol::remoted
