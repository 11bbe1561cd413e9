// Protocol version 1 with one manager (wire-protocol 2.5, 2.6, 4, 7.3, 7.4): hand-shake, events
// out, keep-alives, messages of the manager in. No sockets, no clock: the owner sends what it is
// given, hands in what arrives with the time in monotonic milliseconds, and calls Tick at
// NextWake().
//
// A manager is noticed to be gone when keep-alives stay unanswered (four, ten seconds apart), when
// its host says that nobody listens, or after <time-reconnect>.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "log/log.h"
#include "secure/cipher.h"
#include "secure/control_message.h"
#include "secure/counters.h"
#include "secure/keys.h"
#include "secure/sealed_message.h"

namespace ospatrol::agentd {

class V1Session {
 public:
  // When the hello of a round is said, in milliseconds from its begin, and when the round ends.
  static constexpr int64_t kHellos[] = {0, 6000, 10000, 15000, 21000};
  static constexpr int64_t kRoundMs = 24000;
  // How long an acknowledgement may take, and how often a keep-alive is said again without one.
  static constexpr int64_t kAnswerMs = 10000;
  static constexpr int kMostUnanswered = 4;

  struct Settings {
    std::string server;  // for the log
    secure::Cipher cipher = secure::Cipher::kAes;
    int64_t notify_ms = 600'000;
    int64_t reconnect_ms = 1'800'000;
    // While events are unconfirmed the manager is asked every kAnswerMs whether it is there.
    bool confirm_events = false;
    bool verify_counters = true;  // remoted.verify_msg_id
  };

  // What the session asks of, and tells, its owner. None of these may destroy the session.
  class Owner {
   public:
    virtual ~Owner() = default;
    enum class Sent { kSent, kBusy, kFailed };
    virtual Sent SendDatagram(std::string_view datagram) = 0;
    virtual std::string KeepAlive() = 0;  // the text to send
    virtual void Answered() = 0;          // the hand-shake is complete
    virtual void RoundFailed() = 0;       // no answer to any hello: the session is idle now
    virtual void Lost(std::string_view reason) = 0;  // likewise, after it had been connected
    // An authentic, new message of the manager other than an acknowledgement.
    virtual void FromManager(const secure::ManagerMessage& message) = 0;
    // Content of a file is expected (wire-protocol 2.9 item 8).
    virtual bool FileOpen() const = 0;
  };

  // All references outlive the session.
  V1Session(Settings settings, const secure::AgentKey& key, const secure::DerivedKeys& keys,
            secure::CipherEngine& engine, secure::SenderCounter& counter,
            std::shared_ptr<secure::ReceiveCounter> received, Owner& owner);

  enum class State { kIdle, kHello, kConnected };
  State state() const { return state_; }
  secure::Cipher cipher() const { return settings_.cipher; }

  void Start(int64_t now_ms);
  void Tick(int64_t now_ms);
  int64_t NextWake() const;
  // False: not an authentic packet of the manager.
  bool Receive(int64_t now_ms, std::string_view datagram);
  // The manager's host says that nobody listens.
  void Refused(int64_t now_ms);
  // The shared files have changed, or the manager asked: says the keep-alive now.
  void SayKeepAlive(int64_t now_ms);

  enum class Outcome { kSent, kBusy, kFailed };
  // REQUIRES: kConnected. Event `number` of the spool; cut when it is too long.
  Outcome SendEvent(int64_t now_ms, uint64_t number, std::string_view event);
  // The manager was there after all events up to this number had been sent; 0: none yet.
  uint64_t confirmed() const { return confirmed_; }

 private:
  struct Question {
    int64_t asked_ms;
    uint64_t sent_through;
  };

  Owner::Sent SendMessage(std::string_view message);
  void SayHello(int64_t now_ms);
  void Ask(int64_t now_ms, std::string_view message);
  void TakeAcknowledgement(int64_t now_ms);
  void Lose(std::string_view reason);
  void ReportFault(secure::OpenFault fault);
  bool HasUnconfirmed() const { return settings_.confirm_events && sent_through_ > confirmed_; }

  Settings settings_;
  const secure::AgentKey& key_;
  const secure::DerivedKeys& keys_;
  secure::CipherEngine& engine_;
  secure::SenderCounter& counter_;
  std::shared_ptr<secure::ReceiveCounter> received_;
  Owner& owner_;

  State state_ = State::kIdle;
  int64_t round_began_ = 0;
  size_t hellos_ = 0;  // said in this round
  int64_t heard_ms_ = 0;
  int64_t kept_alive_ms_ = 0;       // when the last regular keep-alive was said
  std::deque<Question> questions_;  // control messages without acknowledgement
  int64_t asked_ms_ = 0;
  int unanswered_ = 0;  // questions in a row
  uint64_t sent_through_ = 0, confirmed_ = 0;

  log::Limited<msg::kPacketMalformed> malformed_;
  log::Limited<msg::kPacketWrongKey> wrong_key_;
  log::Limited<msg::kPacketChecksum> checksum_;
  log::Limited<msg::kPacketInflate> inflate_;
  log::Limited<msg::kOldCounter> old_counter_;
  log::Limited<msg::kReceiveProblem> problem_;
  log::Limited<msg::kMessageSize> size_;
  log::Limited<msg::kUnknownFromServer> unknown_;
};

}  // namespace ospatrol::agentd
