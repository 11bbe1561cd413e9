// A server that is spoken to with protocol version 2: the socket of an AgentLink, the spool as the
// link sees it, and what the manager asks.
//
// An event leaves the spool when the manager has said that it is stored. Numbers of controls that
// were acted on are kept in a file, so that a response is carried out once, over restarts too.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentd/connection.h"
#include "secure/v2/agent_link.h"

namespace ospatrol::agentd {

// The spool as a link sees it.
class SpoolSource final : public secure::v2::EventSource {
 public:
  explicit SpoolSource(Spool& spool) : spool_(spool) {}

  secure::v2::SpoolId id() const override { return spool_.id(); }
  uint64_t first() const override { return spool_.first(); }
  uint64_t next() const override { return spool_.next(); }
  std::optional<std::string_view> Event(uint64_t number) override;
  void Acknowledged(uint64_t number) override;
  void SetBack() override;

  // The hand-shake is complete. False: the manager's events are of another life of the spool, which
  // has a new id now: the link must begin again.
  bool Confirm();

 private:
  Spool& spool_;
  uint64_t gap_first_ = 0, gap_next_ = 0;  // numbers that are known to be lost
  bool confirmed_ = false;
  bool contradicted_ = false;
};

// What a link sees that only asks whether a server is there: a spool without events.
class EmptySource final : public secure::v2::EventSource {
 public:
  EmptySource();
  secure::v2::SpoolId id() const override { return id_; }
  uint64_t first() const override { return 1; }
  uint64_t next() const override { return 1; }
  std::optional<std::string_view> Event(uint64_t /*number*/) override { return std::nullopt; }
  void Acknowledged(uint64_t /*number*/) override {}
  void SetBack() override {}

 private:
  secure::v2::SpoolId id_{};
};

class V2Connection final : public Connection, private secure::v2::AgentPeer {
 public:
  enum class Use { kEvents, kProbe };

  V2Connection(ChannelContext& context, std::string server, UdpSocket socket, Use use,
               Events events);
  ~V2Connection() override;

  Facts facts() const override { return facts_; }
  void Start() override;
  void EventsAdded(bool urgent) override;
  void FilesChanged() override;
  void Finish(int64_t limit_ms) override;

 private:
  bool Datagram(std::string_view bytes) override;
  void OnRefused() override {}
  void OnWake() override { Pump(); }

  std::optional<uint64_t> NextHelloCounter(uint64_t at_least) override;
  void Established(const Session& session) override;
  void Unreachable() override;
  void ClosedByManager(uint16_t reason, std::string_view text) override;
  Answer Control(std::string_view text) override;
  void ControlDone(uint64_t number) override;
  bool FileBegins(std::string_view name, uint64_t size) override;
  bool FileBytes(std::string_view name, secure::v2::Bytes bytes) override;
  FileVerdict FileComplete(std::string_view name) override;
  void FileAborted(std::string_view name) override;
  secure::v2::StatusFrame Status() override;

  void MakeLink();
  // Sends what the link has to send, and sleeps until it wants something again.
  void Pump();
  void PumpSoon();
  enum class Sending { kDone, kMore, kBusy };
  Sending SendSome();
  std::vector<uint64_t> LoadControls() const;
  void SaveControls() const;

  Use use_;
  std::unique_ptr<secure::v2::EventSource> source_;
  SpoolSource* spool_source_ = nullptr;  // source_, unless it is a probe
  secure::v2::KernelRandom random_;
  std::unique_ptr<secure::v2::AgentLink> link_;
  bool inside_ = false;  // a method of the link is running
  bool pump_posted_ = false;
  bool begin_again_ = false;
  Facts facts_;
  std::vector<uint64_t> controls_;  // acted on, oldest first
  daemon::EventLoop::Registration writable_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  log::Limited<msg::kChannelStateFailed> state_failed_;
  log::Limited<msg::kReceiveProblem> problem_;
};

}  // namespace ospatrol::agentd
