#include "agentd/connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/files.h"
#include "base/time.h"
#include "log/log.h"

namespace ospatrol::agentd {
namespace {

using std::chrono::milliseconds;

constexpr int kDatagramsPerTurn = 64;
// Datagrams that are not authentic cost a decryption each. More of them than this in a second, and
// the rest of the second nobody reads.
constexpr int kMostRefused = 100;
constexpr int64_t kSecond = 1000;
constexpr int64_t kLongestSleep = 3600 * kSecond;

}  // namespace

int64_t MonotonicMs() {
  return std::chrono::duration_cast<milliseconds>(base::MonotonicNow().time_since_epoch()).count();
}

Connection::Connection(ChannelContext& context, std::string server, UdpSocket socket, Events events)
    : context_(context),
      server_(std::move(server)),
      socket_(std::move(socket)),
      events_(std::move(events)) {}

Connection::~Connection() = default;

void Connection::Watch() {
  readable_ = context_.loop.WatchReadable(socket_.fd(), [this] { ReadSocket(); });
}

void Connection::WakeAt(int64_t at_ms) {
  if (wake_ && at_ms == wake_at_ms_) return;
  wake_at_ms_ = at_ms;
  const int64_t now = MonotonicMs();
  const int64_t delay = std::clamp<int64_t>(at_ms - now, 1, kLongestSleep);
  wake_ = context_.loop.After(milliseconds(delay), [this] {
    wake_at_ms_ = 0;
    wake_.reset();
    OnWake();
  });
}

void Connection::ReadSocket() {
  context_.active();
  for (int turn = 0; turn < kDatagramsPerTurn; ++turn) {
    std::string_view datagram;
    switch (socket_.Receive(datagram)) {
      case UdpSocket::Got::kDatagram:
        if (!Datagram(datagram) && Brake(MonotonicMs())) return;
        break;
      case UdpSocket::Got::kRefused:
        OnRefused();
        break;
      case UdpSocket::Got::kNone:
      case UdpSocket::Got::kFailed:
        return;
    }
  }
}

// True: enough for this second.
bool Connection::Brake(int64_t now_ms) {
  if (now_ms - second_began_ms_ >= kSecond) {
    second_began_ms_ = now_ms;
    refused_in_second_ = 0;
  }
  if (++refused_in_second_ < kMostRefused) return false;
  readable_.reset();
  again_ = context_.loop.After(
      milliseconds(std::max<int64_t>(1, second_began_ms_ + kSecond - now_ms)), [this] { Watch(); });
  return true;
}

void Connection::Tell(std::function<void()> task) {
  context_.loop.Post([weak = std::weak_ptr<bool>(alive_), task = std::move(task)] {
    if (!weak.expired()) task();
  });
}

// Copies of the callbacks, because they may destroy the connection.
void Connection::TellAnswered() {
  answered_ = true;
  Tell([this] { std::function(events_.answered)(); });
}

void Connection::TellRoundFailed() {
  Tell([this] { std::function(events_.round_failed)(); });
}

void Connection::TellLost(std::string reason) {
  answered_ = false;
  Tell([this, reason = std::move(reason)] { std::function(events_.lost)(reason); });
}

void Connection::TellClosed() {
  answered_ = false;
  Tell([this] { std::function(events_.closed)(); });
}

void Connection::TellOfferedV2() {
  Tell([this] { std::function(events_.offered_v2)(); });
}

}  // namespace ospatrol::agentd
