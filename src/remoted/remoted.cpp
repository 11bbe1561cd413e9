#include "remoted/remoted.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iterator>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "config/configuration.h"
#include "log/log.h"
#include "product/paths.h"
#include "product/shown_path.h"

namespace ospatrol::remoted {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kKeysInterval{200};
constexpr seconds kSharedInterval{2};
constexpr seconds kCountersInterval{5};
constexpr seconds kStateInterval{5};
constexpr milliseconds kStopLimit{5000};
constexpr mode_t kRequestsMode = 0660;
// A reload of the keys must not take more than this part of the time, however many agents there
// are and however often they change.
constexpr int kReloadShare = 10;
constexpr size_t kMebibyte = size_t{1} << 20;
constexpr std::string_view kStateFile = "var/run/ospatrol-remoted.state";
constexpr std::string_view kSenderCounter = "queue/rids/sender_counter";
constexpr std::string_view kOwnEvent = "1:ossec-remoted:ossec: ";

UdpBinding BindingOf(const config::RemoteListener& listener, size_t receive_buffer) {
  UdpBinding binding;
  binding.port = static_cast<uint16_t>(listener.port);
  binding.receive_buffer = receive_buffer;
  if (!listener.local_ip.empty()) binding.local_ip = pattern::ParseAddress(listener.local_ip);
  return binding;
}

bool SameListeners(const config::RemoteSection& a, const config::RemoteSection& b) {
  return std::ranges::equal(a.listeners, b.listeners, [](const auto& one, const auto& two) {
    return one.secure == two.secure && one.port == two.port && one.udp == two.udp &&
           one.tcp == two.tcp && one.local_ip == two.local_ip;
  });
}

Policy PolicyOf(config::CryptoAccept accept, bool verify) {
  Policy policy;
  policy.aes = accept == config::CryptoAccept::kAny || accept == config::CryptoAccept::kAes;
  policy.blowfish =
      accept == config::CryptoAccept::kAny || accept == config::CryptoAccept::kBlowfish;
  policy.verify_counters = verify;
  return policy;
}

template <typename Array>
void Fill(Array& array, std::string_view bytes) {
  std::copy_n(bytes.begin(), std::min(bytes.size(), array.size()), array.begin());
}

}  // namespace

Remoted::~Remoted() = default;

Remoted::Settings Remoted::Load(config::Problems& problems) const {
  const daemon::Options& options = context_.options();
  config::Configuration configuration = config::LoadConfiguration(
      options.configuration, product::ShownPath(options.configuration, options.prefix),
      config::Reader::kRemoted, problems);
  const auto internal =
      config::InternalOptions::Load(context_.home(), problems, context_.program().name);
  Settings settings;
  settings.remote = std::move(configuration.remote);
  settings.policy =
      PolicyOf(settings.remote.crypto_accept, internal.Get("remoted.verify_msg_id") != 0);
  const auto threads = static_cast<size_t>(internal.Get("remoted.receiver_threads"));
  settings.receivers =
      threads > 0 ? threads : std::clamp<size_t>(std::thread::hardware_concurrency(), 1, 4);
  settings.receive_buffer = static_cast<size_t>(internal.Get("remoted.receive_buffer")) * kMebibyte;
  settings.queue_bytes = static_cast<size_t>(internal.Get("remoted.queue_size")) * kMebibyte;
  settings.most_connections = static_cast<size_t>(internal.Get("remoted.syslog_tcp_max_tasks"));
  settings.most_agents = static_cast<size_t>(internal.Get("remoted.max_agents"));
  return settings;
}

void Remoted::Configure(config::Problems& problems) {
  settings_ = Load(problems);
  if (problems.HasErrors()) return;
  if (settings_.remote.listeners.empty()) {
    context_.Quit(0);
    return;
  }
  if (settings_.remote.Secure() == nullptr) return;
  const secure::LoadedKeys keys = secure::KeysFile(context_.home()).Load();
  secure::WriteToLog(keys.problems);
  if (keys.keys.empty()) log::Write<msg::kNoKeysYet>();
}

void Remoted::Prepare() {
  for (const config::RemoteListener& listener : settings_.remote.listeners) {
    if (listener.secure) {
      BindSecure(listener);
    } else if (!settings_.remote.allowed.empty()) {
      BindSyslog(listener);
    }
  }
  // The module is a file that cannot be reached from the chroot.
  if (!secure_.empty() && settings_.policy.blowfish) {
    if (const auto problem = secure::LoadLegacyProvider()) {
      log::Write<msg::kNoBlowfish>(*problem);
    }
  }
}

void Remoted::BindSecure(const config::RemoteListener& listener) {
  secure_port_ = listener.port;
  secure_ = BindUdp(BindingOf(listener, settings_.receive_buffer), settings_.receivers);
  TellBuffer(secure_.front(), listener.port, "agents");
}

void Remoted::BindSyslog(const config::RemoteListener& listener) {
  const UdpBinding binding = BindingOf(listener, settings_.receive_buffer);
  if (listener.udp) {
    std::vector<UdpSocket> sockets = BindUdp(binding, 1);
    TellBuffer(sockets.front(), listener.port, "syslog");
    syslog_udp_.push_back({std::move(sockets.front()), listener.port});
  }
  if (listener.tcp) syslog_tcp_.push_back({BindTcp(binding), listener.port});
}

void Remoted::TellBuffer(const UdpSocket& socket, int port, std::string_view what) const {
  const size_t granted = socket.receive_buffer / 1024;
  const size_t wanted = settings_.receive_buffer / 1024;
  if (granted < wanted) log::Write<msg::kSmallReceiveBuffer>(port, granted, wanted);
  log::Write<msg::kListening>(what, port, socket.family == AF_INET6 ? "IPv4 and IPv6" : "IPv4",
                              granted);
}

void Remoted::Start() {
  started_ = base::WallNow();
  OpenState();
  const Home& home = context_.home();
  outlet_ = std::make_unique<Outlet>(
      Outlet::Options{.stream = home / paths::kEventStream,
                      .queue = home / paths::kEventQueue,
                      .most_bytes = settings_.queue_bytes},
      [this](std::vector<Outlet::Taken> taken) { Distribute(std::move(taken)); });
  channel_ = std::make_unique<Channel>(*outlet_, *sender_counter_, *counters_, *responder_,
                                       [this] { context_.loop().Post([this] { Service(); }); });
  channel_->SetPolicy(settings_.policy);
  syslog_ = std::make_unique<SyslogServer>(
      *channel_, SyslogServer::Options{{settings_.remote.allowed, settings_.remote.denied},
                                       settings_.most_connections});
  for (SyslogUdp& listener : syslog_udp_) {
    syslog_->AddUdp(std::move(listener.socket), listener.port);
  }
  for (SyslogTcp& listener : syslog_tcp_) {
    syslog_->AddTcp(std::move(listener.socket), listener.port);
  }

  keys_file_ = std::make_unique<secure::KeysFile>(home);
  keys_watch_ = std::make_unique<secure::KeysWatch>(keys_file_->path());
  v2_only_watch_ = std::make_unique<secure::KeysWatch>(home / paths::kV2Only);
  keys_watch_->Changed();
  v2_only_watch_->Changed();
  LoadKeys();

  if (!secure_.empty()) {
    sender_ = std::make_unique<Version1Sender>(secure_.front(), *sender_counter_);
    transfers_ = std::make_unique<Transfers>(*sender_);
    const auto nudge = [this](const AgentPtr& agent) { Nudge(agent); };
    relay_ = std::make_unique<Relay>(*channel_, *sender_, nudge);
    book_ = std::make_unique<AgentBook>(home, *channel_, *state_, *transfers_, *relay_, nudge);
    book_->Restore(*channel_->registry.Get());
    shared_ = std::make_unique<SharedFiles>(home);
    shared_->Build();
    book_->SetBundle(shared_->bundle(), Clock::now());
    requests_ =
        std::make_unique<ipc::DatagramReceiver>(home / paths::kResponseQueue, kRequestsMode);
    requests_readable_ = context_.loop().WatchReadable(requests_->fd(), [this] { TakeRequests(); });
  }
  StartThreads();
  StartTimers();
}

void Remoted::OpenState() {
  const Home& home = context_.home();
  state_ = std::make_unique<secure::ChannelState>(home / paths::kChannelState);
  sender_counter_ = std::make_unique<secure::SenderCounter>(home / kSenderCounter, base::WallNow());
  counters_ = std::make_unique<secure::ReceiveCounters>(*state_, home / paths::kCounters,
                                                        secure::ReceiveCounters::Options{});
  secure::v2::Responder::Config config;
  Fill(config.manager, state_->Secret("manager", config.manager.size()));
  const std::string reset = state_->Secret("reset", config.reset_secret.view().size());
  std::copy(reset.begin(), reset.end(), config.reset_secret.edit().begin());
  config.stay = true;
  responder_ = std::make_unique<secure::v2::Responder>(config, random_);
}

void Remoted::StartThreads() {
  outlet_->Start();
  for (size_t i = 0; i < secure_.size(); ++i) {
    receivers_.push_back(
        std::make_unique<Receiver>(*channel_, secure_[i], static_cast<uint16_t>(i), secure_port_));
  }
  for (const auto& receiver : receivers_) receiver->Start();
  syslog_->Start();
}

void Remoted::StartTimers() {
  daemon::EventLoop& loop = context_.loop();
  second_timer_ = loop.Every(seconds(1), [this] { EverySecond(); });
  minute_timer_ = loop.Every(log::LimitedBase::kPause, [this] { TellLosses(); });
  state_timer_ = loop.Every(kStateInterval, [this] { WriteState(); });
  if (secure_.empty()) return;
  keys_timer_ = loop.Every(kKeysInterval, [this] { CheckKeys(); });
  shared_timer_ = loop.Every(kSharedInterval, [this] { CheckShared(); });
  counters_timer_ = loop.Every(kCountersInterval, [this] { ResetCounters(); });
}

// ---- keys -------------------------------------------------------------------------------------

void Remoted::CheckKeys() {
  if (Clock::now() < keys_not_before_) return;
  const bool keys = keys_watch_->Changed();
  const bool v2_only = v2_only_watch_->Changed();
  if (!keys && !v2_only) return;
  const auto began = Clock::now();
  log::Write<msg::kKeysFileChanged>();
  LoadKeys();
  keys_not_before_ = Clock::now() + kReloadShare * (Clock::now() - began);
}

std::unordered_set<std::string> Remoted::LoadV2Only() {
  std::unordered_set<std::string> ids;
  const auto text = base::ReadFileIfPresent(context_.home() / paths::kV2Only);
  if (!text) return ids;
  for (const std::string_view line : base::Split(*text, '\n')) {
    const std::string_view id = base::Trim(line.substr(0, line.find('#')));
    if (!id.empty()) ids.emplace(id);
  }
  return ids;
}

bool Remoted::LoadKeys() {
  try {
    secure::LoadedKeys loaded = keys_file_->Load();
    secure::WriteToLog(loaded.problems);
    const RegistryPtr before = channel_->registry.Get();
    if (loaded.keys.size() > settings_.most_agents) {
      log::Write<msg::kTooManyAgents>(loaded.keys.size(), settings_.most_agents);
    }
    const auto registry = std::make_shared<const Registry>(std::move(loaded.keys), LoadV2Only(),
                                                           before.get(), *counters_);
    channel_->registry.Set(registry);
    if (before != nullptr) {
      for (const AgentPtr& agent : registry->Missing(*before)) {
        Dismiss(before, agent);
        const std::scoped_lock lock(agent->mutex);
        agent->removed = true;
        if (!registry->Find(agent->id)) counters_->Forget(agent->id);
        if (book_) book_->Forget(*agent);
      }
    }
    log::Write<msg::kKeysFileRead>(registry->size());
    return true;
  } catch (const Error& error) {
    log::Write<msg::kKeysUnreadable>(std::string_view(error.what()));
    if (channel_->registry.Get() == nullptr) {
      channel_->registry.Set(std::make_shared<const Registry>(
          secure::KeyTable(), std::unordered_set<std::string>(), nullptr, *counters_));
    }
    return false;
  }
}

// An administrator deleted queue/rids/ID.
void Remoted::ResetCounters() {
  const RegistryPtr registry = channel_->registry.Get();
  for (const std::string& id : counters_->FindDeletedFiles()) {
    const Registry::Entry entry = registry->Find(id);
    if (!entry) continue;
    state_->ForgetHello(id);
    {
      const std::scoped_lock lock((*entry.agent)->mutex);
      (*entry.agent)->stored_session.hello_counter = 0;
      (*entry.agent)->session.reset();
    }
    log::Write<msg::kCountersReset>(entry.key->name, "queue/rids/" + id + " was deleted");
  }
}

// ---- agents -----------------------------------------------------------------------------------

void Remoted::Service() {
  if (!book_) return;
  book_->TakeNotes(Clock::now());
  RunTransfers();
}

size_t Remoted::ReceiverOf(const Agent& agent) const {
  return agent.thread.load(std::memory_order_relaxed) % receivers_.size();
}

void Remoted::Nudge(const AgentPtr& agent) { receivers_[ReceiverOf(*agent)]->Send(agent); }

void Remoted::Dismiss(const RegistryPtr& before, const AgentPtr& agent) {
  if (!receivers_.empty()) receivers_[ReceiverOf(*agent)]->Dismiss(before, agent);
}

void Remoted::Distribute(std::vector<Outlet::Taken> taken) {
  if (receivers_.empty()) return;
  std::vector<std::vector<Outlet::Taken>> parts(receivers_.size());
  for (Outlet::Taken& part : taken) {
    parts[ReceiverOf(*part.agent)].push_back(std::move(part));
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].empty()) receivers_[i]->Stored(std::move(parts[i]));
  }
}

void Remoted::RunTransfers() {
  if (transfers_->idle() || transfer_timer_) return;
  transfer_timer_ = context_.loop().Every(Transfers::kTick, [this] {
    transfers_->Tick(Clock::now());
    if (transfers_->idle()) transfer_timer_.reset();
  });
}

void Remoted::CheckShared() {
  if (!shared_->Check()) return;
  log::Write<msg::kSharedFilesChanged>(shared_->bundle()->md5, shared_->bundle()->merged().size());
  book_->SetBundle(shared_->bundle(), Clock::now());
  PushOn();
}

void Remoted::PushOn() {
  const bool more = book_->ContinuePush(Clock::now());
  RunTransfers();
  if (more) {
    context_.loop().Post([this] { PushOn(); });
  }
}

void Remoted::TakeRequests() {
  for (;;) {
    const auto datagrams = requests_->Receive();
    if (datagrams.empty()) break;
    for (const auto& datagram : datagrams) relay_->Take(datagram.bytes, Clock::now());
  }
  if (!relay_posted_) RelayOn();
}

void Remoted::RelayOn() {
  relay_posted_ = relay_->Continue(Clock::now());
  if (relay_posted_) {
    context_.loop().Post([this] { RelayOn(); });
  }
}

// ---- what runs by the clock -------------------------------------------------------------------

void Remoted::EverySecond() {
  channel_->faults.Tell(FaultLog::Clock::now());
  counters_->Flush();
  if (!book_) return;
  book_->Save();
  relay_->Expire(Clock::now());
}

// Once a minute, in the log and as events that rules can see.
void Remoted::TellLosses() {
  const ChannelCounters& counters = channel_->counters;
  const auto since = [](const std::atomic<uint64_t>& counter, uint64_t& told) {
    const uint64_t now = counter.load(std::memory_order_relaxed);
    return now - std::exchange(told, now);
  };
  std::vector<std::string> events;
  if (const uint64_t lost = since(counters.kernel_dropped, told_kernel_dropped_)) {
    log::Write<msg::kKernelDropped>(lost, secure_port_);
    events.push_back(
        fmt::format("{}Events lost: {} packets dropped by the kernel, the receive buffer was full.",
                    kOwnEvent, lost));
  }
  if (const uint64_t lost = since(counters.overload_dropped, told_overload_)) {
    log::Write<msg::kOverloadDropped>(lost);
    events.push_back(
        fmt::format("{}Events lost: {} packets dropped unread, overload.", kOwnEvent, lost));
  }
  if (const uint64_t lost = since(counters.events_dropped, told_events_dropped_)) {
    log::Write<msg::kEventsDropped>(lost);
    events.push_back(fmt::format(
        "{}Events lost: {} events dropped, the queue of the analysis was full.", kOwnEvent, lost));
  }
  const std::vector<std::string_view> views(events.begin(), events.end());
  outlet_->Offer(views);
}

void Remoted::WriteState() {
  const ChannelCounters& counters = channel_->counters;
  std::string text = "# State of ospatrol-remoted since its start\n\n";
  const auto add = [&](std::string_view key, uint64_t value) {
    fmt::format_to(std::back_inserter(text), "{}='{}'\n", key, value);
  };
  add("agents", channel_->registry.Get()->size());
  add("packets", counters.packets);
  add("packets_refused", counters.refused);
  add("packets_dropped_by_kernel", counters.kernel_dropped);
  add("packets_dropped_by_overload", counters.overload_dropped);
  add("events", counters.events);
  add("events_dropped", counters.events_dropped);
  add("events_taken", outlet_->events_taken());
  add("sessions", responder_->connections());
  add("transfers", transfers_ ? transfers_->active() : 0);
  add("analysis_connected", outlet_->connected() ? 1 : 0);
  add("started", static_cast<uint64_t>(started_));
  const std::filesystem::path path = context_.home() / kStateFile;
  const std::filesystem::path temporary = path.native() + ".new";
  const base::Fd fd = base::OpenFile(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0640);
  if (!fd || !base::WriteAll(fd.get(), text) || std::rename(temporary.c_str(), path.c_str()) != 0) {
    log::Debug(1, "{}: {}", path.native(), base::ErrnoText(errno));
  }
}

void Remoted::Reload(config::Problems& problems) {
  config::Problems found;
  Settings settings = Load(found);
  problems.Append(found);
  if (found.HasErrors()) return;
  if (!SameListeners(settings.remote, settings_.remote)) log::Write<msg::kNeedsRestart>();
  // Where the ports are bound cannot change, who may use them can.
  settings_.policy = settings.policy;
  settings_.most_agents = settings.most_agents;
  settings_.remote.allowed = settings.remote.allowed;
  settings_.remote.denied = settings.remote.denied;
  channel_->SetPolicy(settings_.policy);
  syslog_->SetAccess({settings_.remote.allowed, settings_.remote.denied});
  if (secure_.empty()) return;
  keys_watch_->Changed();
  v2_only_watch_->Changed();
  LoadKeys();
  CheckShared();
}

void Remoted::Stop() {
  if (channel_ == nullptr) return;
  syslog_->Stop();
  // In this order agents are told what analysisd has taken before they are told to go elsewhere.
  for (const auto& receiver : receivers_) receiver->Quieten();
  TellLosses();
  outlet_->Stop(kStopLimit);
  for (const auto& receiver : receivers_) receiver->Stop();
  channel_->faults.TellAll();
  if (book_) {
    book_->TakeNotes(Clock::now());
    book_->Save();
  }
  counters_->Flush();
  sender_counter_->Save();
  WriteState();
  syslog_.reset();
  receivers_.clear();
}

}  // namespace ospatrol::remoted
