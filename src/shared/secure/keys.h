// The agents of client.keys and who of them may send from where (wire-protocol 1.1, 1.2).
//
// A table is built once from the text of the file and never changes; a reload builds another one
// and swaps. Look-ups hash binary values: their cost does not grow with the number of agents, and
// there is no limit of agents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pattern/ip_list.h"
#include "secure/peer_address.h"

namespace ospatrol::secure {

// What the third field of a line says about the sender's address.
struct AddressRule {
  pattern::IpNetwork network;  // `any` has length 0; `!` is `negated`

  // Nothing when `text` is no form of wire-protocol 1.2: address, address/len, any, each with `!`.
  static std::optional<AddressRule> Parse(std::string_view text);

  bool Allows(const pattern::IpAddress& ip) const {
    return network.Contains(ip) != network.negated;
  }
  // The whole address is given: prefix length 32 or 128.
  bool IsSingleHost() const { return network.prefix == 128; }
  // An agent with this rule must write its id in front of its packets: the address alone does not
  // tell who it is.
  bool NeedsId() const { return !IsSingleHost() || network.negated; }
};

struct AgentKey {
  std::string id;
  std::string name;
  std::string address;       // without "/len": as in event locations and file names
  std::string address_text;  // as written
  AddressRule rule;
  std::string key;  // the rest of the line, usually 64 hex digits; used as text
};

// A line that is not used. The text never contains key material.
struct KeyProblem {
  int line;             // 1-based
  int message;          // number of the log: 1401, or 1237 for the address
  std::string subject;  // id or address of the line, as the message names it
  std::string detail;   // what was expected
};

class KeyTable {
 public:
  KeyTable() = default;
  KeyTable(KeyTable&&) noexcept = default;
  KeyTable& operator=(KeyTable&&) noexcept = default;
  KeyTable(const KeyTable&) = delete;
  KeyTable& operator=(const KeyTable&) = delete;

  // In the order of the file. Of several entries with one id only the first is kept; of several
  // with one address FindByAddress gives the first.
  std::span<const AgentKey> entries() const { return entries_; }
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }

  // Ids of removed entries ("ID #..."): nobody's, but not free.
  std::span<const std::string> removed_ids() const { return removed_ids_; }

  // Ids are compared as text: "1" is not "001". Null when unknown. The result lives as long as the
  // table.
  const AgentKey* Find(std::string_view id) const;
  // The agent that sends without an id from this address: a single host, not negated. The port
  // plays no part.
  const AgentKey* FindByAddress(const PeerAddress& peer) const;
  // Linear: for tools.
  const AgentKey* FindByName(std::string_view name) const;
  // Used by an entry, removed or not.
  bool IsTaken(std::string_view id) const;

 private:
  friend class KeyTableBuilder;

  std::vector<AgentKey> entries_;
  std::vector<std::string> removed_ids_;
  // The views point into entries_, whose buffer moves with the table but never grows.
  std::unordered_map<std::string_view, uint32_t> by_id_;
  std::unordered_map<pattern::IpAddress, uint32_t, IpHash> by_address_;
};

// Reads the text of a client.keys file. A broken line is named in `problems` and skipped; the
// others work. Never throws.
KeyTable ParseKeys(std::string_view text, std::vector<KeyProblem>& problems);

// May this agent send from there?
inline bool Allows(const AgentKey& agent, const PeerAddress& peer) {
  return agent.rule.Allows(peer.ip);
}

}  // namespace ospatrol::secure
