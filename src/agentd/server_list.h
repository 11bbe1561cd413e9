// Which manager is spoken to next, when, and with which cipher (wire-protocol 0.2, 7.3). No I/O, no
// clock: times are monotonic milliseconds, randomness is given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/sections.h"
#include "secure/cipher.h"

namespace ospatrol::agentd {

struct Server {
  std::string name;  // address or host name
  bool is_address = false;
  std::string key;  // "name:port": its name in stores
  secure::Cipher cipher = secure::Cipher::kAes;
  std::optional<secure::Cipher> proved;  // the one that it has answered to
  unsigned silent_rounds = 0;            // since it answered last
  bool v2 = false;                       // protocol 2 has worked
  bool stay = false;                     // and protocol 1 must not be tried any more
  std::string manager_id;                // 16 bytes, empty when unknown
};

class ServerList {
 public:
  static constexpr int64_t kLongestPauseMs = 5 * 60 * 1000;

  struct CipherPolicy {
    config::ClientCipher method = config::ClientCipher::kAuto;
    bool blowfish_available = true;
  };

  // REQUIRES: at least one server.
  ServerList(const config::ClientSection& client, CipherPolicy policy, int64_t return_every_ms);

  size_t size() const { return servers_.size(); }
  Server& at(size_t index) { return servers_[index]; }
  Server& current() { return servers_[current_]; }
  size_t current_index() const { return current_; }
  // Takes over what is known of a server of the same key.
  Server* Find(std::string_view key);

  // A round of the present server got no answer. The next server is current() now; its next round
  // is due after the pause, which grows from round to round and is spread by up to a quarter.
  // `random`: any number.
  struct Next {
    int64_t pause_ms = 0;
    bool other_server = false;
    // The cipher that the silent server is tried with next time. One that it has answered to is
    // given up in every third round only.
    std::optional<secure::Cipher> other_cipher;
  };
  Next RoundFailed(uint32_t random);

  // The present server said good-bye: the next one is current() now, without a pause.
  void Closed(int64_t now_ms);

  // The present server has answered: pauses begin small again.
  void Answered(int64_t now_ms);

  // While a later server is in use, the first one is tried every `return_every_ms`.
  std::optional<int64_t> ReturnDue() const;
  void ReturnFailed(int64_t now_ms) { return_at_ = now_ms + return_every_ms_; }
  void GoTo(size_t index) { current_ = index; }

 private:
  std::vector<Server> servers_;
  CipherPolicy policy_;
  int64_t return_every_ms_;
  size_t current_ = 0;
  unsigned rounds_ = 0;  // without answer
  int64_t return_at_ = 0;
};

}  // namespace ospatrol::agentd
