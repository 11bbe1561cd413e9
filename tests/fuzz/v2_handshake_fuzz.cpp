// libraries: secure base
// under test: shared/secure/v2/handshake.cpp shared/secure/v2/responder.cpp
// Datagrams before there is a session. First byte: 0 any datagram to the manager, 1 any datagram to
// an agent that says HELLO (its connection id is put in, so that the answer is looked at), 2 the
// sealed part of a HELLO with the right key, 3 a valid HELLO with some bytes changed (position (2),
// value), 4 the same with a WELCOME.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "secure/v2/big_endian.h"
#include "secure/v2/key_schedule.h"
#include "v2_fuzz_peers.h"

namespace {

using namespace ospatrol::secure::v2;
using namespace ospatrol::secure::v2::fuzz;

constexpr Now kNow{1000000, 1795000000000};

void ToManager(Bytes datagram) {
  Shared& shared = Shared::Get();
  std::array<uint8_t, kHelloSize> reply{};
  const std::array<uint8_t, 6> peer{10, 0, 0, 1, 5, 220};
  const auto route = shared.responder.Look(kNow, peer, datagram, reply);
  size_t answer = route.kind == Responder::Route::Kind::kAnswer ? route.reply : 0;
  if (route.kind == Responder::Route::Kind::kHello) {
    ManagerLink link(shared.responder, 1, shared.psk);
    ManagerOwner owner;
    answer = link.ReceiveHello(shared.worker, owner, kNow, datagram, reply).reply;
    link.ReceiveHello(shared.worker, owner, kNow, datagram, reply);
    link.ReceiveData(shared.worker, owner, kNow, datagram);
  }
  if (answer > datagram.size()) std::abort();  // amplifies
}

void ToAgent(std::vector<uint8_t> datagram) {
  Shared& shared = Shared::Get();
  AgentOwner owner;
  Spool spool;
  AgentLink link(shared.AgentConfig(), spool, owner, shared.random);
  link.Start(kNow);
  std::array<uint8_t, kMaxDatagram> out{};
  const size_t size = link.NextDatagram(kNow, out);
  const auto head = ParseHello(Bytes(out).first(size));
  if (!head) std::abort();
  if (datagram.size() >= 8) PutNumber(MutableBytes(datagram).subspan(4), head->connection);
  link.Receive(kNow, datagram);
  while (link.NextDatagram(kNow, out) > 0) {
  }
  if (link.established()) std::abort();  // nobody without the key gets that far
}

std::vector<uint8_t> SealedHello(Bytes content) {
  Shared& shared = Shared::Get();
  std::vector<uint8_t> hello(kHelloSize);
  const auto valid = shared.ValidHello();
  std::copy_n(valid.begin(), kHelloHead, hello.begin());
  const size_t length = std::min(content.size(), kHelloFixed + kMaxProduct);
  PutNumber(MutableBytes(hello).subspan(60), static_cast<uint16_t>(length + kTagSize));
  Key key;
  Hkdf(Bytes(hello).subspan(28, 32), shared.psk.view(), AsBytes("hello"), key.edit());
  shared.worker.aead.Seal(Cipher::kChaCha20Poly1305, key, Nonce{}, Bytes(hello).first(kHelloHead),
                          content.first(length), MutableBytes(hello).subspan(kHelloHead));
  return hello;
}

std::vector<uint8_t> Change(std::vector<uint8_t> datagram, Bytes changes) {
  for (size_t i = 0; i + 2 < changes.size(); i += 3) {
    datagram[(size_t{changes[i]} << 8 | changes[i + 1]) % datagram.size()] = changes[i + 2];
  }
  return datagram;
}

void ChangedWelcome(Bytes changes) {
  Shared& shared = Shared::Get();
  AgentOwner owner;
  Spool spool;
  AgentLink link(shared.AgentConfig(), spool, owner, shared.random);
  link.Start(kNow);
  std::array<uint8_t, kMaxDatagram> out{};
  const size_t size = link.NextDatagram(kNow, out);
  const auto welcome = shared.AnswerTo(Bytes(out).first(size));
  const std::vector<uint8_t> valid(welcome.bytes.begin(), welcome.bytes.end());
  const auto changed = Change(valid, changes);
  link.Receive(kNow, changed);
  // Byte 3 is flags: covered by the authentication like all others.
  if (link.established() != (changed == valid)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes input = Bytes(data, size).subspan(1);
  switch (data[0] % 5) {
    case 0:
      ToManager(input);
      break;
    case 1:
      ToAgent({input.begin(), input.end()});
      break;
    case 2:
      ToManager(SealedHello(input));
      break;
    case 3:
      ToManager(Change(Shared::Get().ValidHello(), input));
      break;
    default:
      ChangedWelcome(input);
      break;
  }
  return 0;
}
