// Who gets which id, name, address and key: the rules of enrolment over client.keys
// (wire-protocol 8.2, 8.4).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "authd/settings.h"
#include "base/time.h"
#include "product/paths.h"
#include "secure/keys_file.h"

namespace ospatrol::authd {

struct Enrolment {
  enum class Outcome : uint8_t {
    kAdded,         // agent
    kBadName,       // text: why; or all names up to <name>255 are taken
    kAddressTaken,  // text: id of the agent that has the source address
    kFailed,        // text: no free id, or the file cannot be written
  };
  Outcome outcome = Outcome::kFailed;
  std::optional<secure::AgentKey> agent;
  std::string text;
  std::string replaced;  // id of the agent that made room, empty for none
};

// Thread-safe: one enrolment at a time.
class Enroller {
 public:
  static constexpr int kLastNameNumber = 255;

  Enroller(const Home& home, const Settings& settings);

  // The key is on disk when it returns kAdded. Blocks for the disk and for other writers of
  // client.keys. `now` is Unix time. Never throws.
  Enrolment Enrol(std::string_view name, const secure::PeerAddress& source, base::Seconds now);

  void SetSettings(const Settings& settings);

 private:
  struct Known {
    std::string id;
    std::string name;
    std::string address;
  };
  // What client.keys holds, for look-ups whose cost does not grow with it.
  struct Index {
    std::unordered_map<std::string, Known> by_name;
    std::unordered_map<pattern::IpAddress, Known, secure::IpHash> by_address;
    std::unordered_set<uint32_t> ids;  // numbers from kFirstEnrolledId on, removed ones too
    uint32_t next_id = secure::kFirstEnrolledId;
    size_t agents = 0;
  };

  Enrolment EnrolLocked(std::string_view name, const secure::PeerAddress& source,
                        base::Seconds now);
  void Refresh();
  void Remember(const secure::AgentKey& agent);
  std::optional<std::string> FreeName(std::string_view name) const;
  std::optional<std::string> TakeId();
  // Was it heard long enough ago, or never, to make room?
  bool MakesRoom(const Known& known, base::Seconds now) const;
  void Retire(const secure::KeysLock& lock, const Known& known, base::Seconds now);

  Home home_;
  std::mutex mutex_;
  Settings settings_;
  secure::KeysFile file_;
  secure::KeysWatch watch_;
  Index index_;
};

}  // namespace ospatrol::authd
