// The agent's side of version 2 towards one manager: hand-shake, events out of the spool, controls
// and files in.
//
// The owner (agentd) gives in every datagram of the manager that IsVersion2() and takes out what
// NextDatagram offers: after every call, and at NextWake. One link at a time works on a spool.
// Example:
//
//   link.Start(now);
//   for (;;) { while (size_t n = link.NextDatagram(now, out)) send(out.first(n));  wait until
//   link.NextWake() or input;
//              datagram -> link.Receive(now, datagram);  new event in the spool ->
//              link.EventsAdded(now, urgent); }
//
// The socket should set IP_MTU_DISCOVER to IP_PMTUDISC_PROBE (no fragments), else probing learns
// nothing; EMSGSIZE counts as a lost datagram. NextDatagram needs kMaxDatagram bytes.
//
// Thread-compatible. About 200 KiB at most while idle after use (compressor and buffers).
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "secure/v2/acknowledger.h"
#include "secure/v2/batch.h"
#include "secure/v2/handshake.h"
#include "secure/v2/responder.h"
#include "secure/v2/sender.h"

namespace ospatrol::secure::v2 {

// The spool as the link sees it. Numbers begin at 1 and rise by one per event.
class EventSource {
 public:
  virtual ~EventSource() = default;
  virtual SpoolId id() const = 0;
  virtual uint64_t first() const = 0;  // oldest event that it still has; next() when it is empty
  virtual uint64_t next() const = 0;   // the number that the next event will get

  // Event `number`, first() <= number < next(): T:LOCATION:TEXT, 1..kMaxEvent bytes, valid until
  // the next call. Empty: lost (a damaged record, dropped when full); the manager is told, and goes
  // on behind it.
  virtual std::optional<std::string_view> Event(uint64_t number) = 0;

  // Events up to `number` are safe at the manager: forget them. Rises; not called twice for the
  // same number.
  virtual void Acknowledged(uint64_t number) = 0;

  // The manager holds events of this spool id that this spool has not sent: the disk or the machine
  // was set back. Take a new id (first() and next() may stay); the link then begins a new
  // hand-shake.
  virtual void SetBack() = 0;
};

// What the link asks of, and tells, its owner. Called only from within the link's methods; none may
// call the link.
class AgentPeer {
 public:
  virtual ~AgentPeer() = default;

  // A hello counter that was never used with this key: max(the last one + 1, at_least), durable
  // before it is returned (ChannelState::NextHelloCounter). Empty: the disk refuses; no HELLO is
  // sent now, it is asked again later.
  virtual std::optional<uint64_t> NextHelloCounter(uint64_t at_least) = 0;

  struct Session {
    ManagerId manager{};
    Cipher cipher = Cipher::kChaCha20Poly1305;
    bool stay = false;  // remember: with this manager never version 1 again
    uint16_t keep_alive_s = 600;
    bool renewed = false;  // the hourly change of keys: nothing was interrupted
  };
  virtual void Established(const Session& session) = 0;
  // No answer to three HELLOs, or to anything for a while: another server, or version 1 if policy
  // allows, may be tried. The link goes on saying HELLO (2, 2, 2, then up to 30 s apart with
  // jitter) until it is destroyed. Once per round of three.
  virtual void Unreachable() = 0;
  // The manager says that it stops, or that our key is gone. The link goes on as after Unreachable.
  virtual void ClosedByManager(uint16_t reason, std::string_view text) = 0;

  // "execd ...", "syscheck restart", ...: at most once per control number, never older than 60 s.
  struct Answer {
    ControlResult result = ControlResult::kDone;
    std::string text;  // at most ControlAckFrame::kMaxText
  };
  virtual Answer Control(std::string_view text) = 0;
  // `number` was acted on: to be kept (the last AgentLink::kRememberedControls of them) so that a
  // restarted agent does not act twice; give them back in Config::controls_done.
  virtual void ControlDone(uint64_t number) = 0;

  // A file of the manager begins. False refuses it (name, size).
  virtual bool FileBegins(std::string_view name, uint64_t size) = 0;
  // Its next bytes, in order and without gap. False: cannot be written; the transfer is given up.
  virtual bool FileBytes(std::string_view name, Bytes bytes) = 0;
  // Complete, and its SHA-256 is right: put it in place. The text tells the manager why not.
  struct FileVerdict {
    bool accepted = true;
    std::string text;
  };
  virtual FileVerdict FileComplete(std::string_view name) = 0;
  // Given up: wrong sum, or another file begins. What was written is of no use.
  virtual void FileAborted(std::string_view name) = 0;

  // For STATUS; wall_ms and round_trip_ms are filled in by the link. `uname` valid until the next
  // call.
  virtual StatusFrame Status() = 0;
};

class AgentLink {
 public:
  static constexpr size_t kRememberedControls = 256;
  static constexpr int64_t kCollectMs = 200;  // how long events are gathered for a fuller datagram
  static constexpr int64_t kSilenceMs =
      20000;  // no answer for so long although one is due: the manager is gone

  struct Config {
    std::string agent_id;
    std::string name;
    std::string key;                       // fourth field of client.keys
    std::string product;                   // "OSPatrol v0.1.0"
    uint8_t ciphers = 0;                   // kOffers...; 0: as the hardware is
    uint16_t max_datagram = kMaxDatagram;  // largest one that the socket takes
    uint16_t keep_alive_s = 0;             // the shorter of it and the manager's; 0: the manager's
    bool probe = true;                     // look for datagrams larger than kSafeDatagram
    std::vector<uint64_t> controls_done;   // see AgentPeer::ControlDone
  };

  // `source`, `peer` and `random` outlive the link.
  AgentLink(Config config, EventSource& source, AgentPeer& peer, RandomSource& random);
  ~AgentLink();
  AgentLink(const AgentLink&) = delete;
  AgentLink& operator=(const AgentLink&) = delete;

  // Says HELLO with the next NextDatagram.
  void Start(Now now);
  Verdict Receive(Now now, Bytes datagram);

  // next() of the source has risen. Urgent events (types 8 and 9) go at once, others when a
  // datagram is full, when nothing is on its way, or after 200 ms.
  void EventsAdded(Now now, bool urgent);
  // Sends STATUS soon: what Status() gives has changed. Without it, once per keep-alive interval.
  void StatusChanged();
  // Tells the manager that the agent stops; then NextDatagram gives the last datagrams (send them,
  // wait for nothing).
  void Close(CloseReason reason, std::string_view text);

  // The next datagram to send to the manager, 0: none now. `out`: >= kMaxDatagram bytes.
  size_t NextDatagram(Now now, MutableBytes out);
  int64_t NextWake(Now now) const;

  enum class State { kIdle, kHello, kEstablished, kClosed };
  struct Info {
    State state = State::kIdle;
    Cipher cipher = Cipher::kChaCha20Poly1305;
    ManagerId manager{};
    int64_t round_trip_ms = 0;
    int64_t heard_ms = 0;  // monotonic, of the last authentic packet
    uint64_t acknowledged = 0;
    uint32_t window = 0;
    size_t in_flight = 0;
    size_t datagram = kSafeDatagram;
    uint64_t packets_lost = 0;
    bool manager_busy = false;
  };
  Info info() const;
  bool established() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ospatrol::secure::v2
