#include "agent_auth/enrol.h"

#include <fmt/format.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "secure/keys_file.h"
#include "tls/stream.h"

namespace ospatrol::agent_auth {

namespace {

using Clock = std::chrono::steady_clock;
using Result = tls::Stream::Result;

constexpr std::chrono::seconds kConnectTime{10};
constexpr std::chrono::seconds kDialogueTime{60};
constexpr size_t kMaxPasswordFile = 4096;
constexpr size_t kReferencePassword = 32;

void Say(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

std::string AgentName(const Options& options) {
  std::string name = options.name;
  if (name.empty()) {
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) {
      throw Error("Unable to get the name of this host; give one with -A");
    }
    name = host.data();
  }
  if (const auto fault = secure::NameFault(name)) {
    throw Error(fmt::format("Invalid agent name '{}': {}", name, *fault));
  }
  return name;
}

std::optional<std::string> ReadPassword(const Options& options) {
  if (options.password_file.empty()) {
    Say("WARN: No authentication password provided. Insecure mode started.");
    return std::nullopt;
  }
  const std::string content = base::ReadFile(options.password_file, kMaxPasswordFile);
  std::string password = content.substr(0, content.find('\n'));
  while (password.ends_with('\r')) password.pop_back();
  if (password.empty()) {
    throw Error(fmt::format("{}: its first line is empty; expected the password",
                            options.password_file.native()));
  }
  if (password.size() > kReferencePassword) {
    Say(fmt::format("WARN: The password has {} characters; an OSSEC manager reads {}.",
                    password.size(), kReferencePassword));
  }
  return password;
}

gid_t GroupOf(const Options& options) {
  const group* found = getgrnam(options.group.c_str());
  if (found == nullptr) throw Error(fmt::format("Invalid group '{}' given.", options.group));
  return found->gr_gid;
}

// True when `events` came before the deadline.
bool WaitFor(int fd, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd wait{.fd = fd, .events = events, .revents = 0};
    const int ready = poll(&wait, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

// A connected socket, or one that is closed, with errno.
base::Fd ConnectTo(const addrinfo& address) {
  base::Fd socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return socket;
  if (connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return socket;
  if (errno != EINPROGRESS) return base::Fd();
  if (!WaitFor(socket.get(), POLLOUT, Clock::now() + kConnectTime)) {
    errno = ETIMEDOUT;
    return base::Fd();
  }
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error == 0) return socket;
  errno = error;
  return base::Fd();
}

base::Fd Connect(const Options& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(options.port);
  const int failure = getaddrinfo(options.manager.c_str(), port.c_str(), &hints, &found);
  if (failure != 0) {
    throw Error(
        fmt::format("Could not resolve hostname: {}: {}", options.manager, gai_strerror(failure)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  int error = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    base::Fd socket = ConnectTo(*address);
    if (socket) return socket;
    error = errno;
  }
  throw Error(fmt::format("Unable to connect to {}:{}: {}", options.manager, options.port,
                          base::ErrnoText(error)));
}

// Repeats `step` until it is done; waits as it asks for.
template <typename Step>
Result Complete(tls::Stream& stream, Clock::time_point deadline, const Step& step) {
  for (;;) {
    const Result result = step();
    if (result != Result::kWantRead && result != Result::kWantWrite) return result;
    if (!WaitFor(stream.socket(), result == Result::kWantRead ? POLLIN : POLLOUT, deadline)) {
      throw Error(fmt::format("No answer within {} seconds", kDialogueTime.count()));
    }
  }
}

void Handshake(tls::Stream& stream, const Options& options, Clock::time_point deadline) {
  if (Complete(stream, deadline, [&] { return stream.Handshake(); }) != Result::kDone) {
    throw Error(
        fmt::format("SSL error. Connection refused by the manager or its certificate not "
                    "accepted: {}",
                    stream.fault()));
  }
  if (options.files.authorities.empty()) return;
  if (!stream.PeerIsCalled(options.manager)) {
    throw Error(fmt::format("The certificate of the manager is not for '{}'. Closing connection.",
                            options.manager));
  }
}

std::string Ask(tls::Stream& stream, const std::string& request, Clock::time_point deadline) {
  std::string_view unsent = request;
  if (Complete(stream, deadline, [&] { return stream.Write(unsent); }) != Result::kDone) {
    throw Error(fmt::format("Unable to send the request: {}", stream.fault()));
  }
  Say("INFO: Send request to manager. Waiting for reply.");
  std::string reply;
  while (secure::ParseEnrolmentReply(reply).state == secure::EnrolmentReply::State::kIncomplete &&
         reply.size() < secure::kMaxEnrolmentReply) {
    if (Complete(stream, deadline, [&] { return stream.Read(reply); }) != Result::kDone) break;
  }
  return reply;
}

secure::AgentKey KeyOf(const std::string& reply) {
  const secure::EnrolmentReply parsed = secure::ParseEnrolmentReply(reply);
  for (const std::string& error : secure::EnrolmentErrors(reply)) Say(error + " (from manager)");
  if (parsed.agent) return *parsed.agent;
  if (parsed.state == secure::EnrolmentReply::State::kInvalidKey) {
    throw Error(fmt::format("Invalid key received (2). Closing connection. ({})", parsed.fault));
  }
  throw Error(
      "Unable to create key. Either wrong password or connection not accepted by the "
      "manager.");
}

void Store(const Options& options, const secure::AgentKey& agent) {
  const secure::KeysFile file{Home(options.prefix)};
  const secure::KeysLock lock = file.Lock();
  file.ReplaceAll(lock, {&agent, 1});
  if (!options.group.empty() && chown(file.path().c_str(), uid_t(-1), GroupOf(options)) != 0) {
    throw Error(
        fmt::format("{}: cannot set the group: {}", file.path().native(), base::ErrnoText(errno)));
  }
}

}  // namespace

void Enrol(const Options& options) {
  const std::string name = AgentName(options);
  const std::optional<std::string> password = ReadPassword(options);
  const tls::Context context = tls::Context::Client(options.files, options.ciphers);
  if (!options.group.empty()) GroupOf(options);
  if (options.test) return;

  tls::Stream stream(context, Connect(options), tls::Stream::Side::kClient, options.manager);
  const auto deadline = Clock::now() + kDialogueTime;
  Handshake(stream, options, deadline);
  Say(fmt::format("INFO: Connected to {}:{}", options.manager, options.port));
  Say(fmt::format("INFO: Using agent name as: {}", name));
  const std::string reply = Ask(stream, secure::FormatEnrolmentRequest(password, name), deadline);
  stream.Close();
  Store(options, KeyOf(reply));
  Say("INFO: Valid key created. Finished.");
  Say(fmt::format("INFO: Restart the agent to use it: {}/bin/ospatrol-control restart",
                  options.prefix.native()));
}

}  // namespace ospatrol::agent_auth
