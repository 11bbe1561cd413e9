// The inside of AgentLink: one state machine, driven by datagrams, by time and by its owner.
//
//   no session  --HELLO/WELCOME-->  session  --RESET, CLOSE-->  no session
//
// While there is a session a HELLO is said too: when its keys are worn, and when the manager is
// silent. The old session goes on until the WELCOME.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "secure/v2/agent_files.h"
#include "secure/v2/event_outbox.h"

namespace ospatrol::secure::v2 {

class AgentLink::Core {
 public:
  Core(Config config, EventSource& source, AgentPeer& peer, RandomSource& random);

  void Start(Now now);
  Verdict Receive(Now now, Bytes datagram);
  void EventsAdded(Now now, bool urgent) { events_.Added(now.monotonic_ms, urgent); }
  void StatusChanged() { status_waits_ = true; }
  void Close(CloseReason reason, std::string_view text);
  size_t NextDatagram(Now now, MutableBytes out);
  int64_t NextWake(Now now) const;
  Info info() const;

 private:
  struct ControlDone {
    uint64_t number = 0;
    ControlResult result = ControlResult::kDone;
    std::string text;
  };
  struct ControlAck {
    uint64_t number = 0;
    bool waits = true;  // not on its way
  };
  struct Old {
    Session session;
    int64_t until_ms = 0;
  };

  // agent_core_hello.cpp: the hand-shake.
  void SayHelloAt(int64_t when_ms);
  size_t SendHello(Now now, MutableBytes out);
  bool MakeHello(Now now);
  void EndRound(Now now);
  Verdict TakeWelcome(Now now, Bytes datagram);
  Verdict TakeStale(Now now, Bytes datagram);
  Verdict TakeCookie(Now now, Bytes datagram);
  Verdict TakeReset(Now now, Bytes datagram);
  void Establish(Now now, const Initiator::Result& result);
  void EndSession();
  void SetBack(Now now);
  int64_t Jitter(int64_t about_ms);

  // agent_core.cpp: what comes in.
  Verdict TakeData(Now now, Bytes datagram);
  Verdict TakeFrames(Now now, Bytes frames, bool current, bool& asks);
  Verdict TakeFrame(Now now, const FrameReader::Item& item, bool current);
  bool TakeAck(Now now, const AckFrame& ack, bool current);
  void TakeControl(Now now, const ControlFrame& frame);
  void TakeClose(Now now, const CloseFrame& frame);
  void Heard(Now now);

  // agent_core_send.cpp: what goes out.
  void Tidy(Now now);
  void CheckClocks(Now now);
  void CheckSilence(Now now);
  void Settle(Now now);
  bool WantsPing(Now now) const;
  bool WantsProbe(Now now) const;
  bool WantsCargo(Now now) const;
  bool MaySendEvents(Now now) const;
  void PutAck(FrameWriter& writer, Now now);
  void PutCargo(FrameWriter& writer, Manifest& manifest, Now now);
  void PutStatus(FrameWriter& writer, Manifest& manifest, Now now);
  void PutControlAcks(FrameWriter& writer, Manifest& manifest);
  void PutPing(FrameWriter& writer, Manifest& manifest, Now now);
  void PutProbe(FrameWriter& writer, Manifest& manifest);
  size_t Room() const { return datagram_ - kHeaderSize - kTagSize; }
  int64_t PingInterval() const;
  void NoteProgress(Now now);

  Config config_;
  const Psk psk_;
  EventSource& source_;
  AgentPeer& peer_;
  RandomSource& random_;
  AeadEngine aead_;
  std::array<uint8_t, kMaxDatagram> plain_{};

  // Hand-shake.
  std::unique_ptr<Initiator> initiator_;
  int64_t hello_at_ms_ = kNever;    // when the next HELLO goes out
  int64_t hello_first_ms_ = 0;      // when this HELLO went out first
  uint64_t hello_first_event_ = 1;  // what it said
  int hello_tries_ = 0;             // of this HELLO
  int64_t round_pause_ms_ = 0;      // after the last round of HELLOs
  int64_t reset_pause_ms_ = 0;      // after the last RESET of a young session
  uint64_t counter_floor_ = 0;      // from STALE
  bool silent_ = false;             // the manager does not answer in the present session

  // Session.
  std::optional<Session> session_;
  std::optional<Old> old_;
  ResetToken reset_{};
  uint32_t ended_remote_ = 0;  // the manager's id of the session before
  ManagerId manager_{};
  int64_t manager_began_ms_ =
      0;  // our clock at (a little before) the manager's beginning of the session
  int64_t clock_difference_ms_ = 0;  // wall - monotonic at the beginning
  uint16_t peer_datagram_ = kSafeDatagram;
  uint16_t keep_alive_s_ = 600;
  Acknowledger acknowledger_;
  Sender sender_;
  Sender::Fate fate_;
  int64_t heard_ms_ = 0;
  int64_t asked_ms_ = kNever;  // since when an answer is due

  // Cargo.
  EventOutbox events_;
  AgentFiles files_;
  std::deque<struct ControlDone> controls_done_;
  std::vector<ControlAck> control_acks_;
  bool status_waits_ = false;
  int64_t status_at_ms_ = kNever;
  bool manager_busy_ = false;
  bool ping_on_way_ = false;
  int64_t ping_at_ms_ = 0;
  int pings_ = 0;            // in a row without progress
  int64_t progress_ms_ = 0;  // when the stored number rose last
  PingCookie pong_{};
  bool has_pong_ = false;
  size_t datagram_ = kSafeDatagram;
  size_t probe_ = 0;  // index of the size to try next
  int probe_tries_ = 0;
  bool probe_on_way_ = false;
  bool close_waits_ = false;
  bool closed_ = false;
  CloseReason close_reason_ = CloseReason::kStop;
  std::string close_text_;
};

}  // namespace ospatrol::secure::v2
