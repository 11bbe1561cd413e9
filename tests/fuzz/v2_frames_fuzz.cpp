// libraries: secure base
// under test: shared/secure/v2/frames.cpp shared/secure/v2/receiver.cpp shared/secure/v2/batch.cpp shared/secure/v2/batch_reader.cpp
// What an authentic but broken or hostile peer may send: the input is the content of DATA packets
// (each: length (2), frames), sealed with the right keys, to the manager's link (first byte even)
// or to the agent's (odd).
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>

#include "v2_fuzz_peers.h"

namespace {

using namespace ospatrol::secure::v2;
using namespace ospatrol::secure::v2::fuzz;

// Gives every packet of the input to `receive`, sealed by `session`.
template <typename Receive>
void SendAll(Session& session, Bytes input, Receive receive) {
  static AeadEngine engine;
  std::vector<uint8_t> packet(65536 + 64);
  for (int count = 0; input.size() >= 2 && count < 64; ++count) {
    const size_t length = std::min<size_t>(size_t{input[0]} << 8 | input[1], input.size() - 2);
    const Bytes frames = input.subspan(2, length);
    input = input.subspan(2 + length);
    if (frames.size() < kFrameHeaderSize || frames.size() > 8900) continue;
    std::copy(frames.begin(), frames.end(), packet.begin() + kHeaderSize);
    const size_t size = session.Seal(engine, frames.size(), packet);
    receive(Bytes(packet).first(size));
  }
}

void ToManager(Bytes input) {
  Shared& shared = Shared::Get();
  ManagerLink link(shared.responder, 1, shared.psk);
  ManagerOwner owner;
  Now now{1000000, 1795000000000};
  auto session = shared.SayHello(link, owner, now);
  if (!session) std::abort();
  // Something on its way, so that acknowledgements have something to hit.
  link.SendControl("syscheck restart", now);
  link.SendFile(owner, "merged.mg", shared.file);
  std::array<uint8_t, kMaxDatagram> out{};
  SendAll(*session, input, [&](Bytes datagram) {
    link.ReceiveData(shared.worker, owner, now, datagram);
    for (int i = 0; i < 100 && link.NextDatagram(shared.worker, owner, now, out) > 0; ++i) {
    }
    link.Stored(owner.spool, owner.delivered, now);
    link.NextWake(now);
    now.monotonic_ms += 20;
  });
}

void ToAgent(Bytes input) {
  Shared& shared = Shared::Get();
  AgentOwner owner;
  Spool spool;
  AgentLink link(shared.AgentConfig(), spool, owner, shared.random);
  Now now{1000000, 1795000000000};
  auto session = shared.Welcome(link, now);
  if (!session) std::abort();
  std::array<uint8_t, kMaxDatagram> out{};
  SendAll(*session, input, [&](Bytes datagram) {
    link.Receive(now, datagram);
    for (int i = 0; i < 100 && link.NextDatagram(now, out) > 0; ++i) {
    }
    link.NextWake(now);
    now.monotonic_ms += 20;
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes input = Bytes(data, size).subspan(1);
  if (data[0] % 2 == 0) {
    ToManager(input);
  } else {
    ToAgent(input);
  }
  return 0;
}
