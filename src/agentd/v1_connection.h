// A server that is spoken to with protocol version 1: the socket of a V1Session, and the spool
// emptying into it.
//
// Version 1 acknowledges no event. An event leaves the spool when it has been sent, or, with
// <repeat_unacknowledged>, when the manager has answered something that was said after it; what had
// been sent since the last such answer is then sent again after an outage. What piled up during an
// outage goes out slowly at first, so that it does not get lost in the buffers on the way.
#pragma once

#include <string>
#include <string_view>

#include "agentd/connection.h"
#include "agentd/v1_session.h"

namespace ospatrol::agentd {

class V1Connection final : public Connection, private V1Session::Owner {
 public:
  V1Connection(ChannelContext& context, std::string server, UdpSocket socket, secure::Cipher cipher,
               bool announce_v2, Events events);

  void Start() override;
  void EventsAdded(bool urgent) override;
  void FilesChanged() override;
  void Hold(bool on) override;
  void Finish(int64_t limit_ms) override;

  secure::Cipher cipher() const { return session_.cipher(); }

 private:
  bool Datagram(std::string_view bytes) override;
  void OnRefused() override;
  void OnWake() override;

  Sent SendDatagram(std::string_view datagram) override;
  std::string KeepAlive() override;
  void Answered() override;
  void RoundFailed() override { TellRoundFailed(); }
  void Lost(std::string_view reason) override { TellLost(std::string(reason)); }
  void FromManager(const secure::ManagerMessage& message) override;
  bool FileOpen() const override;

  void Drain();
  void Refill(int64_t now_ms);
  void Release();
  void Arm();

  V1Session session_;
  bool announce_v2_;
  bool held_ = false;
  bool refused_ = false;  // by the host, since the last look
  uint64_t next_to_send_ = 0;
  // Packets a second that may go out, and how many may go now.
  double rate_ = 0, tokens_ = 0;
  int64_t refilled_ms_ = 0, paced_since_ms_ = 0;
  int64_t files_told_ms_ = 0;
  daemon::EventLoop::Registration drain_timer_;

  log::Limited<msg::kCannotSend> send_failed_;
};

}  // namespace ospatrol::agentd
