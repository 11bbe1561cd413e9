#include "remoted/relay.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "remoted/version2.h"
#include "secure/control_message.h"
#include "secure/relay_request.h"

namespace ospatrol::remoted {

void Relay::Take(std::string_view datagram, Clock::time_point now) {
  const auto request = secure::ParseRelayRequest(datagram);
  // One line of text at the agent, whatever the program that wrote it was fed.
  if (!request || request->payload.empty() || base::HasControlBytes(request->payload)) {
    channel_.faults.Write<msg::kResponseRefused>("ar", datagram.substr(0, 128));
    return;
  }
  std::string text =
      request->plain ? std::string(request->payload) : "execd " + std::string(request->payload);
  const auto until = now + kKeep;
  const RegistryPtr registry = channel_.registry.Get();
  if (request->all_agents) {
    to_all_.push_back({std::move(text), registry, 0, until});
    return;
  }
  const std::string_view wanted = request->named_agent ? request->name : request->id;
  const Registry::Entry entry = request->named_agent ? registry->FindByName(request->name)
                                : request->with_id   ? registry->Find(request->id)
                                                     : Registry::Entry{};
  if (!entry) {
    channel_.faults.Write<msg::kRelayAgentUnknown>(wanted, wanted);
    return;
  }
  SendOrKeep(*entry.agent, entry.key->name, text, until, true);
  sender_.Flush();
}

bool Relay::Continue(Clock::time_point now) {
  size_t left = kAgentsPerTurn;
  while (!to_all_.empty() && left > 0) {
    ToAll& all = to_all_.front();
    while (left > 0 && all.next < all.agents->size()) {
      const Registry::Entry entry = (*all.agents)[all.next++];
      --left;
      SendOrKeep(*entry.agent, entry.key->name, all.text, all.until, false);
    }
    if (all.next == all.agents->size() || all.until <= now) to_all_.pop_front();
  }
  sender_.Flush();
  return !to_all_.empty();
}

void Relay::SendOrKeep(const AgentPtr& agent, std::string_view name, const std::string& text,
                       Clock::time_point until, bool named) {
  const std::scoped_lock lock(agent->mutex);
  if (agent->removed || TrySend(agent, name, text)) return;
  Waiting& waiting = waiting_[agent->serial];
  if (waiting.requests.size() >= kMostWaiting || waiting_requests_ >= kMostInAll) {
    channel_.faults.Write<msg::kRequestNotDelivered>(agent->id, name, "too many wait already");
    return;
  }
  waiting.agent = agent;
  waiting.requests.push_back({text, until, named});
  ++waiting_requests_;
  agent->requests_wait = true;
}

bool Relay::TrySend(const AgentPtr& agent, std::string_view name, const std::string& text) {
  const base::Seconds now = base::WallNow();
  if (!agent->IsHeard() || now - agent->last_heard > agent->Reach()) return false;
  if (agent->version == 2) {
    if (agent->session == nullptr || !agent->session->link.info().established ||
        agent->session->closed) {
      return false;
    }
    if (agent->session->link.SendControl(text, ProtocolNow()) == 0) {
      channel_.faults.Write<msg::kRequestNotDelivered>(agent->id, name,
                                                       "too long, or too many on their way");
      return true;
    }
    nudge_(agent);
    return true;
  }
  const auto result = sender_.Send(*agent, std::string(secure::kControlPrefix) + text);
  if (result != Version1Sender::Result::kSent) {
    channel_.faults.Write<msg::kRequestNotDelivered>(agent->id, name,
                                                     result == Version1Sender::Result::kTooLarge
                                                         ? "it does not fit into a packet"
                                                         : "its cipher is not available");
  }
  return true;
}

void Relay::AgentHeard(const AgentPtr& agent, Clock::time_point now) {
  const auto found = waiting_.find(agent->serial);
  if (found == waiting_.end()) return;
  Waiting waiting = std::move(found->second);
  waiting_.erase(found);
  waiting_requests_ -= waiting.requests.size();
  const RegistryPtr registry = channel_.registry.Get();
  const Registry::Entry entry = registry->Of(*agent);
  {
    const std::scoped_lock lock(agent->mutex);
    agent->requests_wait = false;
  }
  if (!entry) return;
  for (const Request& request : waiting.requests) {
    if (request.until <= now) continue;
    SendOrKeep(agent, entry.key->name, request.text, request.until, request.named);
  }
  sender_.Flush();
}

void Relay::Expire(Clock::time_point now) {
  const RegistryPtr registry = channel_.registry.Get();
  for (auto row = waiting_.begin(); row != waiting_.end();) {
    Waiting& waiting = row->second;
    const Registry::Entry entry = registry->Of(*waiting.agent);
    while (!waiting.requests.empty() && waiting.requests.front().until <= now) {
      const bool named = waiting.requests.front().named;
      waiting.requests.pop_front();
      --waiting_requests_;
      if (entry && named) {
        channel_.faults.Write<msg::kRequestNotDelivered>(waiting.agent->id, entry.key->name,
                                                         "it was not heard within a minute");
      }
    }
    if (!waiting.requests.empty()) {
      ++row;
      continue;
    }
    const std::scoped_lock lock(waiting.agent->mutex);
    waiting.agent->requests_wait = false;
    row = waiting_.erase(row);
  }
}

}  // namespace ospatrol::remoted
