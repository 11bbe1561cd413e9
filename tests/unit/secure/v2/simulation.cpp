#include "simulation.h"

#include <fmt/format.h>

#include <algorithm>

namespace ospatrol::secure::v2::test {

namespace {

std::array<uint8_t, 8> PeerBytes(uint64_t address) {
  std::array<uint8_t, 8> bytes{};
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<uint8_t>(address >> (8 * i));
  return bytes;
}

}  // namespace

std::string MakeEvent(SeededRandom& random, size_t number, size_t size) {
  std::string event = fmt::format(
      "1:/var/log/auth.log:Nov 22 07:{:02}:{:02} web01 sshd[{}]: Failed password for invalid user "
      "u{} "
      "from 203.0.113.{} port {} ssh2",
      number / 60 % 60, number % 60, 1000 + number, random.Below(1000), random.Below(255),
      1024 + random.Below(60000));
  while (event.size() < size) event += static_cast<char>(1 + random.Below(255));
  event.resize(std::max<size_t>(size, 8));
  return event;
}

std::optional<std::string_view> Spool::Event(uint64_t number) {
  if (number < first_ || number >= next() || damaged_.contains(number)) return std::nullopt;
  return events_[number - 1];
}

void Spool::Acknowledged(uint64_t number) {
  acknowledged_ = number;
  first_ = std::max(first_, number + 1);
}

void Spool::SetBack() {
  ++set_back_;
  id_[0] = static_cast<uint8_t>(id_[0] + 1);
}

void Spool::Restore(const Snapshot& snapshot) {
  id_ = snapshot.id;
  first_ = snapshot.first;
  events_ = snapshot.events;
}

SimulatedAgent::SimulatedAgent(Simulation& w, std::string i, std::string k, uint64_t a)
    : world(w), id(std::move(i)), key(std::move(k)), address(a), spool(w.random) {
  config.agent_id = id;
  config.name = "name" + id;
  config.key = key;
  config.product = "OSPatrol v0";
}

void SimulatedAgent::Restart() {
  config.controls_done = controls_done;
  link = std::make_unique<AgentLink>(config, spool, *this, world.random);
  link->Start(world.now());
}

void SimulatedAgent::Add(std::string event, bool urgent) {
  spool.Append(std::move(event));
  if (link) link->EventsAdded(world.now(), urgent);
}

std::optional<uint64_t> SimulatedAgent::NextHelloCounter(uint64_t at_least) {
  hello_counter = std::max(hello_counter + 1, at_least);
  return hello_counter;
}

void SimulatedAgent::Established(const Session& session) { sessions.push_back(session); }

AgentPeer::Answer SimulatedAgent::Control(std::string_view text) {
  ++controls[std::string(text)];
  return {ControlResult::kDone, "ok"};
}

bool SimulatedAgent::FileBegins(std::string_view name, uint64_t) {
  parts[std::string(name)].clear();
  return name != "refused";
}

bool SimulatedAgent::FileBytes(std::string_view name, Bytes bytes) {
  parts[std::string(name)] += AsText(bytes);
  file_bytes += bytes.size();
  return true;
}

AgentPeer::FileVerdict SimulatedAgent::FileComplete(std::string_view name) {
  files[std::string(name)] = parts[std::string(name)];
  parts.erase(std::string(name));
  if (name == "unreadable") return {false, "line 3: expected an element"};
  return {};
}

StatusFrame SimulatedAgent::Status() {
  StatusFrame status;
  status.spool_bytes = spool.next() - spool.first();
  status.uname = "Linux test";
  return status;
}

SimulatedManager::Agent::Agent(Simulation& w, std::string i, const std::string& key)
    : world(w), id(std::move(i)), psk(DerivePsk(id, "name" + id, key)) {}

uint64_t SimulatedManager::Agent::HelloCounter() { return world.manager.hello_counters[id]; }
void SimulatedManager::Agent::SaveHelloCounter(uint64_t counter) {
  world.manager.hello_counters[id] = counter;
}
uint64_t SimulatedManager::Agent::StoredEvent(const SpoolId& spool) {
  return world.manager.stored[spool];
}

bool SimulatedManager::Agent::Deliver(const SpoolId& spool, uint64_t first,
                                      std::span<const std::string_view> events) {
  SimulatedManager& manager = world.manager;
  if (manager.full) return false;
  const std::vector<std::string> copies(events.begin(), events.end());
  const int life = manager.life;
  // What waits in the outlet of a remoted that is killed is gone.
  world.In(manager.outlet_ms, [&manager, spool, first, copies, life] {
    if (manager.life == life) manager.Take(spool, first, copies);
  });
  return true;
}

void SimulatedManager::Take(const SpoolId& spool, uint64_t first,
                            const std::vector<std::string>& events) {
  uint64_t number = first;
  for (const std::string& event : events) {
    uint64_t& known = last[spool];
    if (number <= known) {
      ++redelivered;
    } else {
      for (uint64_t missing = known + 1; missing < number; ++missing) {
        if (!allowed_gaps[spool].contains(missing)) {
          world.faults.push_back(fmt::format("event {} came before {}", number, missing));
        }
      }
      known = number;
      taken[spool].push_back(event);
      taken_numbers[spool].push_back(number);
    }
    ++number;
  }
  const int life_then = life;
  world.In(answer_ms, [this, spool, number, life_then] {
    if (life == life_then) Answer(spool, number - 1);
  });
}

void SimulatedManager::Agent::Established(const Session& session) { sessions.push_back(session); }

void SimulatedManager::Agent::StatusReceived(const StatusFrame& status) {
  ++statuses;
  uname = status.uname;
}

void SimulatedManager::Agent::ControlFinished(uint64_t number, ControlOutcome outcome,
                                              std::string_view) {
  if (!controls.emplace(number, outcome).second) world.faults.push_back("a control ended twice");
}

void SimulatedManager::Agent::FileFinished(std::string_view name, FileOutcome outcome,
                                           std::string_view) {
  files[std::string(name)] = outcome;
}

SimulatedManager::SimulatedManager(Simulation& w) : world(w) {}

void SimulatedManager::AddAgent(const std::string& id, const std::string& key) {
  agents.emplace(id, std::make_unique<Agent>(world, id, key));
  if (responder) {
    agents[id]->link = std::make_unique<ManagerLink>(*responder, std::stoull(id), agents[id]->psk);
  }
}

void SimulatedManager::Kill() {
  for (auto& [id, agent] : agents) agent->link.reset();
  responder.reset();
  ++life;
}

void SimulatedManager::Start() {
  responder = std::make_unique<Responder>(config, world.random);
  if (!worker) worker = std::make_unique<Worker>();
  for (auto& [id, agent] : agents) {
    agent->link = std::make_unique<ManagerLink>(*responder, std::stoull(id), agent->psk);
  }
}

void SimulatedManager::Answer(const SpoolId& spool, uint64_t number) {
  // state.db is written now and then only.
  if (world.random.Chance(0.3)) stored[spool] = std::max(stored[spool], number);
  for (auto& [id, agent] : agents) {
    if (agent->link) agent->link->Stored(spool, number, world.now());
  }
}

void SimulatedManager::Receive(uint64_t from, Bytes datagram) {
  if (!responder) return;
  std::array<uint8_t, kHelloSize> reply{};
  const auto peer = PeerBytes(from);
  const auto route = responder->Look(world.now(), peer, datagram, reply);
  ++routes[route.verdict];
  size_t answer = 0;
  if (route.kind == Responder::Route::Kind::kAnswer) answer = route.reply;
  if (route.kind == Responder::Route::Kind::kHello) {
    const auto agent = agents.find(std::string(route.agent_id));
    if (agent == agents.end()) return;
    const auto outcome =
        agent->second->link->ReceiveHello(*worker, *agent->second, world.now(), datagram, reply);
    ++agent->second->verdicts[outcome.verdict];
    answer = outcome.reply;
  }
  if (answer > 0) {
    if (answer > datagram.size()) world.faults.push_back("an answer was longer than its question");
    world.Send(Simulation::kManager, from, Bytes(reply).first(answer));
  }
  if (route.kind != Responder::Route::Kind::kData) return;
  Agent& agent = *agents.at(fmt::format("{:03}", route.owner));
  const auto outcome = agent.link->ReceiveData(*worker, agent, world.now(), datagram);
  ++agent.verdicts[outcome.verdict];
  if (outcome.newest) agent.address = from;
}

bool SimulatedManager::Flush(Agent& agent) {
  if (!agent.link) return false;
  bool any = false;
  std::array<uint8_t, kMaxDatagram> out{};
  while (const size_t size = agent.link->NextDatagram(*worker, agent, world.now(), out)) {
    world.Send(Simulation::kManager, agent.address, Bytes(out).first(size));
    any = true;
  }
  return any;
}

Simulation::Simulation(uint64_t seed) : random(seed), manager(*this) {
  random.Fill(manager.config.manager);
  random.Fill(manager.config.reset_secret.edit());
  manager.config.stay = true;
  manager.Start();
}

SimulatedAgent& Simulation::AddAgent(const std::string& id, const std::string& key,
                                     uint64_t address) {
  agents.push_back(std::make_unique<SimulatedAgent>(*this, id, key, address));
  if (!manager.agents.contains(id)) manager.AddAgent(id, key);
  return *agents.back();
}

void Simulation::At(int64_t when_ms, std::function<void()> action) {
  due_.push({kStartMs + when_ms, order_++, std::move(action)});
}

void Simulation::Send(uint64_t from, uint64_t to, Bytes datagram) {
  ++datagrams;
  largest = std::max(largest, datagram.size());
  const std::string bytes(AsText(datagram));
  if (record) recorded.push_back({from, to, bytes});
  if (network.black_hole || datagram.size() > network.mtu) return;
  const int copies = network.twice > 0 && random.Chance(network.twice) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (network.loss > 0 && random.Chance(network.loss)) continue;
    int64_t delay = network.delay_ms;
    if (network.jitter_ms > 0) {
      delay += static_cast<int64_t>(random.Below(static_cast<uint64_t>(network.jitter_ms)));
    }
    In(delay, [this, from, to, bytes] { Arrive(from, to, bytes); });
  }
}

void Simulation::Arrive(uint64_t from, uint64_t to, const std::string& datagram) {
  if (to == kManager) {
    manager.Receive(from, AsBytes(datagram));
    return;
  }
  for (auto& agent : agents) {
    if (agent->address != to || !agent->link) continue;
    ++agent->verdicts[agent->link->Receive(now(), AsBytes(datagram))];
  }
}

bool Simulation::FlushAll() {
  bool any = false;
  std::array<uint8_t, kMaxDatagram> out{};
  for (auto& agent : agents) {
    if (!agent->link) continue;
    while (const size_t size = agent->link->NextDatagram(now(), out)) {
      Send(agent->address, kManager, Bytes(out).first(size));
      any = true;
    }
  }
  for (auto& [id, agent] : manager.agents) any = manager.Flush(*agent) || any;
  return any;
}

int64_t Simulation::NextWake() {
  int64_t wake = due_.empty() ? kNever : due_.top().when_ms;
  for (auto& agent : agents) {
    if (agent->link) wake = std::min(wake, agent->link->NextWake(now()));
  }
  for (auto& [id, agent] : manager.agents) {
    if (agent->link) wake = std::min(wake, agent->link->NextWake(now()));
  }
  return wake;
}

bool Simulation::Run(int64_t limit_ms, const std::function<bool()>& done) {
  const int64_t end = kStartMs + limit_ms;
  int idle_turns = 0;
  while (now_ms_ <= end && !done()) {
    while (!due_.empty() && due_.top().when_ms <= now_ms_) {
      const auto action = due_.top().action;
      due_.pop();
      action();
    }
    const bool any = FlushAll();
    const int64_t wake = NextWake();
    if (wake > now_ms_) {
      if (wake > end) {
        now_ms_ = end;
        break;
      }
      now_ms_ = wake;
      idle_turns = 0;
    } else if (!any && ++idle_turns > 10) {
      faults.push_back("a link wants to be woken and has nothing to do");
      return false;
    }
  }
  return done();
}

bool Simulation::IsDone() const {
  for (const auto& agent : agents) {
    if (!agent->spool.empty()) return false;
  }
  return true;
}

std::string Simulation::Differences() const {
  std::string text;
  for (const std::string& fault : faults) text += fault + "\n";
  for (const auto& agent : agents) {
    const auto& all = agent->spool.all();
    const auto taken = manager.taken.find(agent->spool.id());
    const auto numbers = manager.taken_numbers.find(agent->spool.id());
    const size_t count = taken == manager.taken.end() ? 0 : taken->second.size();
    size_t at = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      if (agent->spool.IsLost(i + 1)) continue;
      if (at >= count || taken->second[at] != all[i] || numbers->second[at] != i + 1) {
        return text +
               fmt::format("agent {} at {}: event {} of {} did not come as number {} of {}\n",
                           agent->id, agent->address, i + 1, all.size(), at + 1, count);
      }
      ++at;
    }
    if (at != count) text += fmt::format("{} events too many\n", count - at);
    if (!agent->spool.empty()) {
      text += fmt::format("agent {}: {} of {} acknowledged\n", agent->id, agent->spool.first() - 1,
                          agent->spool.next() - 1);
    }
  }
  return text;
}

}  // namespace ospatrol::secure::v2::test
