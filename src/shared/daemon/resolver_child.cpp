// The child's side. Several threads wait on one socket: a packet wakes one of them, so that a name
// whose servers are silent (30 s and more) does not delay the others.
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "daemon/resolver_protocol.h"

namespace ospatrol::daemon {

namespace {

constexpr int kThreads = 4;

std::vector<std::string> LookUp(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);

  std::vector<std::string> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
      continue;
    }
    const std::string address = text.data();
    const bool known = std::find(addresses.begin(), addresses.end(), address) != addresses.end();
    if (!known && addresses.size() < kMostAddresses) addresses.push_back(address);
  }
  return addresses;
}

[[noreturn]] void Serve(int socket) {
  std::array<char, kLongestResolverMessage> space{};
  for (;;) {
    const ssize_t got = recv(socket, space.data(), space.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) _exit(0);
    const auto question = ParseQuestion(std::string_view(space.data(), static_cast<size_t>(got)));
    if (!question) continue;
    const std::string answer = Encode(Answer{question->id, LookUp(question->name)});
    send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
  }
}

}  // namespace

void ServeResolver(int socket) {
  for (int i = 1; i < kThreads; ++i) std::thread([socket] { Serve(socket); }).detach();
  Serve(socket);
}

}  // namespace ospatrol::daemon
