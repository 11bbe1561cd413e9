#include "remoted/version2.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "remoted/forwarding.h"

namespace ospatrol::remoted {
namespace {

namespace v2 = secure::v2;

// Spools that an agent has had: a new one is made when its disk was lost.
constexpr size_t kMostSpools = 4;
constexpr int64_t kSpoolNotePauseMs = 1000;

// Address and port in the fixed form that the responder binds cookies to.
std::array<uint8_t, 18> PeerBytes(const secure::PeerAddress& peer) {
  std::array<uint8_t, 18> bytes{};
  std::memcpy(bytes.data(), peer.ip.data(), peer.ip.size());
  bytes[16] = static_cast<uint8_t>(peer.port >> 8);
  bytes[17] = static_cast<uint8_t>(peer.port & 0xFF);
  return bytes;
}

v2::Bytes BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string_view TextOf(v2::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What the link asks of us during one call. Lives as long as that call; the agent is locked.
class LinkPeer final : public v2::ManagerPeer {
 public:
  LinkPeer(Channel& channel, const AgentPtr& agent, const secure::AgentKey& key,
           SessionState& session, Delivery& delivery)
      : channel_(channel), agent_(agent), key_(key), session_(session), delivery_(delivery) {}

  bool Deliver(const v2::SpoolId& spool, uint64_t first,
               std::span<const std::string_view> events) override {
    if (!channel_.outlet.HasRoom()) return false;
    const Origin origin{key_.id, key_.name, key_.address};
    auto& [text, ends, numbered] = delivery_;
    text.clear();
    ends.clear();
    numbered.clear();
    for (const std::string_view event : events) {
      Append(origin, event);
      ends.push_back(text.size());
    }
    size_t begin = 0;
    uint64_t number = first;
    for (const size_t end : ends) {
      if (end > begin) {
        numbered.push_back({number, std::string_view(text).substr(begin, end - begin)});
      }
      begin = end;
      ++number;
    }
    if (!channel_.outlet.OfferNumbered(spool, numbered, number - 1, agent_)) return false;
    channel_.counters.events.fetch_add(numbered.size(), std::memory_order_relaxed);
    return true;
  }

  uint64_t HelloCounter() override { return session_.hello_counter; }

  void SaveHelloCounter(uint64_t counter) override {
    session_.hello_counter = counter;
    session_.save_hello = true;
    channel_.Note(agent_);
  }

  uint64_t StoredEvent(const v2::SpoolId& spool) override {
    const auto found = std::ranges::find(session_.spools, spool, &secure::ChannelState::Spool::id);
    return found == session_.spools.end() ? 0 : found->last_event;
  }

  void Established(const Session& session) override {
    auto& spools = session_.spools;
    const auto found = std::ranges::find(spools, session.spool, &secure::ChannelState::Spool::id);
    if (found == spools.end()) {
      spools.insert(spools.begin(), {session.spool, agent_->id, 0});
      if (spools.size() > kMostSpools) spools.pop_back();
    } else {
      std::rotate(spools.begin(), found, found + 1);
    }
    session_.closed = false;
    agent_->version = 2;
    established_ = true;
    channel_.Note(agent_);
  }

  void Closed(uint16_t reason, std::string_view /*text*/) override {
    session_.closed = reason != static_cast<uint16_t>(v2::CloseReason::kRekey);
    channel_.Note(agent_);
  }

  void StatusReceived(const v2::StatusFrame& status) override {
    session_.has_status = true;
    session_.uname = status.uname;
    session_.merged_sum = status.merged_sum;
    session_.config_sum = status.config_sum;
    session_.spool_bytes = status.spool_bytes;
    session_.dropped = status.dropped;
    session_.round_trip_ms = status.round_trip_ms;
    agent_->pending_text = status.uname;
    channel_.Note(agent_);
  }

  void ControlFinished(uint64_t /*number*/, v2::ControlOutcome outcome,
                       std::string_view text) override {
    if (outcome == v2::ControlOutcome::kDone) return;
    channel_.faults.Write<msg::kRequestNotDelivered>(agent_->id, key_.name, Reason(outcome, text));
  }

  void FileFinished(std::string_view name, v2::FileOutcome outcome,
                    std::string_view text) override {
    if (outcome != v2::FileOutcome::kReplaced) session_.sending.reset();
    if (outcome == v2::FileOutcome::kDone || outcome == v2::FileOutcome::kReplaced) return;
    const std::string_view why = outcome == v2::FileOutcome::kWrongSum ? "wrong checksum" : text;
    channel_.faults.Write<msg::kFileRefused>(agent_->id, key_.name, name, why);
  }

  void KeyShared() override {
    channel_.faults.Write<msg::kKeyShared>(agent_->id, key_.id, key_.name);
  }

  // The packet in hand confirmed a session: its source is the agent's address.
  bool established() const { return established_; }

 private:
  static std::string_view Reason(v2::ControlOutcome outcome, std::string_view text) {
    if (outcome == v2::ControlOutcome::kExpired) return "no answer within a minute";
    if (!text.empty()) return text;
    return outcome == v2::ControlOutcome::kRefused ? "the agent refused it" : "it failed there";
  }

  // Appends nothing for what must not go on: its number still counts as taken.
  void Append(const Origin& origin, std::string_view event) {
    switch (AppendAgentEvent(origin, event, delivery_.text)) {
      case Forwarding::kMalformed:
        return channel_.faults.Write<msg::kMessageFormat>(
            key_.id, key_.name, event.substr(0, std::min<size_t>(64, event.size())));
      case Forwarding::kLocation:
        return channel_.faults.Write<msg::kEventLocation>(key_.id, key_.name);
      case Forwarding::kForwarded:
      case Forwarding::kSilent:
        return;
    }
  }

  Channel& channel_;
  const AgentPtr& agent_;
  const secure::AgentKey& key_;
  SessionState& session_;
  Delivery& delivery_;
  bool established_ = false;
};

// Verdicts that say nothing of interest: networks repeat and reorder, and sessions end.
bool IsUsual(v2::Verdict verdict) {
  switch (verdict) {
    case v2::Verdict::kTaken:
    case v2::Verdict::kRefused:
    case v2::Verdict::kDuplicate:
    case v2::Verdict::kOld:
    case v2::Verdict::kUnknownSession:
    case v2::Verdict::kNoCookie:
    case v2::Verdict::kStaleHello:
      return true;
    default:
      return false;
  }
}

}  // namespace

SessionState& EnsureSession(Agent& agent, const secure::AgentKey& key, v2::Responder& responder) {
  if (agent.session == nullptr) {
    agent.session = std::make_unique<SessionState>(responder, agent.serial,
                                                   v2::DerivePsk(key.id, key.name, key.key));
    agent.session->hello_counter = agent.stored_session.hello_counter;
    agent.session->spools = std::move(agent.stored_session.spools);
  }
  return *agent.session;
}

void SendMergedFile(Channel& channel, const AgentPtr& agent,
                    const std::shared_ptr<const v2::FileContent>& content) {
  const RegistryPtr registry = channel.registry.Get();
  const Registry::Entry entry = registry->Of(*agent);
  if (!entry) return;
  SessionState& session = *agent->session;
  // STATUS may come again before the agent has taken all of it.
  if (session.sending == content) return;
  Delivery delivery;
  LinkPeer peer(channel, agent, *entry.key, session, delivery);
  if (session.link.SendFile(peer, "merged.mg", content)) session.sending = content;
}

Version2::Result Version2::Handle(const Packet& packet, const Registry& registry,
                                  const Policy& policy, v2::Now now) {
  if (packet.cut || !policy.v2) {
    Log(v2::Verdict::kMalformed, packet);
    return Result::kHandled;
  }
  const auto peer = PeerBytes(packet.from.peer);
  const v2::Responder::Route route =
      channel_.responder.Look(now, peer, BytesOf(packet.bytes), out_);
  switch (route.kind) {
    case v2::Responder::Route::Kind::kHello:
      return HandleHello(packet, route.agent_id, registry, now);
    case v2::Responder::Route::Kind::kData:
      HandleData(packet, route.owner, registry, now);
      return Result::kHandled;
    case v2::Responder::Route::Kind::kAnswer:
      writer_.Add(packet.from, TextOf(v2::Bytes(out_).first(route.reply)));
      Log(route.verdict, packet);
      return Result::kHandled;
    case v2::Responder::Route::Kind::kDrop:
      Log(route.verdict, packet);
      return Result::kHandled;
  }
  return Result::kHandled;
}

Version2::Result Version2::HandleHello(const Packet& packet, std::string_view id,
                                       const Registry& registry, v2::Now now) {
  const Registry::Entry entry = registry.Find(id);
  if (!entry || !secure::Allows(*entry.key, packet.from.peer)) return Result::kUnknown;
  const AgentPtr& agent = *entry.agent;
  const std::scoped_lock lock(agent->mutex);
  SessionState& session = EnsureSession(*agent, *entry.key, channel_.responder);
  LinkPeer peer(channel_, agent, *entry.key, session, delivery_);
  const auto outcome = session.link.ReceiveHello(worker_, peer, now, BytesOf(packet.bytes), out_);
  if (outcome.reply > 0) {
    writer_.Add(packet.from, TextOf(v2::Bytes(out_).first(outcome.reply)));
  }
  Log(outcome.verdict, packet);
  return Result::kHandled;
}

void Version2::HandleData(const Packet& packet, uint64_t owner, const Registry& registry,
                          v2::Now now) {
  const Registry::Entry entry = registry.FindBySerial(owner);
  if (!entry || !secure::Allows(*entry.key, packet.from.peer)) {
    LogUnknown(packet);
    return;
  }
  const AgentPtr& agent = *entry.agent;
  const std::scoped_lock lock(agent->mutex);
  if (agent->session == nullptr) return;
  SessionState& session = *agent->session;
  LinkPeer peer(channel_, agent, *entry.key, session, delivery_);
  const auto outcome = session.link.ReceiveData(worker_, peer, now, BytesOf(packet.bytes));
  Log(outcome.verdict, packet);
  if (outcome.newest || peer.established()) {
    agent->thread.store(thread_, std::memory_order_relaxed);
    channel_.Heard(agent, packet.from, now.wall_ms / 1000);
  }
  if (session.link.is_waiting_for_room()) without_room_.push_back(agent);
  Flush(agent, *entry.key, now);
}

void Version2::Flush(const AgentPtr& agent, const secure::AgentKey& key, v2::Now now) {
  SessionState& session = *agent->session;
  LinkPeer peer(channel_, agent, key, session, delivery_);
  if (agent->IsHeard()) {
    while (const size_t size = session.link.NextDatagram(worker_, peer, now, out_)) {
      writer_.Add(agent->route, TextOf(v2::Bytes(out_).first(size)));
    }
  }
  const int64_t wake = session.link.NextWake(now);
  if (wake == v2::kNever) return;
  // A later time than one that is scheduled is found when that one comes.
  if (session.scheduled_ms <= wake && session.scheduled_ms > now.monotonic_ms) return;
  session.scheduled_ms = wake;
  due_.push({wake, agent});
}

void Version2::Tick(const Registry& registry, v2::Now now) {
  while (!due_.empty() && due_.top().at_ms <= now.monotonic_ms) {
    const Due due = due_.top();
    due_.pop();
    const AgentPtr agent = due.agent.lock();
    if (agent == nullptr) continue;
    const Registry::Entry entry = registry.Of(*agent);
    const std::scoped_lock lock(agent->mutex);
    if (!entry || agent->session == nullptr) continue;
    if (agent->session->scheduled_ms == due.at_ms) agent->session->scheduled_ms = v2::kNever;
    Flush(agent, *entry.key, now);
  }
  if (without_room_.empty() || !channel_.outlet.HasRoom()) return;
  for (const std::weak_ptr<Agent>& waiting : std::exchange(without_room_, {})) {
    const AgentPtr agent = waiting.lock();
    if (agent == nullptr) continue;
    const Registry::Entry entry = registry.Of(*agent);
    const std::scoped_lock lock(agent->mutex);
    if (!entry || agent->session == nullptr) continue;
    LinkPeer peer(channel_, agent, *entry.key, *agent->session, delivery_);
    agent->session->link.RoomAgain(worker_, peer, now);
    if (agent->session->link.is_waiting_for_room()) without_room_.push_back(agent);
    Flush(agent, *entry.key, now);
  }
}

int64_t Version2::NextWake() const {
  constexpr int64_t kLookForRoomMs = 5;
  int64_t wake = due_.empty() ? v2::kNever : due_.top().at_ms;
  if (!without_room_.empty()) {
    wake = std::min(wake, ProtocolNow().monotonic_ms + kLookForRoomMs);
  }
  return wake;
}

void Version2::Stored(const std::vector<Outlet::Taken>& taken, const Registry& registry,
                      v2::Now now) {
  for (const Outlet::Taken& part : taken) {
    const AgentPtr& agent = part.agent;
    const Registry::Entry entry = registry.Of(*agent);
    const std::scoped_lock lock(agent->mutex);
    if (agent->session == nullptr) continue;
    for (auto& spool : agent->session->spools) {
      if (spool.id != part.sender || spool.last_event >= part.last) continue;
      spool.last_event = part.last;
      agent->session->save_spool = true;
      // What is not stored when this process dies costs nothing: analysisd knows it, too.
      if (now.monotonic_ms - agent->session->spool_noted_ms >= kSpoolNotePauseMs) {
        agent->session->spool_noted_ms = now.monotonic_ms;
        channel_.Note(agent);
      }
    }
    agent->session->link.Stored(part.sender, part.last, now);
    if (entry) Flush(agent, *entry.key, now);
  }
}

void Version2::Send(const AgentPtr& agent, const Registry& registry, v2::Now now) {
  const Registry::Entry entry = registry.Of(*agent);
  const std::scoped_lock lock(agent->mutex);
  if (entry && agent->session != nullptr) Flush(agent, *entry.key, now);
}

void Version2::Close(const AgentPtr& agent, const secure::AgentKey& key, v2::CloseReason reason,
                     v2::Now now) {
  const std::scoped_lock lock(agent->mutex);
  if (agent->session == nullptr || agent->version != 2) return;
  const bool removed = reason == v2::CloseReason::kKeyRemoved;
  agent->session->link.Close(reason, removed ? "the key was removed" : "the manager stops");
  Flush(agent, key, now);
  if (removed) agent->session.reset();
}

void Version2::CloseAll(const Registry& registry, v2::Now now) {
  for (size_t i = 0; i < registry.size(); ++i) {
    const Registry::Entry entry = registry[i];
    if ((*entry.agent)->thread.load(std::memory_order_relaxed) != thread_) continue;
    Close(*entry.agent, *entry.key, v2::CloseReason::kStop, now);
  }
}

void Version2::Log(v2::Verdict verdict, const Packet& packet) {
  if (IsUsual(verdict)) return;
  channel_.counters.refused.fetch_add(1, std::memory_order_relaxed);
  const std::string source = packet.from.peer.IpText();
  channel_.faults.Write<msg::kSessionPacketRefused>(source, source, v2::VerdictText(verdict));
}

void Version2::LogUnknown(const Packet& packet) {
  channel_.counters.refused.fetch_add(1, std::memory_order_relaxed);
  const std::string source = packet.from.peer.IpText();
  const auto head = v2::ParseHello(BytesOf(packet.bytes));
  if (head) {
    channel_.faults.Write<msg::kUnknownAgent>(source, head->agent_id, source);
  } else {
    channel_.faults.Write<msg::kSourceNotAllowed>(source, source);
  }
}

}  // namespace ospatrol::remoted
