// What remoted knows of one agent while it runs, and the table of all of them.
//
// Memory counts: there may be 50,000. What only a few have at a time (version 2, waiting requests)
// hangs on a pointer.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "remoted/udp.h"
#include "secure/cipher.h"
#include "secure/counters.h"
#include "secure/keys.h"

namespace ospatrol::remoted {

using Md5 = std::array<uint8_t, 16>;

// What an agent says it has of the shared files.
struct ReportedSum {
  enum class State : uint8_t { kUnknown, kNone, kSum };  // kNone: "x"
  State state = State::kUnknown;
  Md5 md5{};
  bool operator==(const ReportedSum&) const = default;
};

struct SessionState;  // version2.h

// What was stored of an agent's sessions of version 2 before the last start.
struct StoredSession {
  uint64_t hello_counter = 0;
  std::vector<secure::ChannelState::Spool> spools;
};

class Agent {
 public:
  Agent(const secure::AgentKey& key, std::shared_ptr<secure::ReceiveCounter> received);
  ~Agent();

  const uint64_t serial;  // unique in this process
  const std::string id;
  const secure::DerivedKeys keys;
  const std::shared_ptr<secure::ReceiveCounter> counter;  // of version 1

  std::atomic<uint16_t> thread{0};  // the receiver that heard it last: a hint

  // --- from here on under `mutex` ---
  std::mutex mutex;

  Route route;  // port 0: never heard
  base::Seconds last_heard = 0;
  base::Seconds last_control = 0;
  base::Seconds last_touch = 0;  // when the agent-info file was due last
  uint32_t interval = 0;         // observed seconds between keep-alives; 0 = unknown
  secure::Cipher cipher = secure::Cipher::kAes;  // of its last authentic packet
  uint8_t version = 1;                           // of its last authentic packet
  bool touch_due = false;                        // its agent-info file is to get a new time
  bool noted = false;                            // a note about it waits for the main thread
  bool requests_wait = false;                    // the relay wants to know when it is heard
  bool removed = false;                          // its key is gone
  std::string pending_text;      // keep-alive for the main thread; empty: nothing new in it
  uint64_t keep_alive_hash = 0;  // of the last one
  ReportedSum reported;
  // Version 1, while its packets look old: what it was sent to prove that it speaks now.
  bool challenged = false;
  base::Seconds challenged_at = 0;
  base::Seconds old_answered = 0;
  Md5 challenge{};
  std::unique_ptr<SessionState> session;  // version 2; null until it says HELLO
  StoredSession stored_session;           // until then

  bool IsHeard() const { return route.peer.port != 0; }
  // How long a silent agent still counts as being where it was.
  base::Seconds Reach() const { return std::max<base::Seconds>(3 * interval, 1200); }
};

using AgentPtr = std::shared_ptr<Agent>;

// All agents of one state of client.keys. Never changes: a reload makes another one.
class Registry {
 public:
  // Agents of `before` whose entry did not change in what matters (id, name, key) go on as they
  // are. `before` may be null.
  Registry(secure::KeyTable keys, std::unordered_set<std::string> v2_only, const Registry* before,
           secure::ReceiveCounters& counters);

  struct Entry {
    const secure::AgentKey* key = nullptr;
    const AgentPtr* agent = nullptr;
    explicit operator bool() const { return key != nullptr; }
  };
  Entry Find(std::string_view id) const { return At(keys_.Find(id)); }
  Entry FindByAddress(const secure::PeerAddress& peer) const {
    return At(keys_.FindByAddress(peer));
  }
  Entry FindByName(std::string_view name) const;
  Entry FindBySerial(uint64_t serial) const;
  // The present entry of an agent; nothing when its key is gone or another one.
  Entry Of(const Agent& agent) const;
  // Is version 1 refused for it (etc/v2-only)?
  bool IsV2Only(std::string_view id) const {
    return !v2_only_.empty() && v2_only_.contains(std::string(id));
  }

  size_t size() const { return agents_.size(); }
  Entry operator[](size_t index) const { return {&keys_.entries()[index], &agents_[index]}; }

  // Agents of `before` that are not here any more, or under another key.
  std::vector<AgentPtr> Missing(const Registry& before) const;

 private:
  Entry At(const secure::AgentKey* key) const {
    if (key == nullptr) return {};
    return {key, &agents_[static_cast<size_t>(key - keys_.entries().data())]};
  }

  secure::KeyTable keys_;
  std::vector<AgentPtr> agents_;  // as keys_.entries()
  std::unordered_map<std::string_view, uint32_t> by_name_;
  std::unordered_map<uint64_t, uint32_t> by_serial_;
  std::unordered_set<std::string> v2_only_;
};

using RegistryPtr = std::shared_ptr<const Registry>;

// Where all threads find the present table. A reader keeps its copy and asks once per batch of
// packets whether there is a newer one: one load of an atomic number.
class RegistryHolder {
 public:
  void Set(RegistryPtr registry);
  RegistryPtr Get() const;
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;
  RegistryPtr registry_;
  std::atomic<uint64_t> version_{0};
};

}  // namespace ospatrol::remoted
