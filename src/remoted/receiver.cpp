#include "remoted/receiver.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/files.h"

namespace ospatrol::remoted {
namespace {

using std::chrono::milliseconds;

// The main thread looks at the keys several times in this time.
constexpr milliseconds kParkFor{700};
constexpr size_t kMostParked = 256;
// Between two looks at mail and timers.
constexpr int kMostBatches = 16;
constexpr int64_t kIdleMs = 1000;

}  // namespace

Receiver::Receiver(Channel& channel, UdpSocket& socket, uint16_t number, int port)
    : channel_(channel),
      socket_(socket),
      number_(number),
      port_(port),
      reader_(socket),
      sender_(socket, channel.sender),
      version1_(channel, sender_),
      version2_(channel, sender_.writer(), number),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw Error("eventfd: " + base::ErrnoText(errno));
}

void Receiver::Start() {
  // Signals belong to the main thread.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Receiver::Quieten() {
  quiet_ = true;
  Wake();
}

void Receiver::Stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  Wake();
  thread_.join();
}

void Receiver::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

// A thread that has mail is awake already, or will take all of it when it wakes.
template <typename Add>
void Receiver::Post(Add add) {
  bool first = false;
  {
    const std::scoped_lock lock(mail_mutex_);
    first = !HasMail();
    add();
  }
  if (first) Wake();
}

void Receiver::Stored(std::vector<Outlet::Taken> taken) {
  Post([&] {
    stored_.insert(stored_.end(), std::make_move_iterator(taken.begin()),
                   std::make_move_iterator(taken.end()));
  });
}

void Receiver::Send(AgentPtr agent) {
  Post([&] { to_send_.push_back(std::move(agent)); });
}

void Receiver::Dismiss(RegistryPtr registry, AgentPtr agent) {
  Post([&] { dismissed_.push_back({std::move(registry), std::move(agent)}); });
}

void Receiver::Run() {
  while (!stopping_.load(std::memory_order_relaxed)) {
    Wait();
    now_ = ProtocolNow();
    if (registry_version_ != channel_.registry.version() || registry_ == nullptr) {
      registry_version_ = channel_.registry.version();
      registry_ = channel_.registry.Get();
    }
    policy_ = channel_.policy();
    TakeMail();
    if (!quiet_.load(std::memory_order_relaxed)) ReceiveAll();
    RetryParked();
    version2_.Tick(*registry_, now_);
    sender_.Flush();
    channel_.outlet.Flush();
  }
  if (registry_ == nullptr) return;
  TakeMail();
  version2_.CloseAll(*registry_, ProtocolNow());
  sender_.Flush();
}

void Receiver::Wait() {
  int64_t limit = kIdleMs;
  if (const int64_t wake = version2_.NextWake(); wake != secure::v2::kNever) {
    limit = std::clamp<int64_t>(wake - ProtocolNow().monotonic_ms, 0, kIdleMs);
  }
  if (!parked_.empty()) limit = std::min<int64_t>(limit, 20);
  const int packets = quiet_.load(std::memory_order_relaxed) ? -1 : socket_.fd.get();
  pollfd fds[2] = {{packets, POLLIN, 0}, {wake_.get(), POLLIN, 0}};
  ::poll(fds, 2, static_cast<int>(limit));
  if ((fds[1].revents & POLLIN) != 0) {
    uint64_t ignored = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &ignored, sizeof ignored);
  }
}

void Receiver::TakeMail() {
  std::vector<Outlet::Taken> stored;
  std::vector<AgentPtr> to_send;
  std::vector<Dismissed> dismissed;
  {
    const std::scoped_lock lock(mail_mutex_);
    stored.swap(stored_);
    to_send.swap(to_send_);
    dismissed.swap(dismissed_);
  }
  version2_.Stored(stored, *registry_, now_);
  for (const AgentPtr& agent : to_send) version2_.Send(agent, *registry_, now_);
  for (const Dismissed& gone : dismissed) {
    const Registry::Entry entry = gone.registry->Of(*gone.agent);
    if (entry) version2_.Close(gone.agent, *entry.key, secure::v2::CloseReason::kKeyRemoved, now_);
  }
}

void Receiver::ReceiveAll() {
  for (int batch = 0; batch < kMostBatches; ++batch) {
    const std::span<const Packet> packets = reader_.Receive();
    if (packets.empty()) {
      if (errno != 0) failed_.Write(port_, base::ErrnoText(errno));
      share_.Batch(false, false, FairShare::Clock::now());
      return;
    }
    channel_.counters.packets.fetch_add(packets.size(), std::memory_order_relaxed);
    const uint32_t dropped = reader_.TakeDropped();
    channel_.counters.kernel_dropped.fetch_add(dropped, std::memory_order_relaxed);
    share_.Batch(packets.size() == UdpReader::kMostAtOnce, dropped > 0, FairShare::Clock::now());
    for (const Packet& packet : packets) HandleOrPark(packet);
    version1_.EndBatch();
    sender_.Flush();
    channel_.outlet.Flush();
    if (packets.size() < UdpReader::kMostAtOnce) return;
  }
}

void Receiver::HandleOrPark(const Packet& packet) {
  if (packet.bytes.empty()) return;
  // Packets of version 2 are never dropped unread: their senders slow down by themselves.
  const bool is_v2 = secure::VersionOf(packet.bytes) == secure::WireVersion::kV2;
  if (!is_v2 && !share_.Admit(packet.from.peer)) {
    channel_.counters.overload_dropped.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (Handle(packet)) return;
  const bool again = std::ranges::any_of(
      parked_, [&](const Parked& parked) { return parked.from.peer == packet.from.peer; });
  if (again || parked_.size() >= kMostParked || packet.cut) {
    LogUnknown(packet);
    return;
  }
  if (parked_.empty()) parked_version_ = registry_version_;
  parked_.push_back(
      {std::string(packet.bytes), packet.from, std::chrono::steady_clock::now() + kParkFor});
}

bool Receiver::Handle(const Packet& packet) {
  switch (secure::VersionOf(packet.bytes)) {
    case secure::WireVersion::kV1:
      return version1_.Handle(packet, *registry_, policy_, now_.wall_ms / 1000) ==
             Version1::Result::kHandled;
    case secure::WireVersion::kV2:
      return version2_.Handle(packet, *registry_, policy_, now_) == Version2::Result::kHandled;
    case secure::WireVersion::kNone:
      break;
  }
  channel_.counters.refused.fetch_add(1, std::memory_order_relaxed);
  const std::string source = packet.from.peer.IpText();
  channel_.faults.Write<msg::kPacketMalformed>(source, source);
  return true;
}

void Receiver::RetryParked() {
  if (parked_.empty()) return;
  if (parked_version_ != registry_version_) {
    for (size_t waiting = parked_.size(); waiting > 0; --waiting) {
      Parked parked = std::move(parked_.front());
      parked_.pop_front();
      if (!Handle({parked.bytes, false, parked.from})) parked_.push_back(std::move(parked));
    }
    version1_.EndBatch();
  }
  parked_version_ = registry_version_;
  const auto now = std::chrono::steady_clock::now();
  while (!parked_.empty() && parked_.front().until <= now) {
    LogUnknown({parked_.front().bytes, false, parked_.front().from});
    parked_.pop_front();
  }
}

void Receiver::LogUnknown(const Packet& packet) {
  if (secure::VersionOf(packet.bytes) == secure::WireVersion::kV2) {
    version2_.LogUnknown(packet);
  } else {
    version1_.LogUnknown(packet);
  }
}

}  // namespace ospatrol::remoted
