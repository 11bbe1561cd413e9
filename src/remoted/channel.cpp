#include "remoted/channel.h"

#include <utility>

namespace ospatrol::remoted {
namespace {

// Every authentic packet is a sign of life, but a file needs no touch for each.
constexpr base::Seconds kTouchPause = 60;

}  // namespace

std::string_view Policy::Name() const {
  if (aes && blowfish) return "any";
  if (aes) return "AES only";
  if (blowfish) return "Blowfish only";
  return "v2 only";
}

Policy Channel::policy() const {
  const std::scoped_lock lock(policy_mutex_);
  return policy_;
}

void Channel::SetPolicy(const Policy& policy) {
  const std::scoped_lock lock(policy_mutex_);
  policy_ = policy;
}

void Channel::Heard(const AgentPtr& agent, const Route& route, base::Seconds now) {
  agent->route = route;
  agent->last_heard = now;
  const bool touch = now - agent->last_touch >= kTouchPause || now < agent->last_touch;
  if (touch) {
    agent->last_touch = now;
    agent->touch_due = true;
  }
  if (touch || agent->requests_wait) Note(agent);
}

void Channel::Note(const AgentPtr& agent) {
  if (agent->noted) return;
  agent->noted = true;
  bool first = false;
  {
    const std::scoped_lock lock(notes_mutex_);
    first = notes_.empty();
    notes_.push_back(agent);
  }
  if (first) wake_main_();
}

std::vector<AgentPtr> Channel::TakeNotes() {
  const std::scoped_lock lock(notes_mutex_);
  return std::exchange(notes_, {});
}

}  // namespace ospatrol::remoted
