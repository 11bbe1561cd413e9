// The hand-shake: one round trip that turns the key of client.keys and two ephemeral X25519 keys
// into a session. Structure of the Noise pattern NNpsk0: who does not know the key learns nothing
// and gets no answer, and who learns the key later cannot read what was recorded.
// docs/protocol-v2.md has the layouts and the key schedule.
//
// Cost at the manager: 3-4 us for a HELLO that is not authentic (no public-key work), about 120 us
// for one that is.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "secure/v2/frames.h"
#include "secure/v2/session.h"

namespace ospatrol::secure::v2 {

inline constexpr size_t kHelloSize =
    512;                                  // always: longer than any answer, so nothing is amplified
inline constexpr size_t kHelloHead = 62;  // clear bytes in front of the sealed part
inline constexpr size_t kHelloFixed =
    44;  // fixed bytes of the sealed part, the product text follows
inline constexpr size_t kMaxProduct = 64;  // longer product texts are cut
inline constexpr size_t kWelcomeHead = 54;
inline constexpr size_t kWelcomeContent = 63;
inline constexpr size_t kWelcomeSize = kWelcomeHead + kWelcomeContent + kTagSize;
inline constexpr size_t kStaleSize = kHeaderSize + 32 + 8 + kTagSize;
inline constexpr size_t kMaxAgentId = 8;  // digits

using Psk = Secret<32>;
using ResetToken = std::array<uint8_t, 16>;
using HelloCookie = std::array<uint8_t, 16>;
using Digest = std::array<uint8_t, 32>;

// HKDF-SHA256 over the fields of client.keys; `key` is the fourth field as text.
Psk DerivePsk(std::string_view id, std::string_view name, std::string_view key);

// The clear part of a HELLO; views look into the datagram.
struct HelloHead {
  uint64_t counter = 0;
  std::string_view agent_id;  // digits
  uint32_t connection = 0;    // of the agent, not 0
  Bytes ephemeral;            // 32 bytes
  Bytes clear;                // bytes 0..61, the associated data
  Bytes sealed;
  Bytes cookie;  // 16 bytes, or empty
};

// Empty when anything about the clear part is not as it must be. No key involved.
std::optional<HelloHead> ParseHello(Bytes datagram);

struct HelloContent {
  uint64_t wall_ms = 0;
  uint8_t ciphers = kOffersChaCha;
  uint8_t codecs = 1;  // bit 0 deflate
  uint16_t max_datagram = kMaxDatagram;
  SpoolId spool{};
  uint64_t first = 0;  // oldest event that the spool still has
  uint64_t next = 0;   // number of the event that will be written next
  std::string product;
};

struct WelcomeContent {
  uint64_t hello_counter = 0;
  Cipher cipher = Cipher::kChaCha20Poly1305;
  Codec codec = Codec::kDeflate;
  uint16_t max_datagram = kMaxDatagram;
  uint16_t keep_alive_s = 600;
  bool stay = false;  // never talk version 1 to this manager again
  ManagerId manager{};
  uint64_t stored = 0;    // highest event of the spool that is safe; 0 = none known
  uint64_t received = 0;  // highest event of the spool that ever came here, safe or not yet
  ResetToken reset{};
};

// The agent's side of one hand-shake. Holds the ephemeral key; wiped at destruction.
class Initiator {
 public:
  // Builds the HELLO. `counter` was never used before for this key.
  Initiator(AeadEngine& engine, RandomSource& random, std::string_view agent_id, const Psk& psk,
            uint64_t counter, const HelloContent& content);
  ~Initiator();
  Initiator(const Initiator&) = delete;
  Initiator& operator=(const Initiator&) = delete;

  // Always the same bytes, but for the cookie once there is one.
  Bytes hello() const { return hello_; }
  uint32_t connection() const { return connection_; }
  uint64_t counter() const { return counter_; }

  // COOKIE: adds it to the HELLO. False: not an answer to this HELLO.
  bool TakeCookie(Bytes datagram);

  // STALE: the highest counter that the manager has seen. Empty: not authentic, or not an answer to
  // this HELLO.
  std::optional<uint64_t> ReadStale(AeadEngine& engine, Bytes datagram) const;

  struct Result {
    SessionKeys keys;
    WelcomeContent content;
    uint32_t remote = 0;  // the manager's connection id
  };
  std::optional<Result> ReadWelcome(AeadEngine& engine, Bytes datagram) const;

 private:
  std::array<uint8_t, kHelloSize> hello_{};
  size_t sealed_length_ = 0;
  Secret<32> private_key_;
  Psk psk_;
  uint32_t connection_ = 0;
  uint64_t counter_ = 0;
};

// Empty: not sealed with this key.
std::optional<HelloContent> OpenHello(AeadEngine& engine, const HelloHead& head, const Psk& psk);

struct Welcome {
  std::array<uint8_t, kWelcomeSize> bytes{};
  SessionKeys keys;
};
// The manager's side: makes the ephemeral key, the answer and the session's keys. Empty when the
// agent's ephemeral key is a point of small order.
std::optional<Welcome> MakeWelcome(AeadEngine& engine, RandomSource& random, const HelloHead& head,
                                   const Psk& psk, const WelcomeContent& content, uint32_t local);

// Tells an authentic agent which hello counter it has to exceed: after a restored snapshot, a lost
// state or a clock that ran ahead the agent repairs itself. Sealed; REQUIRES out.size() >=
// kStaleSize; gives the size.
size_t MakeStale(AeadEngine& engine, RandomSource& random, const HelloHead& head, const Psk& psk,
                 uint64_t highest, MutableBytes out);

// SHA-256 of a HELLO without its cookie: is it a repetition?
Digest HelloDigest(const HelloHead& head);

// What may be answered to one that has no session, without any memory of it.

// First 16 bytes of HMAC-SHA256(secret, connection id): proves, even after a restart, that a RESET
// is the manager's.
ResetToken MakeResetToken(const Secret<32>& secret, uint32_t connection);

// First 16 bytes of HMAC-SHA256(secret, peer || agent id || ephemeral key).
HelloCookie MakeHelloCookie(const Secret<32>& secret, Bytes peer, const HelloHead& head);

}  // namespace ospatrol::secure::v2
