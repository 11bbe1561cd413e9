// The keys of one hand-shake, and sealing and opening of DATA with them.
#pragma once

#include "secure/v2/aead.h"
#include "secure/v2/packet_window.h"

namespace ospatrol::secure::v2 {

struct SessionKeys {
  Cipher cipher = Cipher::kChaCha20Poly1305;
  Key send_key;
  Key receive_key;
  Nonce send_iv{};
  Nonce receive_iv{};
};

// Transport-neutral. Thread-compatible. About 350 bytes, none on the heap. Keys are wiped at
// destruction.
class Session {
 public:
  // `local` is the id that the peer writes into its headers, `remote` the one that we write.
  Session(const SessionKeys& keys, uint32_t local, uint32_t remote, int64_t began_ms)
      : keys_(keys), local_(local), remote_(remote), began_ms_(began_ms) {}

  enum class Fault { kNone, kShort, kOtherConnection, kDuplicate, kOld, kForged };

  struct Opened {
    Fault fault = Fault::kForged;
    uint64_t number = 0;
    bool newest =
        false;     // the highest packet number so far: only such a one may move the peer's address
    Bytes frames;  // in `plain`
  };

  // Checks and decrypts DATA into `plain` (>= datagram.size() bytes). The number is not remembered
  // yet: call Accept when the frames were taken. A packet that was not accepted counts as lost.
  Opened Open(AeadEngine& engine, Bytes datagram, MutableBytes plain) const;
  void Accept(uint64_t number) { window_.Mark(number); }

  // Seals frames that stand at out[kHeaderSize ..) in place and writes the header. `length` of
  // frames; the datagram is kHeaderSize + length + kTagSize bytes. Takes one packet number. 0 when
  // OpenSSL fails.
  size_t Seal(AeadEngine& engine, size_t length, MutableBytes out);

  uint64_t next_number() const { return next_number_; }  // the one that Seal will use
  uint32_t local() const { return local_; }
  uint32_t remote() const { return remote_; }
  int64_t began_ms() const { return began_ms_; }
  Cipher cipher() const { return keys_.cipher; }
  const PacketWindow& window() const { return window_; }

  // Time for a new hand-shake: age or packet count.
  bool IsWorn(int64_t now_ms) const {
    return now_ms - began_ms_ >= kRekeyAfterMs || next_number_ >= kRekeyAfterPackets ||
           (!window_.empty() && window_.highest() >= kRekeyAfterPackets);
  }

 private:
  SessionKeys keys_;
  PacketWindow window_;
  uint64_t next_number_ = 0;
  uint32_t local_ = 0;
  uint32_t remote_ = 0;
  int64_t began_ms_ = 0;
};

}  // namespace ospatrol::secure::v2
