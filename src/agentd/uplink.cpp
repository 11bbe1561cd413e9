#include "agentd/uplink.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "agentd/v1_connection.h"
#include "agentd/v2_connection.h"
#include "base/files.h"
#include "base/random.h"
#include "base/time.h"

namespace ospatrol::agentd {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kShortLifeMs = 10'000;

uint32_t RandomNumber() {
  uint32_t number = 0;
  const std::string bytes = base::RandomBytes(sizeof(number));
  std::memcpy(&number, bytes.data(), sizeof(number));
  return number;
}

}  // namespace

Uplink::Uplink(ChannelContext& context, daemon::Resolver* resolver)
    : context_(context), resolver_(resolver) {}

Uplink::~Uplink() = default;

void Uplink::Start() {
  BuildServers();
  for (size_t i = 0; i < servers_->size(); ++i) {
    log::Write<msg::kServerLine>(i + 1, servers_->at(i).name);
  }
  OpenCurrent(FirstProtocol(servers_->current()));
}

void Uplink::Restart() {
  current_.reset();
  beside_.reset();
  pause_.reset();
  return_timer_.reset();
  ++generation_;
  Start();
}

void Uplink::BuildServers() {
  const ServerList::CipherPolicy policy{context_.client.crypto_method, secure::BlowfishAvailable()};
  servers_ = std::make_unique<ServerList>(context_.client, policy, context_.return_every_ms);
  for (const secure::ChannelState::Server& known : context_.state.LoadServers()) {
    Server* server = servers_->Find(known.server);
    if (server == nullptr) continue;
    if (known.cipher && policy.method == config::ClientCipher::kAuto &&
        (*known.cipher == secure::Cipher::kAes || policy.blowfish_available)) {
      server->cipher = *known.cipher;
      server->proved = known.cipher;
    }
    server->v2 = known.v2;
    server->stay = known.stay;
    server->manager_id = known.manager_id;
  }
}

Uplink::Protocol Uplink::FirstProtocol(const Server& server) const {
  switch (context_.client.protocol) {
    case config::ClientProtocol::kV1:
      return Protocol::kV1;
    case config::ClientProtocol::kV2:
      return Protocol::kV2;
    default:
      return server.v2 ? Protocol::kV2 : Protocol::kV1;
  }
}

// ---- opening ----

void Uplink::OpenCurrent(Protocol protocol) {
  current_.reset();
  Open(servers_->current().key, protocol, Purpose::kUse);
}

void Uplink::Open(const std::string& key, Protocol protocol, Purpose purpose) {
  const Server* server = servers_->Find(key);
  if (server == nullptr) return;
  if (server->is_address) return OpenAt(key, protocol, purpose, {server->name});
  if (resolver_ == nullptr) {
    log::Write<msg::kServersNeedRestart>();
    return OpenAt(key, protocol, purpose, {});
  }
  resolver_->Resolve(server->name, [this, weak = std::weak_ptr<bool>(alive_), key, protocol,
                                    purpose, generation = generation_](const auto& addresses) {
    if (!weak.expired() && generation == generation_) OpenAt(key, protocol, purpose, addresses);
  });
}

void Uplink::OpenAt(const std::string& key, Protocol protocol, Purpose purpose,
                    const std::vector<std::string>& addresses) {
  const Server* server = servers_->Find(key);
  if (server == nullptr) return;
  if (addresses.empty()) {
    log::Write<msg::kServerNameUnknown>(server->name);
    return Failed(purpose);
  }
  UdpSocket socket = ConnectTo(*server, addresses);
  if (!socket.IsOpen()) return Failed(purpose);
  auto connection = Make(*server, protocol, purpose, std::move(socket));
  if (purpose == Purpose::kUse) {
    protocol_ = protocol;
    current_ = std::move(connection);
    current_->Start();
  } else {
    beside_protocol_ = protocol;
    beside_purpose_ = purpose;
    beside_ = std::move(connection);
    beside_->Start();
  }
}

UdpSocket Uplink::ConnectTo(const Server& server, const std::vector<std::string>& addresses) {
  UdpSocket socket;
  std::string reason = "no address";
  for (const std::string& address : addresses) {
    const auto peer =
        secure::PeerAddress::Parse(address, static_cast<uint16_t>(context_.client.port));
    if (peer && socket.Connect(*peer, context_.client.local_ip)) return socket;
    reason = base::ErrnoText(errno);
  }
  log::Write<msg::kCannotConnect>(server.name, reason);
  return socket;
}

Connection::Events Uplink::EventsFor(Purpose purpose) {
  if (purpose == Purpose::kUse) {
    return {.answered = [this] { CurrentAnswered(); },
            .round_failed = [this] { CurrentSilent(); },
            .lost = [this](const std::string& reason) { CurrentLost(reason); },
            .offered_v2 = [this] { BeginUpgrade(); },
            .closed = [this] { CurrentClosed(); }};
  }
  return {.answered = [this] { BesideAnswered(); },
          .round_failed = [this] { BesideFailed(); },
          .lost = [this](const std::string& /*reason*/) { BesideFailed(); },
          .offered_v2 = [] {},
          .closed = [this] { BesideFailed(); }};
}

std::unique_ptr<Connection> Uplink::Make(const Server& server, Protocol protocol, Purpose purpose,
                                         UdpSocket socket) {
  Connection::Events events = EventsFor(purpose);
  if (protocol == Protocol::kV2) {
    const auto use =
        purpose == Purpose::kReturn ? V2Connection::Use::kProbe : V2Connection::Use::kEvents;
    return std::make_unique<V2Connection>(context_, server.key, std::move(socket), use,
                                          std::move(events));
  }
  const bool announce = context_.client.protocol == config::ClientProtocol::kAuto;
  auto connection = std::make_unique<V1Connection>(context_, server.key, std::move(socket),
                                                   server.cipher, announce, std::move(events));
  if (purpose != Purpose::kUse) connection->Hold(true);
  return connection;
}

// Without a socket it is as if there had been no answer.
void Uplink::Failed(Purpose purpose) {
  if (purpose == Purpose::kUse) {
    NextServer();
  } else {
    BesideFailed();
  }
}

// ---- the server in use ----

void Uplink::CurrentAnswered() {
  const Server& server = servers_->current();
  answered_ms_ = MonotonicMs();
  servers_->Answered(answered_ms_);
  if (protocol_ == Protocol::kV1) {
    log::Write<msg::kServerConnected>(server.name, context_.client.port);
  }
  if (ever_answered_) {
    log::Write<msg::kServerResponded>(server.name, context_.spool.next() - context_.spool.first());
  }
  RememberCurrent();
  if (!std::exchange(ever_answered_, true)) context_.first_answered();
  context_.answered();
  ScheduleReturn();
}

void Uplink::RememberCurrent() {
  Server& server = servers_->current();
  if (protocol_ == Protocol::kV1) {
    if (server.proved != server.cipher) {
      server.proved = server.cipher;
      context_.state.SaveServer({.server = server.key,
                                 .cipher = server.cipher,
                                 .v2 = server.v2,
                                 .stay = server.stay,
                                 .manager_id = server.manager_id});
    }
    return;
  }
  const Connection::Facts facts = current_->facts();
  server.v2 = true;
  server.stay = server.stay || facts.stay;
  server.manager_id = facts.manager_id;
  context_.state.SaveServer({.server = server.key,
                             .cipher = server.proved,
                             .v2 = true,
                             .stay = server.stay,
                             .manager_id = server.manager_id});
}

void Uplink::CurrentLost(const std::string& reason) {
  log::Write<msg::kServerUnavailable>(servers_->current().name, reason);
  beside_.reset();
  return_timer_.reset();
  // One that answers and is gone again and again must not keep us busy.
  if (MonotonicMs() - answered_ms_ < kShortLifeMs) return NextServer();
  // The same server again first: it may only have been restarted.
  OpenCurrent(FirstProtocol(servers_->current()));
}

// It goes on knocking by itself. Where there is another server, that has the events sooner.
void Uplink::CurrentClosed() {
  if (servers_->size() < 2) return;
  beside_.reset();
  return_timer_.reset();
  current_.reset();
  servers_->Closed(MonotonicMs());
  log::Write<msg::kNextServer>(servers_->current().name);
  OpenCurrent(FirstProtocol(servers_->current()));
}

void Uplink::CurrentSilent() {
  Server& server = servers_->current();
  const bool v1_allowed = context_.client.protocol == config::ClientProtocol::kAuto && !server.stay;
  if (protocol_ == Protocol::kV2 && v1_allowed) return OpenCurrent(Protocol::kV1);
  if (protocol_ == Protocol::kV2 && context_.client.protocol == config::ClientProtocol::kAuto) {
    log::Write<msg::kNoDowngrade>(server.name);
  }
  log::Write<msg::kWaitingForServer>(server.name);
  NextServer();
}

void Uplink::NextServer() {
  const bool was_v2 = protocol_ == Protocol::kV2;
  const Server silent = servers_->current();
  context_.counter.JumpAhead(base::WallNow());
  const ServerList::Next next = servers_->RoundFailed(RandomNumber());
  if (next.other_cipher && !was_v2) {
    log::Write<msg::kCipherFallback>(silent.name, secure::CipherName(silent.cipher),
                                     secure::CipherName(*next.other_cipher));
  }
  if (next.other_server) log::Write<msg::kNextServer>(servers_->current().name);
  // A session of protocol 2 goes on knocking by itself, and is there at once when the manager is.
  if (was_v2 && !next.other_server && current_ != nullptr) return;
  current_.reset();
  pause_ = context_.loop.After(milliseconds(next.pause_ms),
                               [this] { OpenCurrent(FirstProtocol(servers_->current())); });
}

// ---- beside it: the way back, the way up ----

void Uplink::ScheduleReturn() {
  const auto due = servers_->ReturnDue();
  return_timer_.reset();
  if (!due) return;
  const int64_t delay = std::max<int64_t>(1, *due - MonotonicMs());
  return_timer_ = context_.loop.After(milliseconds(delay), [this] {
    if (beside_ != nullptr) return;
    const Server& first = servers_->at(0);
    Open(first.key, FirstProtocol(first), Purpose::kReturn);
  });
}

void Uplink::BeginUpgrade() {
  if (beside_ != nullptr || protocol_ != Protocol::kV1 || current_ == nullptr) return;
  current_->Hold(true);
  Open(servers_->current().key, Protocol::kV2, Purpose::kUpgrade);
}

void Uplink::BesideAnswered() {
  if (beside_ == nullptr) return;
  const bool upgrade = beside_purpose_ == Purpose::kUpgrade;
  if (!upgrade) {
    log::Write<msg::kFirstServerBack>(servers_->at(0).name);
    servers_->GoTo(0);
  }
  if (current_ != nullptr) current_->Finish(0);
  if (!upgrade && beside_protocol_ == Protocol::kV2) {
    // The probe had no events; begin again with them.
    beside_.reset();
    return OpenCurrent(Protocol::kV2);
  }
  current_ = std::move(beside_);
  protocol_ = beside_protocol_;
  current_->SetEvents(EventsFor(Purpose::kUse));
  current_->Hold(false);
  servers_->Answered(MonotonicMs());
  RememberCurrent();
  ScheduleReturn();
}

void Uplink::BesideFailed() {
  beside_.reset();
  if (current_ != nullptr) current_->Hold(false);
  servers_->ReturnFailed(MonotonicMs());
  ScheduleReturn();
}

// ---- for the daemon ----

void Uplink::EventsAdded(bool urgent) {
  if (current_ != nullptr) current_->EventsAdded(urgent);
}

void Uplink::FilesChanged() {
  if (current_ != nullptr) current_->FilesChanged();
}

std::string Uplink::ServerInUse() const {
  return current_ != nullptr && current_->answered() ? current_->server() : std::string();
}

void Uplink::Stop(int64_t limit_ms) {
  beside_.reset();
  if (current_ != nullptr) current_->Finish(limit_ms);
}

}  // namespace ospatrol::agentd
