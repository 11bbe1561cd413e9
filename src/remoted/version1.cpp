#include "remoted/version1.h"

#include <functional>

#include "base/digest.h"
#include "base/random.h"
#include "remoted/forwarding.h"
#include "remoted/shared_files.h"
#include "secure/control_message.h"

namespace ospatrol::remoted {
namespace {

constexpr uint32_t kLongestInterval = 24 * 3600;
constexpr size_t kMostIdDigits = 16;  // shown of an id that is none
// Limits of what an old packet can make us send: seconds.
constexpr base::Seconds kQuietBeforeChallenge = 30;
constexpr base::Seconds kOldAnswerPause = 5;
constexpr base::Seconds kChallengePause = 60;

// What of a keep-alive says something: its filler is random.
uint64_t HashOf(const secure::KeepAlive& keep_alive) {
  std::string text(keep_alive.first_line);
  for (const secure::FileSum& file : keep_alive.files) {
    text += '\n';
    text += file.md5;
    text += ' ';
    text += file.name;
  }
  // 0 stands for "none yet".
  return std::hash<std::string>()(text) | 1;
}

}  // namespace

Version1Sender::Result Version1Sender::SendTo(const Agent& agent, const Route& route,
                                              secure::Cipher cipher, std::string_view message) {
  if (!secure::SealableSize(message)) return Result::kTooLarge;
  const secure::Sealed sealed =
      secure::Seal(engine_, agent.keys, cipher, {}, counter_.Next(), message);
  if (sealed.fault == secure::SealFault::kNoBlowfish) return Result::kNoCipher;
  if (!sealed || sealed.datagram.size() > secure::kMaxDatagramToAgent) return Result::kTooLarge;
  writer_.Add(route, sealed.datagram);
  // At once, while the agent is locked: several threads send to it, and old agents refuse what
  // comes behind a later counter.
  writer_.Flush();
  return Result::kSent;
}

size_t EventBatch::OfferTo(Outlet& outlet) {
  views_.clear();
  size_t begin = 0;
  for (const size_t end : ends_) {
    views_.push_back(std::string_view(text_).substr(begin, end - begin));
    begin = end;
  }
  const size_t refused = views_.size() - outlet.Offer(views_);
  text_.clear();
  ends_.clear();
  return refused;
}

void Version1::EndBatch() {
  if (batch_.empty()) return;
  const size_t refused = batch_.OfferTo(channel_.outlet);
  if (refused > 0) {
    channel_.counters.events_dropped.fetch_add(refused, std::memory_order_relaxed);
  }
}

Version1::Result Version1::Handle(const Packet& packet, const Registry& registry,
                                  const Policy& policy, base::Seconds now) {
  const secure::PacketPrefix prefix = secure::ParsePrefix(packet.bytes);
  if (packet.cut || packet.bytes.size() > secure::kMaxDatagram ||
      prefix.state == secure::PacketPrefix::State::kBadId) {
    const std::string source = packet.from.peer.IpText();
    channel_.faults.Write<msg::kPacketMalformed>(source, source);
    return Result::kHandled;
  }
  const Registry::Entry entry =
      prefix.id.empty() ? registry.FindByAddress(packet.from.peer) : registry.Find(prefix.id);
  if (!entry || !secure::Allows(*entry.key, packet.from.peer)) return Result::kUnknown;
  if (!IsAllowed(prefix, packet, entry.key->id, registry, policy)) return Result::kHandled;
  if (prefix.state != secure::PacketPrefix::State::kOk) {
    channel_.faults.Write<msg::kPacketMalformed>(entry.key->id, entry.key->id);
    return Result::kHandled;
  }

  const AgentPtr& agent = *entry.agent;
  const secure::Opened opened =
      secure::Open(sender_.engine(), agent->keys, prefix.cipher, prefix.sealed);
  if (!opened) {
    LogFault(opened.fault, packet, *entry.key);
    return Result::kHandled;
  }
  const std::scoped_lock lock(agent->mutex);
  // Whatever is answered takes the place of the message.
  if (secure::IsControl(opened.message)) control_ = opened.message;
  const std::string_view message =
      secure::IsControl(opened.message) ? std::string_view(control_) : opened.message;
  if (!policy.verify_counters) {
    agent->counter->AcceptAny(opened.counter);
  } else if (agent->counter->Accept(opened.counter) != secure::ReplayWindow::Verdict::kNew) {
    channel_.faults.Write<msg::kPacketDuplicate>(entry.key->id, entry.key->name);
    channel_.counters.refused.fetch_add(1, std::memory_order_relaxed);
    if (!HandleOld(*agent, packet, prefix.cipher, opened.counter, message, now)) {
      return Result::kHandled;
    }
    log::Write<msg::kCountersReset>(entry.key->name, "it proved that it lost its own");
  }
  agent->cipher = prefix.cipher;
  // An event that was under way when the agent went over to version 2 does not bring it back.
  if (secure::IsControl(message)) agent->version = 1;
  channel_.Heard(agent, packet.from, now);
  if (secure::IsControl(message)) {
    HandleControl(entry, message, policy, now);
  } else {
    HandleEvent(entry, message);
  }
  return Result::kHandled;
}

// A recorded packet can be sent again, but not answer to something new: an agent whose counters
// look old is sent a merged.mg of its own with random content (a line that agents skip), and is
// believed when its next keep-alive names the sum of that. Until then it is acknowledged, so that
// it goes on to its keep-alive, and nothing else that it says counts.
bool Version1::HandleOld(Agent& agent, const Packet& packet, secure::Cipher cipher,
                         secure::Counter counter, std::string_view message, base::Seconds now) {
  if (!secure::IsControl(message)) return false;
  const bool starts = secure::ClassifyFromAgent(message) == secure::AgentMessage::kStartup;
  const auto keep_alive = secure::ParseKeepAlive(message);
  if (!starts && !keep_alive) return false;
  if (keep_alive && agent.challenged) {
    const std::string_view sum = keep_alive->SumOf(secure::kMergedName);
    if (IsMd5Hex(sum) && Md5FromHex(sum) == agent.challenge) {
      agent.challenged = false;
      channel_.received.Resynchronise(agent.id, counter);
      return true;
    }
  }
  // The agent itself is heard: then somebody else sends its old packets.
  if (now - agent.last_heard < kQuietBeforeChallenge && now >= agent.last_heard) return false;
  const base::Seconds pause = starts ? kOldAnswerPause : kChallengePause;
  base::Seconds& last = starts ? agent.old_answered : agent.challenged_at;
  if (now - last < pause && now >= last) return false;
  last = now;
  sender_.SendTo(agent, packet.from, cipher, secure::kAckMessage);
  if (!starts) Challenge(agent, packet.from, cipher);
  return false;
}

void Version1::Challenge(Agent& agent, const Route& route, secure::Cipher cipher) {
  const std::string text = "# " + base::ToHex(base::RandomBytes(16)) + "\n";
  const std::string md5 = base::Md5Hex(text);
  agent.challenged = true;
  agent.challenge = Md5FromHex(md5);
  sender_.SendTo(agent, route, cipher, secure::FormatUpFile(md5, secure::kMergedName));
  sender_.SendTo(agent, route, cipher, text);
  sender_.SendTo(agent, route, cipher, secure::kCloseFileMessage);
}

bool Version1::IsAllowed(const secure::PacketPrefix& prefix, const Packet& packet,
                         std::string_view id, const Registry& registry, const Policy& policy) {
  const bool aes = prefix.cipher == secure::Cipher::kAes;
  const bool only_v2 = registry.IsV2Only(id);
  if ((aes ? policy.aes : policy.blowfish) && !only_v2) return true;
  channel_.counters.refused.fetch_add(1, std::memory_order_relaxed);
  const std::string source = packet.from.peer.IpText();
  channel_.faults.Write<msg::kCipherRefused>(source, aes ? "AES" : "Blowfish", source,
                                             only_v2 ? "v2 only" : policy.Name());
  return false;
}

void Version1::LogFault(secure::OpenFault fault, const Packet& packet,
                        const secure::AgentKey& key) {
  channel_.counters.refused.fetch_add(1, std::memory_order_relaxed);
  const std::string source = packet.from.peer.IpText();
  switch (fault) {
    case secure::OpenFault::kMalformed:
      return channel_.faults.Write<msg::kPacketMalformed>(key.id, key.id);
    case secure::OpenFault::kChecksum:
      return channel_.faults.Write<msg::kPacketChecksum>(source, key.address);
    case secure::OpenFault::kInflate:
      return channel_.faults.Write<msg::kPacketInflate>(source, source);
    case secure::OpenFault::kNoBlowfish:
      return channel_.faults.Write<msg::kCipherRefused>(source, "Blowfish", source,
                                                        "OpenSSL's legacy provider is missing");
    case secure::OpenFault::kWrongKey:
    case secure::OpenFault::kNone:
      return channel_.faults.Write<msg::kPacketWrongKey>(source, source);
  }
}

void Version1::LogUnknown(const Packet& packet) {
  channel_.counters.refused.fetch_add(1, std::memory_order_relaxed);
  const std::string source = packet.from.peer.IpText();
  const secure::PacketPrefix prefix = secure::ParsePrefix(packet.bytes);
  if (prefix.id.empty()) {
    channel_.faults.Write<msg::kSourceNotAllowed>(source, source);
  } else {
    channel_.faults.Write<msg::kUnknownAgent>(source, prefix.id.substr(0, kMostIdDigits), source);
  }
}

void Version1::HandleControl(Registry::Entry entry, std::string_view message, const Policy& policy,
                             base::Seconds now) {
  const AgentPtr& agent = *entry.agent;
  sender_.Send(*agent, secure::kAckMessage);
  if (secure::ClassifyFromAgent(message) == secure::AgentMessage::kStartup) {
    // Whoever starts tells anew what it has; nothing is known of it until then.
    agent->reported = {};
    agent->keep_alive_hash = 0;
    return;
  }
  const auto keep_alive = secure::ParseKeepAlive(message);
  if (!keep_alive) {
    channel_.faults.Write<msg::kKeepAliveInvalid>(agent->id, agent->id);
    return;
  }
  if (keep_alive->offers_v2 && policy.v2) sender_.Send(*agent, secure::kOfferV2Message);
  const uint64_t hash = HashOf(*keep_alive);
  if (hash != agent->keep_alive_hash) {
    agent->keep_alive_hash = hash;
    agent->pending_text = message;
  }
  HandleKeepAlive(agent, now);
}

void Version1::HandleKeepAlive(const AgentPtr& agent, base::Seconds now) {
  if (agent->last_control > 0 && now > agent->last_control &&
      now - agent->last_control < kLongestInterval) {
    agent->interval = static_cast<uint32_t>(now - agent->last_control);
  }
  agent->last_control = now;
  agent->last_touch = now;
  agent->touch_due = true;
  channel_.Note(agent);
}

void Version1::HandleEvent(Registry::Entry entry, std::string_view message) {
  const Origin origin{entry.key->id, entry.key->name, entry.key->address};
  switch (AppendAgentEvent(origin, message, batch_.text())) {
    case Forwarding::kForwarded:
      batch_.EndEvent();
      channel_.counters.events.fetch_add(1, std::memory_order_relaxed);
      return;
    case Forwarding::kMalformed:
      return channel_.faults.Write<msg::kMessageFormat>(
          entry.key->id, entry.key->name, message.substr(0, std::min<size_t>(64, message.size())));
    case Forwarding::kLocation:
      return channel_.faults.Write<msg::kEventLocation>(entry.key->id, entry.key->name);
    case Forwarding::kSilent:
      return;
  }
}

}  // namespace ospatrol::remoted
