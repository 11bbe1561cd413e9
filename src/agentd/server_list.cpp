#include "agentd/server_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ospatrol::agentd {
namespace {

using secure::Cipher;

// Seconds before the rounds (wire-protocol 7.3).
constexpr int64_t kFirstAlone = 1, kMoreAlone = 18;
constexpr int64_t kFirstOfSeveral = 6, kMoreOfSeveral = 5;

constexpr unsigned kPatience = 3;  // rounds with a cipher that has worked

Cipher Other(Cipher cipher) { return cipher == Cipher::kAes ? Cipher::kBlowfish : Cipher::kAes; }

// Agents that lost one manager together must not come back together.
int64_t Spread(int64_t pause_ms, uint32_t random) {
  const int64_t span = pause_ms / 2;
  return pause_ms - span / 2 + (span > 0 ? static_cast<int64_t>(random) % span : 0);
}

}  // namespace

ServerList::ServerList(const config::ClientSection& client, CipherPolicy policy,
                       int64_t return_every_ms)
    : policy_(policy), return_every_ms_(return_every_ms) {
  const Cipher cipher =
      policy.method == config::ClientCipher::kBlowfish ? Cipher::kBlowfish : Cipher::kAes;
  for (const auto& server : client.servers) {
    Server entry;
    entry.name = server.name;
    entry.is_address = server.is_address;
    entry.key = fmt::format("{}:{}", server.name, client.port);
    entry.cipher = cipher;
    servers_.push_back(std::move(entry));
  }
}

Server* ServerList::Find(std::string_view key) {
  const auto found = std::ranges::find(servers_, key, &Server::key);
  return found == servers_.end() ? nullptr : &*found;
}

ServerList::Next ServerList::RoundFailed(uint32_t random) {
  Next next;
  Server& silent = current();
  ++silent.silent_rounds;
  const bool doubtful = silent.proved != silent.cipher || silent.silent_rounds % kPatience == 0;
  if (policy_.method == config::ClientCipher::kAuto && policy_.blowfish_available && doubtful) {
    silent.cipher = Other(silent.cipher);
    next.other_cipher = silent.cipher;
  }
  const bool alone = servers_.size() == 1;
  const int64_t seconds = alone ? kFirstAlone + kMoreAlone * int64_t{rounds_}
                                : kFirstOfSeveral + kMoreOfSeveral * int64_t{rounds_};
  next.pause_ms = Spread(std::min(seconds * 1000, kLongestPauseMs), random);
  ++rounds_;
  next.other_server = !alone;
  current_ = (current_ + 1) % servers_.size();
  return next;
}

void ServerList::Closed(int64_t now_ms) {
  current_ = (current_ + 1) % servers_.size();
  return_at_ = now_ms + return_every_ms_;
}

void ServerList::Answered(int64_t now_ms) {
  rounds_ = 0;
  current().silent_rounds = 0;
  return_at_ = now_ms + return_every_ms_;
}

std::optional<int64_t> ServerList::ReturnDue() const {
  if (current_ == 0) return std::nullopt;
  return return_at_;
}

}  // namespace ospatrol::agentd
