#include "secure/v2/responder.h"

#include <algorithm>

#include "secure/v2/big_endian.h"

namespace ospatrol::secure::v2 {

namespace {

constexpr size_t kResetSize = kHeaderSize + sizeof(ResetToken);
constexpr size_t kCookieSize = kHeaderSize + sizeof(HelloCookie);
constexpr size_t kVersionSize = kHeaderSize + 2;
constexpr size_t kTypeOffset = 2;

// VERSION: how many versions this manager talks, and which.
size_t WriteVersions(MutableBytes out) {
  Header header;
  header.type = PacketType::kVersion;
  WriteHeader(header, out);
  out[kHeaderSize] = 1;
  out[kHeaderSize + 1] = kProtocolVersion;
  return kVersionSize;
}

size_t WriteCookie(const HelloHead& head, const HelloCookie& cookie, MutableBytes out) {
  Header header;
  header.type = PacketType::kCookie;
  header.connection = head.connection;
  WriteHeader(header, out);
  std::copy(cookie.begin(), cookie.end(), out.begin() + kHeaderSize);
  return kCookieSize;
}

}  // namespace

std::string_view VerdictText(Verdict verdict) {
  switch (verdict) {
    case Verdict::kTaken:
      return "taken";
    case Verdict::kRefused:
      return "events not taken: the analysis queue is full";
    case Verdict::kDuplicate:
      return "repeated packet";
    case Verdict::kOld:
      return "packet older than the window";
    case Verdict::kForged:
      return "packet that does not open with the session's key";
    case Verdict::kMalformed:
      return "malformed packet";
    case Verdict::kUnknownSession:
      return "packet of an unknown session";
    case Verdict::kWrongKey:
      return "HELLO that does not open with the agent's key";
    case Verdict::kStaleHello:
      return "HELLO with an old counter";
    case Verdict::kNoCookie:
      return "HELLO without cookie while there are many";
    case Verdict::kOtherVersion:
      return "packet of another protocol version";
    case Verdict::kNotExpected:
      return "packet of a type that is not expected here";
    case Verdict::kTooMany:
      return "no answer: too many in this second";
  }
  return "?";
}

Responder::Responder(const Config& config, RandomSource& random)
    : config_(config), random_(random), holding_(config.held_bytes) {
  if (config_.ciphers == 0) {
    config_.ciphers = HasAesHardware() ? kOffersAes | kOffersChaCha : kOffersChaCha;
  }
  config_.max_datagram = std::clamp(config_.max_datagram, static_cast<uint16_t>(kSafeDatagram),
                                    static_cast<uint16_t>(kMaxDatagram));
  random_.Fill(cookie_secret_.edit());
  random_.Fill(old_cookie_secret_.edit());
}

uint32_t Responder::Register(uint64_t owner) {
  for (;;) {
    const uint32_t id = RandomConnectionId(random_);
    Shard& shard = shards_[id % kShards];
    const std::lock_guard lock(shard.mutex);
    if (shard.owners.emplace(id, owner).second) return id;
  }
}

void Responder::Unregister(uint32_t connection) {
  Shard& shard = shards_[connection % kShards];
  const std::lock_guard lock(shard.mutex);
  shard.owners.erase(connection);
}

std::optional<uint64_t> Responder::Find(uint32_t connection) const {
  const Shard& shard = shards_[connection % kShards];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.owners.find(connection);
  if (found == shard.owners.end()) return std::nullopt;
  return found->second;
}

size_t Responder::connections() const {
  size_t count = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    count += shard.owners.size();
  }
  return count;
}

void Responder::TurnSecond(int64_t now_ms) {
  // Two threads may both reset at a change of the second: a few more are let through.
  const int64_t second = now_ms / 1000;
  if (second_.exchange(second, std::memory_order_relaxed) == second) return;
  hellos_.store(0, std::memory_order_relaxed);
  answers_.store(0, std::memory_order_relaxed);
}

bool Responder::NeedsCookie() {
  return hellos_.fetch_add(1, std::memory_order_relaxed) >= config_.hellos_per_second;
}

bool Responder::MayAnswer() {
  return answers_.fetch_add(1, std::memory_order_relaxed) < config_.answers_per_second;
}

void Responder::TurnCookieSecret(int64_t now_ms) {
  if (now_ms - cookie_born_ms_ < kCookieLifeMs) return;
  old_cookie_secret_ = cookie_secret_;
  random_.Fill(cookie_secret_.edit());
  cookie_born_ms_ = now_ms;
}

bool Responder::CookieFits(int64_t now_ms, Bytes peer, const HelloHead& head) {
  if (head.cookie.empty()) return false;
  const std::lock_guard lock(cookie_mutex_);
  TurnCookieSecret(now_ms);
  return EqualInConstantTime(MakeHelloCookie(cookie_secret_, peer, head), head.cookie) ||
         EqualInConstantTime(MakeHelloCookie(old_cookie_secret_, peer, head), head.cookie);
}

HelloCookie Responder::MakeCookie(int64_t now_ms, Bytes peer, const HelloHead& head) {
  const std::lock_guard lock(cookie_mutex_);
  TurnCookieSecret(now_ms);
  return MakeHelloCookie(cookie_secret_, peer, head);
}

size_t Responder::MakeReset(uint32_t connection, MutableBytes out) const {
  Header header;
  header.type = PacketType::kReset;
  header.connection = connection;
  WriteHeader(header, out);
  const ResetToken token = MakeResetToken(config_.reset_secret, connection);
  std::copy(token.begin(), token.end(), out.begin() + kHeaderSize);
  return kResetSize;
}

Responder::Route Responder::Look(Now now, Bytes peer, Bytes datagram, MutableBytes reply) {
  Route route;
  route.verdict = Verdict::kMalformed;
  if (datagram.size() < kVersionSize || !IsVersion2(datagram)) return route;
  TurnSecond(now.monotonic_ms);
  if (datagram[1] != kProtocolVersion) {
    route.verdict = Verdict::kOtherVersion;
    // Never in answer to a VERSION, or two managers would go on for ever.
    if (datagram[kTypeOffset] != static_cast<uint8_t>(PacketType::kVersion)) {
      return Answer(route, WriteVersions(reply));
    }
    return route;
  }
  const auto header = ParseHeader(datagram);
  if (!header) return route;
  if (header->type == PacketType::kHello) return LookAtHello(now, peer, datagram, reply);
  if (header->type != PacketType::kData) {
    route.verdict = Verdict::kNotExpected;
    return route;
  }
  if (datagram.size() < kMinData) return route;
  if (const auto owner = Find(header->connection)) {
    route.kind = Route::Kind::kData;
    route.verdict = Verdict::kTaken;
    route.owner = *owner;
    return route;
  }
  route.verdict = Verdict::kUnknownSession;
  return Answer(route, MakeReset(header->connection, reply));
}

Responder::Route Responder::LookAtHello(Now now, Bytes peer, Bytes datagram, MutableBytes reply) {
  Route route;
  route.verdict = Verdict::kMalformed;
  const auto head = ParseHello(datagram);
  if (!head) return route;
  if (NeedsCookie() && !CookieFits(now.monotonic_ms, peer, *head)) {
    route.verdict = Verdict::kNoCookie;
    return Answer(route, WriteCookie(*head, MakeCookie(now.monotonic_ms, peer, *head), reply));
  }
  route.kind = Route::Kind::kHello;
  route.verdict = Verdict::kTaken;
  route.agent_id = head->agent_id;
  return route;
}

Responder::Route Responder::Answer(Route route, size_t size) {
  if (!MayAnswer()) {
    route.verdict = Verdict::kTooMany;
    return route;
  }
  route.kind = Route::Kind::kAnswer;
  route.reply = size;
  return route;
}

}  // namespace ospatrol::secure::v2
