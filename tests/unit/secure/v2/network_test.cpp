// Both links over a simulated network: whatever happens to packets, processes and clocks, every
// event arrives once and in order.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "simulation.h"

namespace ospatrol::secure::v2::test {
namespace {

constexpr int64_t kMinute = 60 * 1000;
const std::string kKey(64, 'a');

// `count` events over `span_ms`, most of them of usual length.
void Produce(Simulation& world, SimulatedAgent& agent, size_t count, int64_t span_ms) {
  for (size_t i = 0; i < count; ++i) {
    const auto when = static_cast<int64_t>(world.random.Below(static_cast<uint64_t>(span_ms)));
    world.At(world.elapsed() + when, [&world, &agent, i] {
      size_t size = 60 + world.random.Below(200);
      if (world.random.Chance(0.01)) size = 2000 + world.random.Below(5000);
      agent.Add(MakeEvent(world.random, i, size), world.random.Chance(0.05));
    });
  }
}

bool Finish(Simulation& world, int64_t limit_ms, size_t expected) {
  return world.Run(limit_ms, [&world, expected] {
    size_t count = 0;
    for (const auto& agent : world.agents) count += agent->spool.all().size();
    return count >= expected && world.IsDone();
  });
}

TEST(Link, CarriesEventsInOrderOverACleanNetwork) {
  Simulation world(1);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  Produce(world, agent, 2000, 10000);
  EXPECT_TRUE(Finish(world, kMinute, 2000));
  EXPECT_EQ(world.Differences(), "");
  ASSERT_EQ(agent.sessions.size(), 1u);
  EXPECT_TRUE(agent.sessions[0].stay);
  EXPECT_EQ(agent.sessions[0].manager, world.manager.config.manager);
  EXPECT_EQ(world.manager.agents["001"]->uname, "Linux test");
  EXPECT_EQ(world.manager.redelivered, 0);
  EXPECT_LT(world.datagrams, 1000u);
}

TEST(Link, SurvivesALossOfThirtyPercent) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Simulation world(seed);
    world.network = {.loss = 0.3, .twice = 0.05, .delay_ms = 10, .jitter_ms = 30};
    SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
    agent.Restart();
    Produce(world, agent, 500, 5000);
    EXPECT_TRUE(Finish(world, 10 * kMinute, 500)) << "seed " << seed;
    ASSERT_EQ(world.Differences(), "") << "seed " << seed;
    EXPECT_EQ(world.manager.redelivered, 0);
  }
}

TEST(Link, SurvivesABlackHoleOfAMinute) {
  Simulation world(3);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  Produce(world, agent, 3000, 3 * kMinute);
  world.At(30000, [&world] { world.network.black_hole = true; });
  world.At(90000, [&world] { world.network.black_hole = false; });
  EXPECT_TRUE(Finish(world, 5 * kMinute, 3000));
  EXPECT_EQ(world.Differences(), "");
  EXPECT_GT(agent.unreachable, 0);
  EXPECT_EQ(world.manager.redelivered, 0);
}

TEST(Link, GoesOnAfterTheManagerLostItsSessions) {
  Simulation world(4);
  world.manager.outlet_ms = 150;  // so much is lost with every kill
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  Produce(world, agent, 3000, 2 * kMinute);
  for (int i = 1; i <= 10; ++i) {
    world.At(i * 10000, [&world] {
      world.manager.Kill();
      world.manager.Start();
    });
  }
  EXPECT_TRUE(Finish(world, 5 * kMinute, 3000));
  EXPECT_EQ(world.Differences(), "");
  EXPECT_GE(agent.sessions.size(), 10u);
  EXPECT_GT(world.manager.routes[Verdict::kUnknownSession], 0);  // RESET was the answer
}

TEST(Link, GoesOnAfterTheAgentWasKilled) {
  Simulation world(5);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  Produce(world, agent, 3000, 2 * kMinute);
  for (int i = 1; i <= 10; ++i) world.At(i * 10000, [&agent] { agent.Restart(); });
  EXPECT_TRUE(Finish(world, 5 * kMinute, 3000));
  EXPECT_EQ(world.Differences(), "");
  EXPECT_EQ(world.manager.redelivered, 0);
}

TEST(Link, FollowsAnAgentThatChangesItsAddress) {
  Simulation world(6);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  Produce(world, agent, 2000, kMinute);
  for (int i = 1; i <= 20; ++i) {
    world.At(i * 3000, [&agent, i] { agent.address = 10 + static_cast<uint64_t>(i); });
  }
  EXPECT_TRUE(Finish(world, 5 * kMinute, 2000));
  EXPECT_EQ(world.Differences(), "");
  EXPECT_EQ(agent.sessions.size(), 1u);
}

TEST(Link, TakesNothingFromReplaysOfEveryPacket) {
  Simulation world(7);
  world.record = true;
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  Produce(world, agent, 1000, 20000);
  // From a stranger's address, both during the session and after it.
  for (int64_t when : {10000, 25000, 40000}) {
    world.At(when, [&world] {
      const auto packets = world.recorded;
      for (const auto& packet : packets) {
        world.Inject(packet.to == Simulation::kManager ? 666 : packet.from, packet.to,
                     packet.bytes);
      }
    });
  }
  world.At(35000, [&agent] { agent.Restart(); });
  world.Run(60000, [] { return false; });
  EXPECT_EQ(world.Differences(), "");
  EXPECT_EQ(world.manager.agents["001"]->address, 10u);
  EXPECT_EQ(agent.sessions.size(), 2u);
  EXPECT_EQ(world.manager.agents["001"]->sessions.size(), 2u);
  EXPECT_EQ(world.manager.redelivered, 0);
}

TEST(Link, TakesNothingFromReflectedPackets) {
  Simulation world(8);
  world.record = true;
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  Produce(world, agent, 500, 10000);
  for (int64_t when = 1000; when < 15000; when += 1000) {
    world.At(when, [&world] {
      const auto packets = world.recorded;
      for (const auto& packet : packets) world.Inject(packet.to, packet.from, packet.bytes);
    });
  }
  EXPECT_TRUE(Finish(world, kMinute, 500));
  EXPECT_EQ(world.Differences(), "");
  EXPECT_EQ(agent.sessions.size(), 1u);
}

TEST(Link, LetsTwoAgentsWithOneKeyTakeTurns) {
  Simulation world(9);
  SimulatedAgent& one = world.AddAgent("001", kKey, 10);
  SimulatedAgent& two = world.AddAgent("001", kKey, 20);
  one.Restart();
  two.Restart();
  Produce(world, one, 500, kMinute);
  Produce(world, two, 500, kMinute);
  EXPECT_TRUE(Finish(world, 10 * kMinute, 1000));
  EXPECT_EQ(world.Differences(), "");
  EXPECT_GT(world.manager.agents["001"]->key_shared, 0);
  EXPECT_LE(world.manager.agents["001"]->key_shared, 10);
}

TEST(Link, DoesNotTakeAVisitWithoutEventsForASharedKey) {
  Simulation world(26);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  SimulatedAgent& visitor = world.AddAgent("001", kKey, 10);
  for (int i = 0; i < 5; ++i) {
    agent.Restart();
    agent.Add("1:a:event");
    world.RunFor(5000);
    agent.Kill();
    visitor.Restart();
    world.RunFor(5000);
    visitor.Kill();
  }
  EXPECT_EQ(world.manager.agents["001"]->sessions.size(), 10u);
  EXPECT_EQ(world.manager.agents["001"]->key_shared, 0);
}

TEST(Link, DoesNotCareAboutAClockThatIsSetBackByYears) {
  Simulation world(10);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  Produce(world, agent, 1000, 2 * kMinute);
  constexpr int64_t kYears = int64_t{10} * 365 * 24 * 3600 * 1000;
  world.At(30000, [&world] { world.wall_offset_ms -= kYears; });
  world.At(60000, [&agent] { agent.Restart(); });
  world.At(90000, [&world] {
    world.manager.Kill();
    world.manager.Start();
  });
  EXPECT_TRUE(Finish(world, 5 * kMinute, 1000));
  EXPECT_EQ(world.Differences(), "");
}

TEST(Link, RepairsAHelloCounterThatWasLostAfterTheClockRanAhead) {
  Simulation world(11);
  constexpr int64_t kYears = int64_t{10} * 365 * 24 * 3600 * 1000;
  world.wall_offset_ms += kYears;
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  agent.Add("1:a:one");
  EXPECT_TRUE(Finish(world, kMinute, 1));
  world.wall_offset_ms -= kYears;
  agent.hello_counter = 0;  // reinstalled
  agent.Restart();
  agent.Add("1:a:two");
  EXPECT_TRUE(world.Run(world.elapsed() + 2000, [&] { return world.IsDone(); }));
  EXPECT_EQ(world.Differences(), "");
  EXPECT_EQ(world.manager.agents["001"]->verdicts[Verdict::kStaleHello], 1);
}

TEST(Link, KeepsEventsAtTheAgentWhileTheAnalysisQueueIsFull) {
  Simulation world(12);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  Produce(world, agent, 5000, kMinute);
  world.At(5000, [&world] { world.manager.full = true; });
  world.Run(5 * kMinute, [] { return false; });
  EXPECT_FALSE(world.IsDone());
  EXPECT_TRUE(agent.link->info().manager_busy);
  const uint64_t before = world.datagrams;
  world.RunFor(kMinute);
  EXPECT_LT(world.datagrams - before, 200u);  // asks now and then, no more
  world.manager.full = false;
  SimulatedManager::Agent& peer = *world.manager.agents["001"];
  peer.link->RoomAgain(*world.manager.worker, peer, world.now());
  EXPECT_TRUE(world.Run(world.elapsed() + 3000, [&] { return world.IsDone(); }));
  EXPECT_EQ(world.Differences(), "");
  EXPECT_EQ(world.manager.redelivered, 0);
}

TEST(Link, GetsThroughAFloodOfHellosWithACookie) {
  Simulation world(13);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  // 1,000 a second from everywhere, well-formed, without the key.
  AeadEngine engine;
  HelloContent content;
  content.first = content.next = 1;
  std::vector<std::string> flood;
  for (int i = 0; i < 50; ++i) {
    const Initiator hello(engine, world.random, "001", DerivePsk("001", "x", "wrong"),
                          static_cast<uint64_t>(i), content);
    flood.emplace_back(AsText(hello.hello()));
  }
  for (int64_t when = 0; when < 20000; ++when) {
    world.At(when, [&world, &flood, when] {
      world.Inject(1000 + static_cast<uint64_t>(when), Simulation::kManager,
                   flood[static_cast<size_t>(when) % flood.size()]);
    });
  }
  world.At(5500, [&agent] { agent.Restart(); });
  Produce(world, agent, 200, 15000);
  EXPECT_TRUE(Finish(world, 25000, 200));
  EXPECT_EQ(world.Differences(), "");
  EXPECT_GT(world.manager.routes[Verdict::kNoCookie], 10000);
  EXPECT_LT(world.manager.agents["001"]->verdicts[Verdict::kWrongKey], 5000);
  EXPECT_EQ(agent.sessions.size(), 1u);
}

TEST(Link, RenewsItsKeysEveryHourWithoutAPause) {
  Simulation world(14);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  Produce(world, agent, 2000, 200 * kMinute);
  EXPECT_TRUE(Finish(world, 201 * kMinute, 2000));
  EXPECT_EQ(world.Differences(), "");
  ASSERT_EQ(agent.sessions.size(), 4u);
  EXPECT_TRUE(agent.sessions[3].renewed);
  EXPECT_EQ(agent.unreachable, 0);
  EXPECT_LE(world.manager.responder->connections(), 2u);
}

TEST(Link, TakesANewSpoolIdWhenTheMachineWasSetBack) {
  Simulation world(15);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  for (int i = 0; i < 100; ++i) agent.Add(MakeEvent(world.random, 1, 100));
  ASSERT_TRUE(Finish(world, kMinute, 100));
  const auto snapshot = agent.spool.Take();
  const SpoolId before = agent.spool.id();
  for (int i = 0; i < 50; ++i) agent.Add(MakeEvent(world.random, 2, 100));
  ASSERT_TRUE(Finish(world, world.elapsed() + kMinute, 150));
  // Back to the snapshot: 60 other events get the numbers that 50 had.
  agent.spool.Restore(snapshot);
  agent.Restart();
  for (int i = 0; i < 60; ++i) agent.Add(MakeEvent(world.random, 3, 100));
  SpoolId after = before;
  after[0] = static_cast<uint8_t>(after[0] + 1);
  for (uint64_t known = 1; known <= 100; ++known) world.manager.allowed_gaps[after].insert(known);
  EXPECT_TRUE(Finish(world, world.elapsed() + kMinute, 160));
  EXPECT_EQ(agent.spool.set_back(), 1);
  const auto& taken = world.manager.taken[agent.spool.id()];
  ASSERT_EQ(taken.size(), 60u);
  for (size_t i = 0; i < 60; ++i) EXPECT_EQ(taken[i], agent.spool.all()[100 + i]);
}

TEST(Link, TellsTheManagerOfEventsThatTheDiskLost) {
  Simulation world(16);
  world.network = {.loss = 0.2, .delay_ms = 5, .jitter_ms = 10};
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  for (const uint64_t lost : {1, 2, 50, 51, 52, 99, 400}) {
    agent.spool.Damage(lost);
    world.manager.allowed_gaps[agent.spool.id()].insert(lost);
  }
  agent.Restart();
  Produce(world, agent, 400, 10000);
  EXPECT_TRUE(Finish(world, 5 * kMinute, 400));
  EXPECT_EQ(world.Differences(), "");
}

TEST(Link, SendsLargeEventsInParts) {
  Simulation world(17);
  world.network = {.loss = 0.1, .delay_ms = 5, .jitter_ms = 10};
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  for (const size_t size : {100u, 65000u, 5u, 1200u, 30000u, 64999u, 80u}) {
    agent.Add(MakeEvent(world.random, size, size));
  }
  EXPECT_TRUE(Finish(world, 5 * kMinute, 7));
  EXPECT_EQ(world.Differences(), "");
}

TEST(Link, UsesLargerDatagramsOnlyWhereTheyPass) {
  for (const auto& [mtu, largest] : std::vector<std::pair<size_t, size_t>>{
           {65535, 8900}, {9000, 8900}, {1472, 1400}, {1300, 1200}, {4096, 4096}}) {
    Simulation world(18);
    world.network = {.delay_ms = 2, .mtu = mtu};
    SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
    agent.Restart();
    for (size_t i = 0; i < 20000; ++i) agent.Add(MakeEvent(world.random, i, 150));
    EXPECT_TRUE(Finish(world, kMinute, 20000));
    EXPECT_EQ(world.Differences(), "");
    EXPECT_EQ(agent.link->info().datagram, largest) << "mtu " << mtu;
  }
}

TEST(Link, FallsBackToSmallDatagramsWhenThePathBecomesNarrow) {
  Simulation world(19);
  world.network = {.delay_ms = 20};
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  for (size_t i = 0; i < 30000; ++i) agent.Add(MakeEvent(world.random, i, 150));
  world.Run(kMinute, [&] { return agent.link->info().datagram == kMaxDatagram; });
  ASSERT_FALSE(world.IsDone());
  world.network.mtu = 1300;
  EXPECT_TRUE(Finish(world, 2 * kMinute, 30000));
  EXPECT_EQ(world.Differences(), "");
  EXPECT_EQ(agent.link->info().datagram, kSafeDatagram);
}

TEST(Link, ExecutesEachControlOnceAndTellsItsResult) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Simulation world(seed);
    world.network = {.loss = 0.3, .twice = 0.1, .delay_ms = 10, .jitter_ms = 30};
    SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
    SimulatedManager::Agent& peer = *world.manager.agents["001"];
    agent.Restart();
    Produce(world, agent, 100, 20000);
    for (int i = 0; i < 20; ++i) {
      world.At(5000 + i * 500, [&world, &peer, i] {
        const uint64_t number =
            peer.link->SendControl(fmt::format("execd host-deny600 {}", i), world.now());
        EXPECT_NE(number, 0u);
        peer.control_texts[number] = fmt::format("execd host-deny600 {}", i);
      });
    }
    world.At(8000, [&agent] { agent.Restart(); });
    world.Run(kMinute + 30000,
              [&] { return peer.controls.size() == 20 && world.elapsed() > 15000; });
    ASSERT_EQ(peer.controls.size(), 20u) << "seed " << seed;
    for (const auto& [number, outcome] : peer.controls) {
      EXPECT_EQ(outcome, ControlOutcome::kDone);
      EXPECT_EQ(agent.controls[peer.control_texts[number]], 1) << "seed " << seed;
    }
  }
}

TEST(Link, RefusesAResponseThatIsOlderThanAMinute) {
  Simulation world(20);
  world.record = true;
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  SimulatedManager::Agent& peer = *world.manager.agents["001"];
  world.RunFor(2000);
  // Held back by somebody on the way, while the rest of the traffic goes on.
  world.recorded.clear();
  world.network.loss = 1;
  peer.link->SendControl("execd host-deny600 late", world.now());
  world.RunFor(10);
  ASSERT_FALSE(world.recorded.empty());
  const auto held = world.recorded.front();
  world.network.loss = 0;
  peer.link = std::make_unique<ManagerLink>(*world.manager.responder, 1, peer.psk);
  world.RunFor(70000);
  world.Inject(held.from, held.to, held.bytes);
  world.RunFor(1000);
  EXPECT_EQ(agent.controls.size(), 0u);
}

TEST(Link, GivesUpAControlThatCannotBeDeliveredWithinAMinute) {
  Simulation world(21);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  SimulatedManager::Agent& peer = *world.manager.agents["001"];
  world.RunFor(2000);
  agent.Kill();
  const uint64_t number = peer.link->SendControl("execd host-deny600 x", world.now());
  world.RunFor(70000);
  ASSERT_TRUE(peer.controls.contains(number));
  EXPECT_EQ(peer.controls[number], ControlOutcome::kExpired);
  agent.Restart();
  world.RunFor(5000);
  EXPECT_EQ(agent.controls.size(), 0u);
}

TEST(Link, CarriesFilesWholeAndGoesOnWhereItWasInterrupted) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Simulation world(seed);
    world.network = {.loss = 0.1, .twice = 0.05, .delay_ms = 10, .jitter_ms = 20};
    SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
    SimulatedManager::Agent& peer = *world.manager.agents["001"];
    agent.Restart();
    std::string bytes(600000, '\0');
    for (char& c : bytes) c = static_cast<char>(world.random.Next());
    const auto merged = MakeFileContent(bytes);
    const auto empty = MakeFileContent("");
    const auto small = MakeFileContent("#!-not a control message\n");
    const auto send = [&] {
      EXPECT_TRUE(peer.link->SendFile(peer, "merged.mg", merged));
      EXPECT_TRUE(peer.link->SendFile(peer, "empty", empty));
      EXPECT_TRUE(peer.link->SendFile(peer, "refused", small));
      EXPECT_TRUE(peer.link->SendFile(peer, "unreadable", small));
    };
    world.At(1000, send);
    world.Run(kMinute, [&] { return agent.file_bytes > 300000; });
    // The manager is restarted in the middle.
    world.manager.Kill();
    world.manager.Start();
    agent.link->StatusChanged();
    send();
    world.Run(5 * kMinute, [&] { return peer.files.size() == 4; });
    ASSERT_EQ(peer.files.size(), 4u) << "seed " << seed;
    EXPECT_EQ(peer.files["merged.mg"], FileOutcome::kDone);
    EXPECT_EQ(peer.files["empty"], FileOutcome::kDone);
    EXPECT_EQ(peer.files["refused"], FileOutcome::kRefused);
    EXPECT_EQ(peer.files["unreadable"], FileOutcome::kRefused);
    EXPECT_EQ(agent.files["merged.mg"], bytes);
    EXPECT_EQ(agent.files["empty"], "");
    // The first half was not sent again.
    EXPECT_LE(agent.file_bytes, bytes.size() + 3 * small->bytes.size());
    EXPECT_EQ(world.Differences(), "");
  }
}

TEST(Link, TellsAnOrderlyStopFromAnOutage) {
  Simulation world(22);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  world.RunFor(2000);
  agent.link->Close(CloseReason::kStop, "stopped");
  world.RunFor(1000);
  EXPECT_EQ(world.manager.agents["001"]->closed_reason, 0);
  EXPECT_EQ(agent.link->info().state, AgentLink::State::kClosed);
  agent.Restart();
  world.RunFor(1000);
  SimulatedManager::Agent& peer = *world.manager.agents["001"];
  peer.link->Close(CloseReason::kKeyRemoved, "removed");
  world.RunFor(1000);
  EXPECT_EQ(agent.closed_reason, static_cast<int>(CloseReason::kKeyRemoved));
}

TEST(Link, KnocksAgainAtOnceWhenTheManagerSaidThatItStops) {
  Simulation world(24);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  world.RunFor(2000);
  for (int i = 0; i < 100; ++i) agent.Add("1:/x:event");
  world.RunFor(3000);
  // The last acknowledgements and the CLOSE travel in one datagram.
  world.manager.agents["001"]->link->Close(CloseReason::kStop, "the manager stops");
  world.RunFor(200);
  EXPECT_EQ(agent.closed_reason, static_cast<int>(CloseReason::kStop));
  EXPECT_NE(agent.link->info().state, AgentLink::State::kEstablished);
  // Started again, it finds the agent knocking: no time-out has passed.
  world.manager.Kill();
  world.manager.Start();
  world.RunFor(4000);
  EXPECT_EQ(agent.link->info().state, AgentLink::State::kEstablished);
  EXPECT_EQ(world.Differences(), "");
}

TEST(Link, SaysThatItIsThereAsOftenAsTheShorterOfBothIntervals) {
  const struct {
    uint16_t agent, manager;
    size_t least, most;
  } rows[] = {{0, 600, 4, 8}, {25, 600, 140, 150}, {3600, 600, 4, 8}};
  for (const auto& row : rows) {
    Simulation world(25);
    world.manager.config.keep_alive_s = row.manager;
    world.manager.Start();
    SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
    agent.config.keep_alive_s = row.agent;
    agent.Restart();
    // Datagrams of an idle hour, in which the keys are renewed once: a status and its answer each.
    world.RunFor(2000);
    const size_t before = world.datagrams;
    world.RunFor(59 * kMinute);
    const size_t rounds = (world.datagrams - before) / 2;
    EXPECT_GE(rounds, row.least) << row.agent;
    EXPECT_LE(rounds, row.most) << row.agent;
  }
}

TEST(Link, LearnsOfARestartedManagerThroughARememberedConnection) {
  Simulation world(23);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  world.RunFor(2000);
  const uint32_t connection = world.manager.agents["001"]->link->info().connection;
  world.manager.Kill();
  world.manager.Start();
  std::array<uint8_t, 64> reset{};
  const size_t size = world.manager.responder->MakeReset(connection, reset);
  world.Send(Simulation::kManager, 10, Bytes(reset).first(size));
  world.RunFor(5000);
  EXPECT_EQ(agent.sessions.size(), 2u);
  // One with another token moves nobody.
  reset[20] ^= 1;
  world.Send(Simulation::kManager, 10, Bytes(reset).first(size));
  world.RunFor(5000);
  EXPECT_EQ(agent.sessions.size(), 2u);
}

TEST(Link, SaysThatNobodyAnswersOncePerRound) {
  Simulation world(24);
  world.network.black_hole = true;
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  agent.Add("1:a:b");
  world.RunFor(10 * kMinute);
  EXPECT_GE(agent.unreachable, 10);
  EXPECT_LE(agent.unreachable, 60);
  EXPECT_LE(world.datagrams, 200u);
}

TEST(ManagerLink, CostsLessThanTwoKibibytesForAnIdleAgent) {
  Simulation world(25);
  SimulatedAgent& agent = world.AddAgent("001", kKey, 10);
  agent.Restart();
  Produce(world, agent, 500, 5000);
  SimulatedManager::Agent& peer = *world.manager.agents["001"];
  peer.link->SendControl("syscheck restart", world.now());
  ASSERT_TRUE(Finish(world, kMinute, 500));
  world.RunFor(2 * kMinute);
  EXPECT_LE(sizeof(ManagerLink) + peer.link->heap_bytes(), 2048u);
  EXPECT_EQ(peer.link->NextWake(world.now()), kNever);
}

// Faults of all kinds at random times, many times.
class RandomFaults : public testing::TestWithParam<int> {};

void Misfortune(Simulation& world) {
  SimulatedAgent& agent = *world.agents[world.random.Below(world.agents.size())];
  const auto again_in = static_cast<int64_t>(world.random.Below(15000));
  switch (world.random.Below(8)) {
    case 0:
      agent.Restart();
      break;
    case 1:
      agent.Kill();
      world.In(again_in, [&agent] { agent.Restart(); });
      break;
    case 2:
      world.manager.Kill();
      world.manager.Start();
      break;
    case 3:
      world.manager.Kill();
      world.In(again_in, [&world] {
        if (!world.manager.responder) world.manager.Start();
      });
      break;
    case 4:
      world.network.black_hole = true;
      world.In(again_in * 3, [&world] { world.network.black_hole = false; });
      break;
    case 5:
      agent.address += 100;
      break;
    case 6:
      world.manager.full = true;
      world.In(again_in * 2, [&world] {
        world.manager.full = false;
        for (auto& [id, peer] : world.manager.agents) {
          if (peer->link) peer->link->RoomAgain(*world.manager.worker, *peer, world.now());
        }
      });
      break;
    default:
      world.wall_offset_ms +=
          static_cast<int64_t>(world.random.Below(200000000)) * 1000 - 100000000000;
      break;
  }
}

TEST_P(RandomFaults, LoseAndRepeatNothing) {
  for (int i = 0; i < 100; ++i) {
    const auto seed = static_cast<uint64_t>(GetParam() * 100 + i);
    Simulation world(seed * 7919 + 1);
    world.network = {.loss = 0.3 * static_cast<double>(world.random.Below(100)) / 100,
                     .twice = 0.1,
                     .delay_ms = static_cast<int64_t>(1 + world.random.Below(100)),
                     .jitter_ms = static_cast<int64_t>(world.random.Below(100)),
                     .mtu = world.random.Chance(0.5) ? 1400u : 65535u};
    world.manager.outlet_ms = static_cast<int64_t>(world.random.Below(200));
    world.manager.answer_ms = static_cast<int64_t>(world.random.Below(200));
    SimulatedAgent& one = world.AddAgent("001", kKey, 10);
    // Sometimes the second one has the first one's key.
    SimulatedAgent& two = world.AddAgent(world.random.Chance(0.2) ? "001" : "002", kKey, 20);
    one.Restart();
    two.Restart();
    Produce(world, one, 100, 30000);
    Produce(world, two, 50, 30000);
    for (int fault = 0; fault < 4; ++fault) {
      world.At(static_cast<int64_t>(world.random.Below(40000)), [&world] { Misfortune(world); });
    }
    Finish(world, 30 * kMinute, 150);
    ASSERT_EQ(world.Differences(), "") << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomFaults, testing::Range(0, 20));

}  // namespace
}  // namespace ospatrol::secure::v2::test
