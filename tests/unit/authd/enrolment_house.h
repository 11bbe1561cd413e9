// An authd without its listener: keys, certificate, one service; and clients of it, each at the
// other end of a socket pair.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "../temporary_directory.h"
#include "authd/connection.h"
#include "base/files.h"
#include "tls/stream.h"

namespace ospatrol::authd {

using Clock = std::chrono::steady_clock;

// A host that enrols. Every wait ends after kPatience.
class Client {
 public:
  static constexpr std::chrono::seconds kPatience{60};
  using Result = tls::Stream::Result;

  explicit Client(base::Fd socket)
      : stream_(std::make_unique<tls::Stream>(tls::Context::Client({}), std::move(socket),
                                              tls::Stream::Side::kClient)) {}

  bool Handshake() {
    return Repeat([this] { return stream_->Handshake(); }) == Result::kDone;
  }
  bool Send(std::string_view text) {
    return Repeat([&] { return stream_->Write(text); }) == Result::kDone;
  }
  // Everything until the other side ends; then this one does.
  std::string ReadToTheEnd() {
    std::string text;
    Result result = Result::kDone;
    while (result == Result::kDone) {
      result = Repeat([&] { return stream_->Read(text); });
    }
    ended_ = result == Result::kClosed || result == Result::kFailed;
    stream_.reset();
    return text;
  }
  std::string Ask(std::string_view request) {
    if (!Handshake() || !Send(request)) return "no connection: " + stream_->fault();
    return ReadToTheEnd();
  }
  bool ended() const { return ended_; }  // by the other side, and not because patience did

 private:
  template <typename Operation>
  Result Repeat(Operation operation) {
    const Clock::time_point until = Clock::now() + kPatience;
    for (;;) {
      const Result result = operation();
      if (result != Result::kWantRead && result != Result::kWantWrite) return result;
      if (Clock::now() > until) return result;
      const short events = result == Result::kWantRead ? POLLIN : POLLOUT;
      pollfd wait{stream_->socket(), events, 0};
      ::poll(&wait, 1, 100);
    }
  }

  std::unique_ptr<tls::Stream> stream_;
  bool ended_ = false;
};

class EnrolmentHouse {
 public:
  explicit EnrolmentHouse(std::optional<std::string> password = {}) : home_(directory_.path()) {
    std::signal(SIGPIPE, SIG_IGN);
    for (const char* folder : {"etc", "var/run", "queue/agent-info", "backup/agents"}) {
      std::filesystem::create_directories(home_ / folder);
    }
    settings_.max_agents = 1000;
    enroller_ = std::make_unique<Enroller>(home_, settings_);
    SetPassword(std::move(password));
  }

  // As a reload does it: connections that began before keep the old one.
  void SetPassword(std::optional<std::string> password) {
    service_ = std::make_shared<const Service>(
        Service{.enroller = *enroller_, .notices = notices_, .password = std::move(password)});
  }

  std::string Keys() const {
    return base::ReadFileIfPresent(home_ / paths::kClientKeys).value_or("");
  }
  const std::shared_ptr<const Service>& service() const { return service_; }
  const tls::Context& context() const { return context_; }
  static secure::PeerAddress peer() {
    return secure::PeerAddress::Parse("192.0.2.5", 40000).value();
  }

  // The server's end and the client's.
  static std::pair<base::Fd, base::Fd> Sockets() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
      throw std::runtime_error("socketpair failed");
    }
    return {base::Fd(ends[0]), base::Fd(ends[1])};
  }

 private:
  TemporaryDirectory directory_;
  Home home_;
  Settings settings_;
  Notices notices_;
  std::unique_ptr<Enroller> enroller_;
  std::shared_ptr<const Service> service_;
  tls::Context context_ = tls::Context::Server(
      {OSPATROL_TEST_DATA "/tls/server.pem", OSPATROL_TEST_DATA "/tls/server.key", {}});
};

}  // namespace ospatrol::authd
