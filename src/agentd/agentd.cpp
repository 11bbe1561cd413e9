#include "agentd/agentd.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <tuple>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/time.h"
#include "config/agent_conf.h"
#include "config/configuration.h"
#include "config/internal_options.h"
#include "log/log.h"
#include "product/shown_path.h"

namespace ospatrol::agentd {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kSenderCounter = "queue/rids/sender_counter";
constexpr std::string_view kControls = "queue/rids/controls";
constexpr std::string_view kStateFile = "var/run/ospatrol-agentd.state";
constexpr std::string_view kLocation = "1:ossec:";
constexpr seconds kSettleAfter{1};
constexpr seconds kTryAgainAfter{1};
constexpr minutes kStateInterval{1};
constexpr int64_t kLossesEveryMs = 60'000;
constexpr int64_t kPartingMs = 1000;  // what is in the spool at the end may still leave
constexpr size_t kMostUsers = 2000;
constexpr mode_t kIdentityMode = 0640;
constexpr mode_t kStateMode = 0640;

}  // namespace

// ---- configuration ----

Agentd::Settings Agentd::Load(config::Problems& problems) const {
  const daemon::Options& options = context_.options();
  const config::Configuration configuration = config::LoadConfiguration(
      options.configuration, product::ShownPath(options.configuration, options.prefix),
      config::Reader::kAgentd, problems);
  const auto internal =
      config::InternalOptions::Load(context_.home(), problems, context_.program().name);
  Settings settings;
  settings.return_every_ms = internal.Get("agent.return_time") * 1000;
  settings.verify_counters = internal.Get("remoted.verify_msg_id") != 0;
  settings.client = configuration.client;
  const secure::LoadedKeys loaded = secure::KeysFile(context_.home()).Load();
  secure::WriteToLog(loaded.problems);
  if (loaded.keys.empty()) {
    problems.Error(msg::kNoAgentKey.id, paths::kClientKeys, 0, "unable to start without auth keys",
                   "enrol this host with agent-auth");
  } else {
    settings.key = loaded.keys.entries().front();
  }
  return settings;
}

void Agentd::Configure(config::Problems& problems) { settings_ = Load(problems); }

void Agentd::Prepare() {
  prefix_ = context_.options().prefix.native();
  const config::ClientSection& client = settings_.client;
  const bool may_need_blowfish = client.crypto_method != config::ClientCipher::kAes &&
                                 client.protocol != config::ClientProtocol::kV2;
  if (may_need_blowfish) {
    if (const auto reason = secure::LoadLegacyProvider()) log::Write<msg::kNoBlowfish>(*reason);
  }
  LoadUserNames();
  for (const auto& server : settings_.client.servers) {
    if (server.is_address || resolver_) continue;
    resolver_ = std::make_unique<daemon::Resolver>(context_.identity());
  }
}

// Only the local users: in the chroot nobody can be asked.
void Agentd::LoadUserNames() {
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Closer> file(std::fopen("/etc/passwd", "re"));
  if (!file) return;
  while (const passwd* user = ::fgetpwent(file.get())) {
    if (user_names_.size() < kMostUsers) user_names_.try_emplace(user->pw_uid, user->pw_name);
  }
}

// ---- start ----

void Agentd::Start() {
  started_ = base::WallNow();
  OpenStores();
  OpenChannel();
  WriteIdentity();
  intake_ = std::make_unique<LocalIntake>(
      context_.loop(), *spool_,
      LocalIntake::Hooks{.stored = [this](bool urgent) { Stored(urgent); },
                         .refused = [this](Spool::Outcome outcome) { SpoolRefused(outcome); }});
  intake_->Bind(context_.home());
  tamper_watch_ = std::make_unique<TamperWatch>(
      context_.loop(), *files_,
      TamperWatch::Hooks{.report = [this](const std::string& text) { Report(text); },
                         .looked =
                             [this] {
                               LookForNewKey();
                               if (files_->wants_resend()) uplink_->FilesChanged();
                             }});
  tamper_watch_->Start(context_.home());
  files_->TakeIntoUse();  // as restored: the readers start after this
  uplink_->Start();
  state_timer_ = context_.loop().Every(kStateInterval, [this] { WriteState(); });
  SettleSoon();
}

void Agentd::OpenStores() {
  const Home& home = context_.home();
  const config::ClientSection& client = settings_.client;
  wait_lock_ = std::make_unique<WaitLock>(home / paths::kWaitLock);
  spool_ = std::make_unique<Spool>(
      home / paths::kSpool,
      Spool::LimitsOf(static_cast<uint64_t>(client.spool_size) << 20, client.spool_drop_oldest),
      base::WallNowMilliseconds());
  files_ = std::make_unique<SharedFiles>(
      home, SharedFiles::Settings{.restore = client.restore_shared_files,
                                  .user_name =
                                      [this](unsigned uid) {
                                        const auto found = user_names_.find(uid);
                                        return found == user_names_.end() ? std::string()
                                                                          : found->second;
                                      },
                                  .own_uid = context_.identity().uid});
  orders_ = std::make_unique<ManagerOrders>(
      home, *files_,
      ManagerOrders::Settings{.responses = !client.disable_active_response,
                              .auto_restart = client.auto_restart},
      ManagerOrders::Hooks{.report = [this](const std::string& text) { Report(text); },
                           .files_changed = [this] { uplink_->FilesChanged(); }});
  state_ = std::make_unique<secure::ChannelState>(home / paths::kChannelState);
  counter_ = std::make_unique<secure::SenderCounter>(home / kSenderCounter, base::WallNow());
  received_ = std::make_unique<secure::ReceiveCounters>(
      *state_, home / paths::kCounters, secure::ReceiveCounters::Options{.files = false});
  engine_ = std::make_unique<secure::CipherEngine>();
}

void Agentd::OpenChannel() {
  keys_watch_.emplace(context_.home() / paths::kClientKeys);
  keys_watch_->Changed();
  channel_ = std::make_unique<ChannelContext>(
      ChannelContext{.loop = context_.loop(),
                     .spool = *spool_,
                     .files = *files_,
                     .orders = *orders_,
                     .state = *state_,
                     .counter = *counter_,
                     .received = *received_,
                     .engine = *engine_,
                     .key = settings_.key,
                     .keys = secure::DeriveKeys(settings_.key),
                     .client = settings_.client,
                     .return_every_ms = settings_.return_every_ms,
                     .verify_counters = settings_.verify_counters,
                     .description = config::HostDescription(),
                     .controls = context_.home() / kControls,
                     .first_answered = [this] { TellStart(); },
                     .answered = [this] { TellLossesNow(); },
                     .active = [this] { SettleSoon(); },
                     .dropped = [this] { return spool_->dropped() + spool_->damaged(); }});
  if (resolver_) resolver_->Attach(context_.loop());
  uplink_ = std::make_unique<Uplink>(*channel_, resolver_.get());
}

void Agentd::WriteIdentity() const {
  base::WriteFileAtomically(
      context_.home() / paths::kAgentIdentity,
      config::FormatAgentIdentity(settings_.key.name, settings_.key.id, settings_.client.profile),
      kIdentityMode);
}

// ---- events of our own ----

std::string Agentd::AgentText() const {
  return fmt::format("'{}->{}'", settings_.key.name, settings_.key.address);
}

void Agentd::Report(const std::string& text) {
  const std::string event = std::string(kLocation) + text;
  if (spool_->AppendBeyondLimit(event, base::WallNowMilliseconds()) == Spool::Outcome::kStored) {
    Stored(false);
  }
}

void Agentd::TellStart() {
  Report(fmt::format("ossec: Agent started: {}.", AgentText()));
  for (const std::string_view file : {paths::kConfiguration, paths::kInternalOptions}) {
    spool_->AppendBeyondLimit(IntegrityMessage(file), base::WallNowMilliseconds());
  }
  Stored(true);
  WriteState();
}

// As syscheck writes them (wire-protocol 5.1); the path is the one that the host knows.
std::string Agentd::IntegrityMessage(std::string_view file) const {
  const std::filesystem::path path = context_.home() / file;
  const std::string shown = (std::filesystem::path(prefix_) / file).native();
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return fmt::format("8:syscheck:-1 {}", shown);
  std::string md5 = "xxx", sha1 = "xxx";
  try {
    const std::string content = base::ReadFile(path);
    md5 = base::Md5Hex(content);
    sha1 = base::Sha1Hex(content);
  } catch (const Error&) {
    // Told as unreadable.
  }
  return fmt::format("8:syscheck:{}:{}:{}:{}:{}:{} {}", facts.st_size, facts.st_mode, facts.st_uid,
                     facts.st_gid, md5, sha1, shown);
}

// ---- the spool ----

// Posted, because this may be a callback of the connection that is to be told.
void Agentd::Stored(bool urgent) {
  SettleSoon();
  added_urgent_ = added_urgent_ || urgent;
  if (std::exchange(added_posted_, true)) return;
  context_.loop().Post([this] {
    added_posted_ = false;
    uplink_->EventsAdded(std::exchange(added_urgent_, false));
  });
}

void Agentd::SpoolRefused(Spool::Outcome outcome) {
  const bool first = !wait_lock_->IsSet() && !try_again_;
  if (first && outcome == Spool::Outcome::kFull) {
    log::Write<msg::kSpoolFull>(spool_->bytes() >> 20, spool_->next() - spool_->first(),
                                "local readers wait");
    Report("ossec: Agent spool full: waiting for the manager.");
  } else if (first) {
    log::Write<msg::kSpoolFailed>(base::ErrnoText(errno));
  }
  wait_lock_->Set();
  try_again_ = context_.loop().After(kTryAgainAfter, [this] { TryAgain(); });
}

void Agentd::TryAgain() {
  // A full spool that has only a little room would be full again at once, with a notice each time.
  const bool full = !spool_->HasRoom();
  if (!full) intake_->Resume();
  if (full || intake_->paused()) {
    try_again_ = context_.loop().After(kTryAgainAfter, [this] { TryAgain(); });
    return;
  }
  try_again_.reset();
  wait_lock_->Clear();
  log::Write<msg::kSpoolHasRoom>();
}

void Agentd::SettleSoon() {
  if (settle_) return;
  settle_ = context_.loop().After(kSettleAfter, [this] {
    settle_.reset();
    Settle();
  });
}

void Agentd::Settle() {
  spool_->SaveAcknowledged(base::WallNowMilliseconds());
  intake_->SyncAndAnswer();
  received_->Flush();
  TellLosses();
}

void Agentd::TellLosses() {
  const uint64_t losses = spool_->dropped() + spool_->damaged();
  const int64_t now = MonotonicMs();
  if (losses == losses_told_) return;
  if (losses_told_ms_ != 0 && now - losses_told_ms_ < kLossesEveryMs) return SettleSoon();
  const uint64_t fresh = losses - std::exchange(losses_told_, losses);
  losses_told_ms_ = now;
  log::Write<msg::kSpoolFull>(spool_->bytes() >> 20, spool_->next() - spool_->first(),
                              fmt::format("{} events lost", fresh));
  // The sum, too: an earlier notice may be among what was lost since.
  Report(fmt::format("ossec: Agent spool: {} events lost, the oldest first ({} since the start).",
                     fresh, losses));
}

void Agentd::TellLossesNow() {
  losses_told_ms_ = 0;
  TellLosses();
}

// ---- the rest ----

void Agentd::LookForNewKey() {
  if (!keys_watch_->Changed()) return;
  config::Problems problems;
  Settings settings = Load(problems);
  if (problems.HasErrors()) return;  // it is being written, or gone: the present key stays
  if (settings.key.id == settings_.key.id && settings.key.key == settings_.key.key &&
      settings.key.name == settings_.key.name) {
    return;
  }
  settings.client = settings_.client;
  Apply(std::move(settings));
}

bool Agentd::HaveSameChannel(const Settings& a, const Settings& b) {
  using Entry = config::ClientSection::Server;
  const auto facts = [](const Settings& settings) {
    const config::ClientSection& client = settings.client;
    return std::tie(settings.key.id, settings.key.name, settings.key.key, settings.return_every_ms,
                    settings.verify_counters, client.port, client.local_ip, client.notify_time,
                    client.time_reconnect, client.crypto_method, client.protocol,
                    client.repeat_unacknowledged);
  };
  return facts(a) == facts(b) &&
         std::ranges::equal(a.client.servers, b.client.servers, {}, &Entry::name, &Entry::name);
}

void Agentd::Apply(Settings settings) {
  const bool same_channel = HaveSameChannel(settings, settings_);
  settings_ = std::move(settings);
  const config::ClientSection& client = settings_.client;
  channel_->client = client;
  channel_->return_every_ms = settings_.return_every_ms;
  channel_->verify_counters = settings_.verify_counters;
  channel_->key = settings_.key;
  channel_->keys = secure::DeriveKeys(settings_.key);
  spool_->SetLimits(
      Spool::LimitsOf(static_cast<uint64_t>(client.spool_size) << 20, client.spool_drop_oldest));
  files_->SetRestore(client.restore_shared_files);
  files_->TakeIntoUse();
  uplink_->FilesChanged();  // tells the manager
  orders_->SetSettings(
      {.responses = !client.disable_active_response, .auto_restart = client.auto_restart});
  WriteIdentity();
  // Without a session an administrator who asks for a reload wants one now.
  if (!same_channel || uplink_->ServerInUse().empty()) uplink_->Restart();
}

void Agentd::Reload(config::Problems& problems) {
  config::Problems found;
  Settings settings = Load(found);
  problems.Append(found);
  if (found.HasErrors()) return;
  Apply(std::move(settings));
}

void Agentd::WriteState() const {
  const std::string text = fmt::format(
      "# State of ospatrol-agentd, for monitoring. Written every minute.\n"
      "started='{}'\nserver='{}'\nspool_bytes='{}'\nspool_events='{}'\nspool_next='{}'\n"
      "events_lost='{}'\nmalformed='{}'\nconnections='{}'\n",
      started_, uplink_->ServerInUse(), spool_->bytes(), spool_->next() - spool_->first(),
      spool_->next(), spool_->dropped() + spool_->damaged(), intake_->malformed(),
      intake_->connections());
  try {
    base::WriteFileAtomically(context_.home() / kStateFile, text, kStateMode);
  } catch (const Error& error) {
    log::Write<msg::kStateFileFailed>((context_.home() / kStateFile).native(), error.what());
  }
}

void Agentd::Stop() {
  intake_->Drain();
  TellLossesNow();
  tamper_watch_->Stop();
  Report(fmt::format("ossec: Agent stopped: {}.", AgentText()));
  uplink_->EventsAdded(true);
  uplink_->Stop(kPartingMs);
  spool_->SaveAcknowledged(base::WallNowMilliseconds());
  spool_->Sync();
  received_->Flush();
  counter_->Save();
  WriteState();
  intake_.reset();
  uplink_.reset();
}

}  // namespace ospatrol::agentd
