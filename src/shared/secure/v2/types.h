// Words that all of the session protocol uses. docs/protocol-v2.md describes the protocol itself.
//
// Nothing in this folder does I/O or reads a clock: the caller hands in datagrams and the time, and
// takes datagrams out. So the same code runs over UDP, over a simulated network in the tests, and
// over a stream later.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace ospatrol::secure::v2 {

using Bytes = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;

// Both clocks in milliseconds. Intervals use `monotonic_ms` alone, so a clock that is set back
// changes nothing.
struct Now {
  int64_t monotonic_ms = 0;
  int64_t wall_ms = 0;  // since 1970-01-01 UTC
};

inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

using SpoolId =
    std::array<uint8_t, 16>;  // random, made with the spool; same shape as ipc::SenderId
using ManagerId = std::array<uint8_t, 16>;  // random, made when the manager is installed

// Datagrams. The first size crosses tunnels and NAT; the others are used after a probe of that size
// came through.
inline constexpr size_t kSafeDatagram = 1200;
inline constexpr size_t kMaxDatagram = 8900;
inline constexpr size_t kMaxEvent = 65000;  // bytes of one event, as on the local sockets

inline constexpr int64_t kRekeyAfterMs = 3600 * 1000;  // a session is replaced after an hour
inline constexpr uint64_t kRekeyAfterPackets = uint64_t{1}
                                               << 32;  // or so many packets in one direction
inline constexpr int64_t kOldKeysMs = 60 * 1000;  // the replaced one can still be read for a minute
inline constexpr int64_t kControlLifeMs = 60 * 1000;  // a response older than this is not executed

// Where keys, connection ids and jitter come from; tests give a repeatable one.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void Fill(MutableBytes bytes) = 0;
};

// getrandom(2) through base/random.h. Thread-safe.
class KernelRandom : public RandomSource {
 public:
  void Fill(MutableBytes bytes) override;
};

// A number in [0, bound); bound > 0.
uint64_t RandomBelow(RandomSource& random, uint64_t bound);
uint32_t RandomConnectionId(RandomSource& random);  // never 0

// memset that the compiler keeps.
void Wipe(MutableBytes bytes);

// A key of N bytes that is wiped when it goes out of scope.
template <size_t N>
class Secret {
 public:
  Secret() = default;
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret() { Wipe(bytes_); }

  Bytes view() const { return bytes_; }
  MutableBytes edit() { return bytes_; }

 private:
  std::array<uint8_t, N> bytes_{};
};

// Same bytes? In time that depends on the length only.
bool EqualInConstantTime(Bytes a, Bytes b);

Bytes AsBytes(std::string_view text);
std::string_view AsText(Bytes bytes);

}  // namespace ospatrol::secure::v2
