#include "monitord/agent_watch.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/text.h"

namespace ospatrol::monitord {
namespace {

using Change = AgentWatch::Change;

constexpr int64_t kClockTolerance = 30;  // seconds

std::string_view Words(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::kDisconnected:
      return "disconnected";
    case Change::Kind::kReconnected:
      return "reconnected";
    case Change::Kind::kRemoved:
      return "removed";
    case Change::Kind::kNeverConnected:
      break;
  }
  return "never connected";
}

}  // namespace

std::string EventText(const Change& change) {
  return fmt::format("ossec: Agent {}: '{}'.", Words(change.kind), change.label);
}

void AgentWatch::SetLimits(std::chrono::seconds limit, std::chrono::seconds settle) {
  limit_ = limit;
  settle_ = settle;
}

// A clock that was set makes all signs of life look old, or young: the waiting begins anew.
void AgentWatch::NoteClock(base::Seconds wall, Monotonic now) {
  const auto passed = std::chrono::duration_cast<std::chrono::seconds>(now - last_look_).count();
  if (watching_since_ && std::abs(wall - last_wall_ - passed) > kClockTolerance) {
    watching_since_.reset();
  }
  if (!watching_since_) watching_since_ = now;
  last_look_ = now;
  last_wall_ = wall;
}

AgentWatch::Known AgentWatch::Judge(const Agent& agent, const Known& before, base::Seconds wall,
                                    bool settled) const {
  Known after = before;
  if (agent.heard && wall - *agent.heard < limit_.count()) {
    after.state = State::kActive;
  } else if (!settled) {
    return after;
  } else if (agent.heard) {
    // Also one that was lost before anybody watched.
    after.state = State::kLost;
  } else if (before.state == State::kActive) {
    after.state = State::kLost;  // its file was deleted
  } else if (before.state == State::kNew && wall - before.first_seen >= limit_.count()) {
    after.state = State::kNever;
  }
  return after;
}

std::optional<Change::Kind> AgentWatch::Told(const Known& before, const Known& after) {
  if (after.state == before.state) return std::nullopt;
  if (after.state == State::kLost) return Change::Kind::kDisconnected;
  if (after.state == State::kNever) return Change::Kind::kNeverConnected;
  if (before.state == State::kLost) return Change::Kind::kReconnected;
  return std::nullopt;  // its first sign of life: its own event says so
}

std::vector<Change> AgentWatch::Look(std::span<const Agent> agents, base::Seconds wall,
                                     Monotonic now, size_t most) {
  NoteClock(wall, now);
  const bool settled = now - *watching_since_ >= settle_;
  std::vector<Change> changes;
  Book next;
  for (const Agent& agent : agents) {
    const auto found = known_.find(agent.label);
    Known before = found == known_.end() ? Known{State::kNew, wall} : found->second;
    if (before.first_seen > wall) before.first_seen = wall;
    const Known after = Judge(agent, before, wall, settled);
    const auto kind = Told(before, after);
    const bool full = kind && changes.size() >= most;
    next.emplace(agent.label, full ? before : after);
    if (kind && !full) changes.push_back({*kind, agent.label});
  }
  for (const auto& [label, before] : known_) {
    if (next.contains(label)) continue;
    if (changes.size() < most) {
      changes.push_back({Change::Kind::kRemoved, label});
    } else {
      next.emplace(label, before);
    }
  }
  known_ = std::move(next);
  return changes;
}

std::string AgentWatch::Save() const {
  std::string text;
  for (const auto& [label, known] : known_) {
    text += fmt::format("{} {} {}\n", static_cast<char>(known.state), known.first_seen, label);
  }
  return text;
}

void AgentWatch::Restore(std::string_view text) {
  known_.clear();
  for (const std::string_view line : base::Split(text, '\n')) {
    const auto words = base::SplitWords(line, " ");
    if (words.size() != 3 || words[0].size() != 1) continue;
    const auto first_seen = base::ParseNumber<base::Seconds>(words[1]);
    if (!first_seen || std::string_view("nNad").find(words[0][0]) == std::string_view::npos) {
      continue;
    }
    known_[std::string(words[2])] = {static_cast<State>(words[0][0]), *first_seen};
  }
}

}  // namespace ospatrol::monitord
