// The manager's side of version 2 for one agent: sessions, acknowledgements, the order of events,
// controls and files.
//
// The owner (remoted) finds the link through Responder::Look, serialises calls per agent (a lock,
// or one thread), gives in every datagram and takes out what NextDatagram offers, after every call
// and at NextWake. Example of a receiver thread:
//
//   auto outcome = link.ReceiveData(worker, peer, now, datagram);
//   if (outcome.newest && rule allows source) address = source;
//   while (size_t n = link.NextDatagram(worker, peer, now, out)) send(out.first(n), address);
//   schedule(link.NextWake(now));
//
// Memory: under 1 KiB for an agent that is connected and idle; what is on its way, held, or pending
// comes on top.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "secure/v2/acknowledger.h"
#include "secure/v2/responder.h"
#include "secure/v2/sender.h"

namespace ospatrol::secure::v2 {

// A file for agents, shared by all transfers of it.
struct FileContent {
  std::string bytes;
  FileSum sum{};
};
FileSum Sum256(std::string_view bytes);
std::shared_ptr<const FileContent> MakeFileContent(std::string bytes);  // computes the sum

enum class ControlOutcome : uint8_t {
  kDone,
  kRefused,
  kFailed,
  kExpired
};  // kExpired: not delivered within 60 s
enum class FileOutcome : uint8_t {
  kDone,
  kRefused,
  kWrongSum,
  kFailed,
  kReplaced
};  // kReplaced: by a newer SendFile

// What the link asks of, and tells, its owner. Called only from within the link's methods; none may
// call the link.
class ManagerPeer : public EventSink {
 public:
  // The highest hello counter ever taken from this agent; 0: none. Asked once per link.
  virtual uint64_t HelloCounter() = 0;
  // To be remembered across restarts, soon; nothing waits for it.
  virtual void SaveHelloCounter(uint64_t counter) = 0;
  // The highest event of `spool` that is known to be safe; 0: none.
  virtual uint64_t StoredEvent(const SpoolId& spool) = 0;

  struct Session {
    SpoolId spool{};
    Cipher cipher = Cipher::kChaCha20Poly1305;
    uint32_t connection = 0;     // the manager's id, for Responder::MakeReset after a restart
    uint64_t hello_wall_ms = 0;  // the agent's clock
    std::string product;
  };
  // The agent has proved that it has the keys: from now on packets go to the address of the
  // datagram just received.
  virtual void Established(const Session& session) = 0;
  // CLOSE: an orderly stop of the agent.
  virtual void Closed(uint16_t reason, std::string_view text) = 0;
  virtual void StatusReceived(const StatusFrame& status) = 0;
  virtual void ControlFinished(uint64_t number, ControlOutcome outcome, std::string_view text) = 0;
  virtual void FileFinished(std::string_view name, FileOutcome outcome, std::string_view text) = 0;
  // Two agents use this key: sessions of two spools take turns. At most once a minute.
  virtual void KeyShared() = 0;
};

class ManagerOutbox;

class ManagerLink {
 public:
  static constexpr size_t kMaxControls = 64;  // waiting at the same time
  static constexpr size_t kMaxFiles = 16;

  // `owner` comes back from Responder::Look. The responder outlives the link.
  ManagerLink(Responder& responder, uint64_t owner, const Psk& psk);
  ~ManagerLink();
  ManagerLink(const ManagerLink&) = delete;
  ManagerLink& operator=(const ManagerLink&) = delete;

  struct Outcome {
    Verdict verdict = Verdict::kTaken;
    bool newest = false;  // authentic, with the highest packet number so far: its source is the
                          // agent's address
    size_t reply = 0;     // ReceiveHello: bytes of `reply` to send back to the source
  };
  // `reply`: >= kHelloSize bytes.
  Outcome ReceiveHello(Worker& worker, ManagerPeer& peer, Now now, Bytes datagram,
                       MutableBytes reply);
  Outcome ReceiveData(Worker& worker, ManagerPeer& peer, Now now, Bytes datagram);

  // Every event of `spool` up to `number` is safe (analysisd has answered): the agent may forget
  // it.
  void Stored(const SpoolId& spool, uint64_t number, Now now);
  // The sink takes events again: tells the agent, if it was told to wait. Cheap when it was not.
  void RoomAgain(Worker& worker, ManagerPeer& peer, Now now);
  bool is_waiting_for_room() const { return busy_; }

  // Text as behind "#!-" in version 1, at most ControlFrame::kMaxText bytes. Sent until it is
  // acknowledged, across sessions, for 60 s; ControlFinished is called exactly once. 0:
  // kMaxControls are waiting already, or the text is too long.
  uint64_t SendControl(std::string_view text, Now now);
  // Sent until the agent has it or refuses it; FileFinished is called exactly once. A newer file of
  // the same name takes the place of one that is not finished. False: kMaxFiles are waiting, or the
  // name is too long.
  bool SendFile(ManagerPeer& peer, std::string_view name,
                std::shared_ptr<const FileContent> content);
  // Tells the agent that this manager stops (it will look for another) or that its key is gone.
  void Close(CloseReason reason, std::string_view text);

  // The next datagram to send to the agent's address, 0: none now. `out`: >= kSafeDatagram bytes.
  size_t NextDatagram(Worker& worker, ManagerPeer& peer, Now now, MutableBytes out);
  // Monotonic ms at which NextDatagram wants to be called again; kNever for an idle agent.
  int64_t NextWake(Now now) const;

  struct Info {
    bool established = false;
    Cipher cipher = Cipher::kChaCha20Poly1305;
    SpoolId spool{};
    uint32_t connection = 0;
    int64_t heard_ms = 0;       // monotonic, of the last authentic packet
    int64_t round_trip_ms = 0;  // 0: not measured
    uint64_t stored = 0;
    uint64_t delivered = 0;
    size_t held_bytes = 0;
  };
  Info info() const;
  // What the link has on the heap, for measurements.
  size_t heap_bytes() const;

 private:
  struct Pending;  // a hand-shake that was answered and not confirmed yet
  struct Old;      // the session before the present one

  size_t Welcome(Worker& worker, ManagerPeer& peer, Now now, const HelloHead& head,
                 const HelloContent& content, MutableBytes reply);
  Session* Find(uint32_t connection, Now now);
  void Promote(ManagerPeer& peer, Now now);
  void NoteOtherSpool(ManagerPeer& peer, const SpoolId& spool, Now now);
  void AskForNewKeys(Now now);
  void DropOld();
  void DropPending();
  Verdict TakeFrames(Worker& worker, ManagerPeer& peer, Now now, Bytes frames, bool current,
                     bool& asks);
  Verdict TakeFrame(Worker& worker, ManagerPeer& peer, Now now, const FrameReader::Item& item,
                    bool current);
  template <typename Frame>
  Verdict TakeEvents(Worker& worker, ManagerPeer& peer, Now now, const std::optional<Frame>& frame);
  bool TakeAck(const AckFrame& ack, Now now);
  void SetBusy(bool busy, Now now);
  void Tidy(ManagerPeer& peer, Now now);
  void PutAck(FrameWriter& writer, Now now);
  ManagerOutbox& outgoing();
  void DropEmpty();

  Responder& responder_;
  const uint64_t owner_;
  Psk psk_;
  std::optional<Session> session_;
  std::unique_ptr<Pending> pending_;
  std::unique_ptr<Old> old_;
  std::unique_ptr<ManagerOutbox> outgoing_;
  Receiver receiver_;
  Acknowledger acknowledger_;
  SpoolId other_spool_{};  // of the session before, when it was another
  PingCookie pong_{};
  bool has_pong_ = false;
  bool has_hello_counter_ = false;
  bool busy_ = false;
  uint64_t hello_counter_ = 0;
  int64_t heard_ms_ = 0;
  int64_t round_trip_ms_ = 0;
  int64_t key_shared_until_ms_ = 0;
  int64_t asked_ms_ = 0;  // for new keys
};

}  // namespace ospatrol::secure::v2
