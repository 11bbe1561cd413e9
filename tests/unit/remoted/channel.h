// A channel with all that it needs, a socket that stands for remoted and one that stands for an
// agent.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <unordered_set>
#include <vector>

#include "../temporary_directory.h"
#include "ipc/stream.h"
#include "remoted/channel.h"
#include "secure/keys_file.h"

namespace ospatrol::remoted {

class House {
 public:
  House() {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(agent_.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any);
    ::bind(socket.fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any);
    outlet.Start();
  }

  // The address of the agent's socket.
  secure::PeerAddress peer() const {
    sockaddr_in name{};
    socklen_t length = sizeof name;
    ::getsockname(agent_.get(), reinterpret_cast<sockaddr*>(&name), &length);
    return *secure::PeerAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&name), length);
  }

  void SetKeys(const std::string& text, std::unordered_set<std::string> v2_only = {}) {
    std::vector<secure::KeyProblem> problems;
    const RegistryPtr before = channel.registry.Get();
    channel.registry.Set(std::make_shared<const Registry>(
        secure::ParseKeys(text, problems), std::move(v2_only), before.get(), counters));
  }

  // Datagrams at the agent's socket.
  std::vector<std::string> Received() {
    std::vector<std::string> datagrams;
    char buffer[9000];
    for (;;) {
      const ssize_t got = ::recv(agent_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (got < 0) return datagrams;
      datagrams.emplace_back(buffer, static_cast<size_t>(got));
    }
  }

  // How many are there once the first has come: under load the kernel takes its time.
  size_t WaitForDatagrams() {
    pollfd wait{agent_.get(), POLLIN, 0};
    ::poll(&wait, 1, 60'000);
    return Received().size();
  }

  // Events that came since the last call, answered.
  std::vector<std::string> Events() {
    std::vector<std::string> events;
    const uint64_t wanted = channel.counters.events.load() - told_;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (events.size() < wanted && std::chrono::steady_clock::now() < deadline) {
      if (peer_.fd() < 0) peer_ = ipc::StreamPeer(listener_.Accept());
      ipc::Frame frame;
      while (peer_.fd() >= 0 &&
             peer_.Receive(buffer_, frame, reason_) == ipc::StreamPeer::Status::kFrame) {
        for (const auto& group : frame.groups) {
          for (const auto event : group.events) events.emplace_back(event);
        }
        peer_.Answer(frame.number);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    told_ = channel.counters.events.load();
    return events;
  }

  TemporaryDirectory directory;

 private:
  static secure::v2::Responder::Config StayingManager() {
    secure::v2::Responder::Config config;
    config.stay = true;
    return config;
  }

  ipc::StreamListener listener_{directory / "stream", 0600};
  ipc::StreamPeer peer_{base::Fd()};
  std::string buffer_, reason_;
  uint64_t told_ = 0;
  base::Fd agent_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};

 public:
  UdpSocket socket{base::Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), AF_INET, 0};
  secure::ChannelState state{directory / "state.db"};
  secure::SenderCounter sender{directory / "sender_counter", base::WallNow()};
  secure::ReceiveCounters counters{state, directory.path(), {.files = false}};
  secure::v2::KernelRandom random;
  secure::v2::Responder responder{StayingManager(), random};
  Outlet outlet{{.stream = directory / "stream", .queue = directory / "queue"},
                [this](std::vector<Outlet::Taken> parts) {
                  const std::scoped_lock lock(taken_mutex);
                  for (auto& part : parts) taken.push_back(std::move(part));
                }};
  Channel channel{outlet, sender, counters, responder, [] {}};
  std::mutex taken_mutex;
  std::vector<Outlet::Taken> taken;
};

}  // namespace ospatrol::remoted
