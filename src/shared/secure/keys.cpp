#include "secure/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/text.h"

namespace ospatrol::secure {

namespace {

constexpr size_t kMaxLine = 2047;
constexpr size_t kMaxField = 127;
constexpr int kBadLine = 1401;
constexpr int kBadAddress = 1237;

std::string_view TakeField(std::string_view& rest) {
  const size_t space = rest.find(' ');
  const std::string_view field = rest.substr(0, space);
  rest = space == std::string_view::npos ? std::string_view() : rest.substr(space + 1);
  return field;
}

// Of a line without fields: enough to find it, too little to give a key away.
std::string_view Shown(std::string_view line) { return line.substr(0, 16); }

// Ids and names are parts of file names and of event locations.
bool IsSafeStep(std::string_view field) {
  return !field.empty() && field != "." && field != ".." &&
         field.find('/') == std::string_view::npos && !base::HasControlBytes(field);
}

}  // namespace

std::optional<AddressRule> AddressRule::Parse(std::string_view text) {
  const auto network = pattern::IpNetwork::Parse(text);
  if (!network) return std::nullopt;
  return AddressRule{.network = *network};
}

// Reads one line after the other; the indexes are made at the end, when the entries no longer move.
class KeyTableBuilder {
 public:
  explicit KeyTableBuilder(std::vector<KeyProblem>& problems) : problems_(problems) {}

  void Line(std::string_view line) {
    ++number_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#' || line.front() == ' ') return;
    if (line.size() > kMaxLine) {
      Problem(kBadLine, Shown(line),
              fmt::format("the line has {} bytes; at most {} are allowed", line.size(), kMaxLine));
      return;
    }
    Entry(line);
  }

  KeyTable Finish() {
    table_.by_id_.reserve(table_.entries_.size());
    table_.by_address_.reserve(table_.entries_.size());
    for (uint32_t index = 0; index < table_.entries_.size(); ++index) {
      const AgentKey& agent = table_.entries_[index];
      table_.by_id_.emplace(agent.id, index);
      if (!agent.rule.NeedsId()) table_.by_address_.emplace(agent.rule.network.address, index);
    }
    return std::move(table_);
  }

 private:
  void Entry(std::string_view line) {
    std::string_view rest = line;
    const std::string_view id = TakeField(rest).substr(0, kMaxField);
    if (rest.empty()) return Incomplete(Shown(line), "a name, an address and a key");
    if (rest.front() == '#') {
      if (IsSafeStep(id)) table_.removed_ids_.emplace_back(id);
      return;
    }
    const std::string_view name = TakeField(rest).substr(0, kMaxField);
    if (rest.empty()) return Incomplete(id, "an address and a key");
    const std::string_view address = TakeField(rest).substr(0, kMaxField);
    if (rest.empty()) return Incomplete(id, "a key");
    if (!IsSafeStep(id) || !IsSafeStep(name)) return Unsafe(id);
    if (base::HasControlBytes(rest)) {
      return Problem(kBadLine, id, "the key holds control characters");
    }
    Add(id, name, address, rest.substr(0, kMaxField));
  }

  void Add(std::string_view id, std::string_view name, std::string_view address,
           std::string_view key) {
    const auto rule = AddressRule::Parse(address);
    if (!rule) {
      Problem(kBadAddress, address,
              fmt::format("agent {} is skipped; expected an address, address/length or 'any'", id));
      return;
    }
    if (!ids_.emplace(id).second) {
      Problem(kBadLine, id, "a line above has this id; this one is skipped");
      return;
    }
    table_.entries_.push_back({.id = std::string(id),
                               .name = std::string(name),
                               .address = std::string(address.substr(0, address.find('/'))),
                               .address_text = std::string(address),
                               .rule = *rule,
                               .key = std::string(key)});
  }

  void Incomplete(std::string_view subject, std::string_view missing) {
    Problem(kBadLine, subject, fmt::format("expected {} behind it", missing));
  }

  void Unsafe(std::string_view id) {
    Problem(kBadLine, id,
            "id and name must not be empty, hold '/' or control characters, or be '.' or '..'");
  }

  void Problem(int message, std::string_view subject, std::string detail) {
    problems_.push_back({.line = number_,
                         .message = message,
                         .subject = std::string(subject),
                         .detail = std::move(detail)});
  }

  std::vector<KeyProblem>& problems_;
  KeyTable table_;
  std::unordered_set<std::string> ids_;
  int number_ = 0;
};

KeyTable ParseKeys(std::string_view text, std::vector<KeyProblem>& problems) {
  KeyTableBuilder builder(problems);
  while (!text.empty()) {
    const size_t end = text.find('\n');
    builder.Line(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return builder.Finish();
}

const AgentKey* KeyTable::Find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &entries_[found->second];
}

const AgentKey* KeyTable::FindByAddress(const PeerAddress& peer) const {
  const auto found = by_address_.find(peer.ip);
  return found == by_address_.end() ? nullptr : &entries_[found->second];
}

const AgentKey* KeyTable::FindByName(std::string_view name) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const AgentKey& agent) { return agent.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

bool KeyTable::IsTaken(std::string_view id) const {
  return Find(id) != nullptr ||
         std::find(removed_ids_.begin(), removed_ids_.end(), id) != removed_ids_.end();
}

}  // namespace ospatrol::secure
