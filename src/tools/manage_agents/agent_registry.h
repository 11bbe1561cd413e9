// Adding, removing and looking up agents in etc/client.keys, with what belongs to them elsewhere
// (wire-protocol 1.8, 1.9). Says what happened; the texts are the dialogue's.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "product/paths.h"
#include "secure/keys.h"
#include "secure/keys_file.h"

namespace ospatrol::manage_agents {

class AgentRegistry {
 public:
  explicit AgentRegistry(const Home& home) : home_(home), file_(home) {}

  // Reads the file; broken lines are named in the log and skipped. Throws Error.
  secure::KeyTable Load() const;

  struct Added {
    enum class Fault { kNone, kId, kName, kAddress, kIdTaken, kNameTaken, kAddressTaken };
    Fault fault = Fault::kNone;
    std::string id;        // given, or that of the agent which has the address
    std::string replaced;  // id of an agent that was removed to make room
  };
  struct NewAgent {
    std::string id;  // empty: the suggested one
    std::string name, address;
    // An agent with the same address that was silent for so long is removed.
    std::optional<std::chrono::seconds> replace_after;
  };
  // Throws Error when the file cannot be written.
  Added Add(const NewAgent& agent);

  // Backs up what is known of the agent, then removes it. False: no agent has the id.
  bool Remove(const std::string& id);

  // On an agent: the one key, in place of all others.
  void Import(const secure::AgentKey& agent);

  // Tells analysisd, if it runs, that somebody wanted an address twice.
  void ReportDuplicate(std::string_view address) const;

 private:
  void BackUp(const secure::AgentKey& agent) const;
  void DeleteState(const secure::AgentKey& agent) const;
  bool Forget(const secure::KeysLock& lock, const secure::KeyTable& keys, const std::string& id);

  Home home_;
  secure::KeysFile file_;
};

// The same host twice: networks and `any` may be shared, single hosts not.
const secure::AgentKey* FindSameAddress(const secure::KeyTable& keys, std::string_view address);

}  // namespace ospatrol::manage_agents
