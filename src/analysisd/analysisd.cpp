#include "analysisd/analysisd.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <tuple>

#include "analysisd/list_set.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "base/time.h"
#include "config/ar_conf.h"
#include "ipc/unix_socket.h"
#include "product/shown_path.h"

namespace ospatrol::analysisd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kCommitDelay{5};
constexpr size_t kGroupBytes = 1024 * 1024;  // pending output that is not kept waiting
constexpr milliseconds kDrainLimit{5000};
constexpr base::Seconds kSenderCheck = 3600;
constexpr size_t kMaxCorrelationState = size_t{1} << 30;
constexpr size_t kMaxThreads = 32;
constexpr mode_t kResponseListMode = 0440;

constexpr std::array<std::string_view, 11> kOwnedDirectories{
    "queue/fts",      "queue/syscheck", "queue/rootcheck", "queue/diff",
    "queue/ospatrol", "queue/alerts",   paths::kAlerts,    paths::kArchives,
    paths::kFirewall, paths::kStats,    paths::kRun};

// Counted as the threads of this machine that we may run on.
size_t Processors() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 1;
  return static_cast<size_t>(std::max(CPU_COUNT(&allowed), 1));
}

// Makes a directory and gives it to the daemon. Its parent may belong to the daemon, so the new
// directory is given away by what was opened, never by name: a name may have become a link.
void MakeOwned(const std::filesystem::path& directory, const daemon::Identity& owner) {
  if (::mkdir(directory.c_str(), 0770) != 0) return;  // what is really missing fails at its use
  const base::Fd fd = base::OpenFile(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!fd || ::fchown(fd.get(), owner.uid, owner.gid) != 0) {
    throw Error(fmt::format("{}: cannot give it to uid {} and gid {}: {}", directory.native(),
                            owner.uid, owner.gid, base::ErrnoText(errno)));
  }
}

}  // namespace

Analysisd::Analysisd(daemon::Context& context) : context_(context), loop_(context.loop()) {}
Analysisd::~Analysisd() = default;

// --- start and reload ---

Analysisd::Settings Analysisd::Load(config::Problems& problems) const {
  const Home& home = context_.home();
  const std::filesystem::path& file = context_.options().configuration;
  Settings settings;
  settings.configuration = config::LoadConfiguration(file, product::ShownPath(file, home.prefix()),
                                                     config::Reader::kAnalysisd, problems);
  settings.internal = config::InternalOptions::Load(home, problems, context_.program().name);
  const auto schema = settings.configuration.global.json_schema;
  if (schema && *schema != config::JsonSchema::kLegacy) {
    problems.Warning(0, product::ShownPath(file, home.prefix()), 0,
                     "<global><json_schema>: only 'legacy' is available in this version",
                     "alerts.json is written in that schema");
  }
  // One run shows the faults of all files, unless there is no configuration to say which.
  if (!problems.HasErrors() || !settings.configuration.rules.rules.empty()) {
    settings.ruleset = Ruleset::Load(home, settings.configuration, settings.internal, problems);
  }
  return settings;
}

WriterOptions Analysisd::OutputOptions(const Settings& settings) const {
  const config::GlobalSection& global = settings.configuration.global;
  WriterOptions options;
  options.alerts_json = global.jsonout_output;
  options.archives = global.logall;
  options.archives_json = global.logall_json;
  options.geoip_in_json = settings.internal.Get("analysisd.geoip_jsonout") != 0;
  options.custom_format = global.custom_alert_output;
  return options;
}

size_t Analysisd::DecodeThreads(const Settings& settings) {
  const int64_t wanted = settings.internal.Get("analysisd.event_threads");
  return std::min(wanted > 0 ? static_cast<size_t>(wanted) : Processors(), kMaxThreads);
}

void Analysisd::Configure(config::Problems& problems) { settings_ = Load(problems); }

void Analysisd::Prepare() {
  MakeOwnedDirectories();
  WriteResponseList();
  CheckQueueLength();
}

// Before the chroot: /proc is not there afterwards.
void Analysisd::CheckQueueLength() const {
  constexpr const char* kLength = "/proc/sys/net/unix/max_dgram_qlen";
  constexpr int kWanted = 512;
  constexpr size_t kMaxNumber = 32;
  try {
    const auto text = base::ReadFileIfPresent(kLength, kMaxNumber);
    if (!text) return;
    const auto length = base::ParseNumber<int>(base::Trim(*text));
    if (length && *length < kWanted) log::Write<msg::kQueueShort>(*length, paths::kEventQueue);
  } catch (const Error&) {
    return;  // a system that hides it
  }
}

void Analysisd::MakeOwnedDirectories() const {
  for (const std::string_view directory : kOwnedDirectories) {
    MakeOwned(context_.home() / directory, context_.identity());
  }
}

// For execd, and for remoted, which gives it to agents.
void Analysisd::WriteResponseList() const {
  const std::filesystem::path path = context_.home() / paths::kArConf;
  const std::string content = config::BuildArConf(settings_.configuration);
  if (base::ReadFileIfPresent(path) == content) return;
  // Readable for the daemons, writable for none of them.
  base::WriteFileAtomically(path, content, kResponseListMode,
                            base::FileOwner{::geteuid(), context_.identity().gid});
}

void Analysisd::CompareResponseList() const {
  const std::filesystem::path path = context_.home() / paths::kArConf;
  if (base::ReadFileIfPresent(path) != config::BuildArConf(settings_.configuration)) {
    log::Write<msg::kResponsesNeedRestart>(paths::kArConf);
  }
}

void Analysisd::TellUnboundResponses() const {
  const auto& responses = settings_.configuration.active_responses;
  if (responses.empty()) return;
  const config::Origin& first = responses.front().origin;
  log::Write<msg::kResponsesNotBound>(first.file, first.line);
}

void Analysisd::Start() {
  const Home& home = context_.home();
  now_ = started_ = base::WallNow();
  writer_.emplace(home, OutputOptions(settings_));
  writer_->Open(now_);
  state_.emplace(home, now_);
  LimitFirstSeen();
  senders_checked_ = now_;
  engine_.emplace(settings_.ruleset, *state_);
  RestoreCorrelation();
  statistics_files_.emplace(home);
  StartStatistics();
  pipeline_.emplace(*engine_, *statistics_, *writer_, *state_,
                    PipelineOptions{.threads = DecodeThreads(settings_)});
  intake_.emplace(
      loop_, *state_,
      Intake::Hooks{[this] { return BeforePortion(); },
                    [this](const ipc::QueueMessage& message) { pipeline_->Add(message); },
                    [this] { AfterPortion(); }});
  status_file_.emplace(home / "var/run/ospatrol-analysisd.state");
  notifier_.emplace(home);
  intake_->Bind(home);
  SayStarted();
  TellUnboundResponses();
  every_second_ = loop_.Every(seconds(1), [this] { EverySecond(); });
  WatchStatus();
}

// Read once: after a crash, older counts must not come back.
void Analysisd::RestoreCorrelation() {
  const std::filesystem::path path = context_.home() / paths::kCorrelationState;
  try {
    const auto bytes = base::ReadFileIfPresent(path, kMaxCorrelationState);
    if (!bytes) return;
    if (::unlink(path.c_str()) != 0) {
      log::Write<msg::kCorrelationStateRefused>(path.native(), base::ErrnoText(errno));
    } else if (!engine_->Restore(*bytes)) {
      log::Write<msg::kCorrelationStateRefused>(path.native(), "not of this version, or damaged");
    }
  } catch (const Error& error) {
    log::Write<msg::kCorrelationStateRefused>(path.native(), error.what());
  }
}

void Analysisd::LimitFirstSeen() {
  state_->SetFirstSeenLimit(static_cast<size_t>(settings_.internal.Get("analysisd.fts_max_lines")));
}

void Analysisd::SaveCorrelation() const {
  const std::filesystem::path path = context_.home() / paths::kCorrelationState;
  try {
    base::WriteFileAtomically(path, engine_->Save(), 0640);
  } catch (const Error& error) {
    log::Write<msg::kCorrelationStateNotSaved>(path.native(), error.what());
  }
}

void Analysisd::SayStarted() {
  TellOwnEvent("ossec: Ossec started.");
  Commit();
}

void Analysisd::TellOwnEvent(std::string_view text) {
  ipc::QueueMessage message;
  message.location = "ossec-monitord";
  message.text = text;
  ++own_events_;
  pipeline_->Take(message, now_);
}

void Analysisd::StartStatistics() {
  statistics_.emplace(StatisticsOptions::From(settings_.configuration, settings_.internal),
                      settings_.ruleset->options(), *statistics_files_);
}

void Analysisd::WatchStatus() {
  status_written_ = base::MonotonicNow();
  const int64_t interval = settings_.internal.Get("analysisd.state_interval");
  every_status_.reset();
  if (interval == 0) return;
  WriteStatus();
  every_status_ = loop_.Every(seconds(interval), [this] { WriteStatus(); });
}

bool Analysisd::HaveSameStatistics(const Settings& a, const Settings& b) {
  const auto facts = [](const Settings& settings) {
    const auto options = StatisticsOptions::From(settings.configuration, settings.internal);
    const config::AlertsSection& alerts = settings.configuration.alerts;
    return std::tuple(options.percent, options.smallest, options.largest, options.level,
                      alerts.log_alert_level, alerts.email_alert_level);
  };
  return facts(a) == facts(b);
}

void Analysisd::Reload(config::Problems& problems) {
  Settings fresh = Load(problems);
  if (problems.HasErrors()) return;
  if (!Commit()) throw Error("outputs cannot be written at present; reload again when they can");
  writer_->SetOptions(OutputOptions(fresh));
  engine_->Replace(fresh.ruleset);
  const bool same_statistics = HaveSameStatistics(settings_, fresh);
  settings_ = std::move(fresh);
  LimitFirstSeen();
  if (!same_statistics) StartStatistics();  // counts of the present hour begin anew
  CompareResponseList();
  TellUnboundResponses();
  WatchStatus();
}

// --- events ---

bool Analysisd::BeforePortion() {
  now_ = base::WallNow();
  if (writer_->IsNewDay(now_)) ChangeDay();
  return !blocked_;
}

void Analysisd::AfterPortion() {
  pipeline_->Run(now_);
  if (writer_->pending().bytes() >= kGroupBytes) {
    Commit();
  } else if (!commit_soon_) {
    commit_soon_ = loop_.After(kCommitDelay, [this] { Commit(); });
  }
}

bool Analysisd::Commit() {
  commit_soon_.reset();
  if (!pipeline_->Commit()) {
    const Pipeline::Failure& failure = pipeline_->failure();
    if (failure.step == Pipeline::Step::kOutput) {
      output_error_.Write(failure.file, failure.text, writer_->pending().records());
    } else {
      store_error_.Write(failure.text);
    }
    Block();
    return false;
  }
  if (blocked_) Unblock();
  intake_->AnswerTaken();
  WakeConsumers();
  return true;
}

void Analysisd::WakeConsumers() {
  if (writer_->counters().alerts == alerts_told_) return;
  alerts_told_ = writer_->counters().alerts;
  notifier_->Notify();
}

void Analysisd::Block() {
  if (blocked_) return;
  blocked_ = true;
  blocked_since_ = base::MonotonicNow();
  waited_ = writer_->pending().records();
  intake_->Pause();
}

void Analysisd::Unblock() {
  blocked_ = false;
  log::Write<msg::kOutputWorksAgain>(waited_);
  TellGap();
}

// People who read alerts only must learn that there was a time without any.
void Analysisd::TellGap() {
  const auto time = std::chrono::duration_cast<seconds>(base::MonotonicNow() - blocked_since_);
  const Pipeline::Failure& failure = pipeline_->failure();
  const bool full = ipc::LookAtQueue(context_.home() / paths::kEventQueue) == ipc::QueueFill::kFull;
  TellOwnEvent(fmt::format(
      "ossec: Output gap: nothing was written for {} seconds: {}{}{}. Records that waited: {}. {}",
      time.count(), failure.file, failure.file.empty() ? "" : ": ", failure.text, waited_,
      full ? "The datagram queue was full: senders that do not wait have lost events."
           : "The datagram queue had room: no sender was turned away at its end."));
  // Written with the next group.
  commit_soon_ = loop_.After(kCommitDelay, [this] { Commit(); });
}

void Analysisd::ChangeDay() {
  if (!Commit()) return;
  try {
    writer_->StartDay(now_);
  } catch (const Error& error) {
    day_error_.Write(error.what());
  }
}

void Analysisd::EverySecond() {
  now_ = base::WallNow();
  if (blocked_ && !Commit()) return;
  if (writer_->IsNewDay(now_)) ChangeDay();
  if (now_ - senders_checked_ >= kSenderCheck || now_ < senders_checked_) {
    senders_checked_ = now_;
    state_->ForgetOldSenders(now_);
    if (!Commit()) return;
  }
  settings_.ruleset->lists().Refresh(context_.home(), now_);
  if (search_limits_.HasNews()) search_limits_.Tell(*settings_.ruleset, base::MonotonicNow());
  notifier_->Refresh();
  if (blocked_) return;
  try {
    if (intake_->paused()) intake_->Resume();
  } catch (const Error& error) {
    log::WriteLine(error.id(), log::Level::kError, error.what());
  }
  try {
    if (writer_->pending().records() == 0) writer_->ReopenDeleted();
  } catch (const Error& error) {
    reopen_error_.Write(error.what());
  }
}

void Analysisd::WriteStatus() {
  const auto now = base::MonotonicNow();
  Status status;
  status.intake = intake_->counters();
  status.pipeline = pipeline_->counters();
  status.written = writer_->counters();
  status.pending = writer_->pending_records();
  status.own_events = own_events_;
  status.connections = intake_->connections();
  status.started = started_;
  status.blocked = blocked_;
  status.seconds = std::chrono::duration<double>(now - status_written_).count();
  status_written_ = now;
  try {
    status_file_->Write(status, settings_.internal);
  } catch (const Error& error) {
    status_error_.Write(paths::kRun, error.what());
  }
}

// --- end ---

void Analysisd::Stop() {
  if (!intake_) return;
  every_second_.reset();
  every_status_.reset();
  if (!blocked_ && BeforePortion()) intake_->Drain(kDrainLimit);
  // Twice: a gap that has just ended is told too.
  if (Commit() && (!pipeline_->HasPending() || Commit())) {
    SaveCorrelation();
  } else {
    log::Write<msg::kStoppedUnwritten>(writer_->pending().records(), pipeline_->failure().text);
  }
  commit_soon_.reset();
  WriteStatus();
  intake_.reset();
  pipeline_.reset();
  statistics_.reset();
  statistics_files_.reset();
  engine_.reset();
  state_.reset();
  writer_.reset();
}

}  // namespace ospatrol::analysisd
