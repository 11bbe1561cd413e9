// What all agents' links at one manager share: who owns a connection id, and the answers to
// datagrams of nobody.
//
// A receiver thread gives every datagram that IsVersion2() to Responder::Look first. Nothing there
// needs a key, and no answer is longer than its question:
//
//   kHello  -> find the agent by Route::agent_id, check its address rule, ManagerLink::ReceiveHello
//   kData   -> find the link by Route::owner, check its address rule, ManagerLink::ReceiveData
//   kAnswer -> send Route::reply bytes of `reply` back to where the datagram came from
//   kDrop   -> count Route::verdict
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "secure/v2/handshake.h"
#include "secure/v2/receiver.h"

namespace ospatrol::secure::v2 {

// What became of a datagram; to be counted by agent, and logged at most once a minute.
enum class Verdict : uint8_t {
  kTaken,           // its content was taken
  kRefused,         // authentic; its events could not be taken now and were not acknowledged
  kDuplicate,       // seen before: the network, or a replay
  kOld,             // below the window
  kForged,          // does not open with the session's key
  kMalformed,       // lengths or fields that cannot be; authentic if a session was found
  kUnknownSession,  // RESET is the answer
  kWrongKey,        // HELLO that does not open with the agent's key
  kStaleHello,      // authentic HELLO with an old counter: STALE is the answer
  kNoCookie,        // many HELLOs: COOKIE is the answer
  kOtherVersion,    // VERSION is the answer
  kNotExpected,     // a type that this side never takes, or not now
  kTooMany,         // an answer was due and the limit per second is used up
};
std::string_view VerdictText(Verdict verdict);

// One per thread: contexts and buffers that hold nothing between calls (about 100 KiB once used).
struct Worker {
  AeadEngine aead;
  BatchReader batch;
  std::array<uint8_t, 65536> plain{};
};

class Responder {
 public:
  struct Config {
    ManagerId manager{};
    Secret<32> reset_secret;  // random, kept on disk: RESET must be known again after a restart
    bool stay = false;        // tell agents never to go back to version 1
    uint16_t keep_alive_s = 600;
    uint16_t max_datagram = kMaxDatagram;  // largest one that the socket takes
    uint8_t ciphers = 0;                   // kOffers...; 0: as the hardware is
    size_t held_bytes = size_t{64} << 20;  // events that came too early, of all agents
    uint32_t hellos_per_second = 200;      // above it a HELLO needs a cookie
    uint32_t answers_per_second = 5000;    // RESET, COOKIE and VERSION together
  };
  // `random` outlives the responder and is thread-safe.
  Responder(const Config& config, RandomSource& random);
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;

  struct Route {
    enum class Kind { kHello, kData, kAnswer, kDrop };
    Kind kind = Kind::kDrop;
    Verdict verdict = Verdict::kTaken;
    std::string_view agent_id;  // kHello; in the datagram
    uint64_t owner = 0;         // kData: as given to the ManagerLink
    size_t reply = 0;           // kAnswer: bytes of `reply` to send back
  };
  // Thread-safe. `peer` is the source address and port in any fixed binary form. `reply`: >= 64
  // bytes.
  Route Look(Now now, Bytes peer, Bytes datagram, MutableBytes reply);

  // Thread-safe. A RESET that makes an agent say HELLO at once: to send, after a restart, to agents
  // whose last session (ManagerLink::Info::connection) and address were remembered. `out`: >= 32
  // bytes; gives the size.
  size_t MakeReset(uint32_t connection, MutableBytes out) const;

  const Config& config() const { return config_; }
  RandomSource& random() { return random_; }
  HoldingBudget& holding() { return holding_; }
  size_t connections() const;

 private:
  friend class ManagerLink;
  static constexpr size_t kShards = 64;
  static constexpr int64_t kCookieLifeMs = 120 * 1000;

  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<uint32_t, uint64_t> owners;
  };
  uint32_t Register(uint64_t owner);  // a new connection id
  void Unregister(uint32_t connection);
  std::optional<uint64_t> Find(uint32_t connection) const;
  void TurnSecond(int64_t now_ms);
  bool NeedsCookie();
  bool CookieFits(int64_t now_ms, Bytes peer, const HelloHead& head);
  HelloCookie MakeCookie(int64_t now_ms, Bytes peer, const HelloHead& head);
  void TurnCookieSecret(int64_t now_ms);
  bool MayAnswer();
  Route LookAtHello(Now now, Bytes peer, Bytes datagram, MutableBytes reply);
  Route Answer(Route route, size_t size);

  Config config_;
  RandomSource& random_;
  HoldingBudget holding_;
  std::array<Shard, kShards> shards_;
  std::mutex cookie_mutex_;
  Secret<32> cookie_secret_;
  Secret<32> old_cookie_secret_;
  int64_t cookie_born_ms_ = 0;
  std::atomic<int64_t> second_{0};  // of the two counters below
  std::atomic<uint32_t> hellos_{0};
  std::atomic<uint32_t> answers_{0};
};

}  // namespace ospatrol::secure::v2
