// Which agents were lost, came back, were removed or never came (wire-protocol 9.3, 9.4).
//
// An agent is active while its sign of life is younger than `limit`. Nobody is called lost before
// `settle` of watching: after a start of the manager, or after the clock was set, the agents first
// get the time for a keep-alive.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace ospatrol::monitord {

class AgentWatch {
 public:
  using Monotonic = std::chrono::steady_clock::time_point;

  struct Agent {
    std::string label;                   // "web01-10.0.0.5"
    std::optional<base::Seconds> heard;  // last sign of life
  };
  struct Change {
    enum class Kind { kDisconnected, kReconnected, kRemoved, kNeverConnected };
    Kind kind;
    std::string label;
    bool operator==(const Change&) const = default;
  };

  AgentWatch(std::chrono::seconds limit, std::chrono::seconds settle)
      : limit_(limit), settle_(settle) {}

  // Limits of a new configuration.
  void SetLimits(std::chrono::seconds limit, std::chrono::seconds settle);

  // What has changed since the last look, for all agents with a key: the first `most` changes, the
  // others wait for the next look.
  std::vector<Change> Look(std::span<const Agent> agents, base::Seconds wall, Monotonic now,
                           size_t most);
  // What is known as text, one line an agent, and back. Wrong lines are left out: their agents are
  // looked at anew.
  std::string Save() const;
  void Restore(std::string_view text);

 private:
  enum class State : char { kNew = 'n', kNever = 'N', kActive = 'a', kLost = 'd' };
  struct Known {
    State state = State::kNew;
    base::Seconds first_seen = 0;
    bool operator==(const Known&) const = default;
  };
  using Book = std::map<std::string, Known, std::less<>>;

  void NoteClock(base::Seconds wall, Monotonic now);
  static std::optional<Change::Kind> Told(const Known& before, const Known& after);
  Known Judge(const Agent& agent, const Known& before, base::Seconds wall, bool settled) const;

  std::chrono::seconds limit_, settle_;
  Book known_;
  std::optional<Monotonic> watching_since_;
  Monotonic last_look_{};
  base::Seconds last_wall_ = 0;
};

// "ossec: Agent disconnected: 'web01-10.0.0.5'.": rules match these words.
std::string EventText(const AgentWatch::Change& change);

}  // namespace ospatrol::monitord
