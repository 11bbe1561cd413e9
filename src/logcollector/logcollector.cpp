#include "logcollector/logcollector.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "config/agent_conf.h"
#include "config/configuration.h"
#include "config/internal_options.h"
#include "log/log.h"
#include "logcollector/formats.h"
#include "product/paths.h"
#include "product/shown_path.h"

namespace ospatrol::logcollector {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kKeepAliveText = "--MARK--: alive";
constexpr std::string_view kStateFile = "var/run/ospatrol-logcollector.state";
constexpr int kRoundsPerKeepAlive = 65;  // of loop_timeout, as the reference counts
constexpr milliseconds kReconnect{200};
constexpr seconds kLockedRetry{1};
constexpr seconds kTick{1};
constexpr seconds kStateInterval{5};
constexpr milliseconds kDrainAtExit{2000};

std::string_view Name(Outlet::Mode mode) {
  switch (mode) {
    case Outlet::Mode::kStream:
      return "stream";
    case Outlet::Mode::kDatagram:
      return "queue";
    default:
      return "none";
  }
}

}  // namespace

Logcollector::Settings Logcollector::Load(config::Problems& problems) const {
  const daemon::Options& options = context_.options();
  config::Configuration configuration = config::LoadConfiguration(
      options.configuration, product::ShownPath(options.configuration, options.prefix),
      config::Reader::kLogcollector, problems);
  const auto internal =
      config::InternalOptions::Load(context_.home(), problems, context_.program().name);
  config::LoadAgentConf(context_.home(), config::Reader::kLogcollector,
                        internal.Get("logcollector.remote_commands") != 0, configuration, problems);

  Settings settings;
  settings.poll = seconds(internal.Get("logcollector.loop_timeout"));
  for (config::LocalFileSection& file : configuration.localfiles) {
    if (FindFormat(file.log_format) != nullptr) {
      settings.files.push_back(std::move(file));
      continue;
    }
    problems.Warning(
        msg::kFormatNotSupported.id, file.origin.file, file.origin.line,
        fmt::format("log_format '{}' is not supported in this version of {}; the <localfile> is "
                    "skipped",
                    file.log_format, context_.program().name),
        fmt::format("supported: {}", SupportedFormats()));
  }
  return settings;
}

void Logcollector::Configure(config::Problems& problems) { settings_ = Load(problems); }

void Logcollector::Start() {
  const Home& home = context_.home();
  started_ = base::WallNow();
  store_ = std::make_unique<PositionStore>(home / paths::kCollectorState);
  notices_ = std::make_shared<Notices>(*store_);
  watcher_ = std::make_unique<FileWatcher>();
  sources_ = std::make_unique<SourceSet>(*store_, *notices_, *watcher_);
  outlet_ = std::make_unique<Outlet>(Outlet::Sockets{
      home / paths::kEventStream, home / paths::kEventQueue, home / paths::kWaitLock});
  state_file_ = std::make_unique<StateFile>(home / kStateFile);
  sources_->Configure(settings_.files, Clock::now());

  if (watcher_->fd() >= 0) {
    watcher_ready_ = context_.loop().WatchReadable(watcher_->fd(), [this] {
      watcher_->Dispatch();
      sources_->CheckNamed(Clock::now());
      Service();
    });
  }
  StartTimers();
  Connect();
  Busy();
}

// Whatever happens leads here: what has to follow it has timers then, and an idle collector has
// none but that of the next look.
void Logcollector::Busy() {
  if (!second_timer_) second_timer_ = context_.loop().After(kTick, [this] { Tick(); });
  if (state_timer_) return;
  state_timer_ = context_.loop().After(kStateInterval, [this] {
    state_timer_.reset();
    WriteState();
  });
}

void Logcollector::Tick() {
  second_timer_.reset();
  sources_->Tick(Clock::now());
  if (sources_->HasPending()) Busy();
  if (sources_->HasWork()) Service();
}

void Logcollector::StartTimers() {
  daemon::EventLoop& loop = context_.loop();
  poll_timer_ = loop.Every(settings_.poll, [this] {
    // While the receiver has only the datagram queue: its other socket may have come.
    if (outlet_->mode() == Outlet::Mode::kDatagram) Connect();
    if (sources_->Poll(Clock::now()) || notices_->HasWaiting()) Service();
  });
  keep_alive_timer_ = loop.Every(settings_.poll * kRoundsPerKeepAlive, [this] { KeepAlive(); });
}

// While there is no connection. With one, nothing wakes the process for it.
void Logcollector::ConnectSoon() {
  if (connect_again_ || outlet_->mode() != Outlet::Mode::kNone) return;
  connect_again_ = context_.loop().After(kReconnect, [this] {
    connect_again_.reset();
    Connect();
  });
}

void Logcollector::Connect() {
  if (!outlet_->Connect(Clock::now())) return ConnectSoon();
  WatchOutlet();
  sources_->Poll(Clock::now());
  Service();
}

void Logcollector::WatchOutlet() {
  outlet_readable_.reset();
  outlet_writable_.reset();
  if (outlet_->mode() != Outlet::Mode::kStream) return;
  outlet_readable_ = context_.loop().WatchReadable(outlet_->fd(), [this] { OutletReady(); });
}

void Logcollector::OutletReady() {
  Busy();
  PumpOutlet();
  if (outlet_->mode() == Outlet::Mode::kStream) Service();
}

void Logcollector::PumpOutlet() {
  if (outlet_->mode() != Outlet::Mode::kStream) return;
  if (outlet_->Pump()) {
    UpdateWriteWatch();
  } else {
    // Not here: this may be a callback of the registrations that are to go.
    context_.loop().Post([this] { Disconnected(); });
  }
}

void Logcollector::Disconnected() {
  if (outlet_->mode() == Outlet::Mode::kStream) return;  // connected again meanwhile
  Busy();
  outlet_readable_.reset();
  outlet_writable_.reset();
  ConnectSoon();
}

void Logcollector::UpdateWriteWatch() {
  if (outlet_->WantsWrite() == (outlet_writable_ != nullptr)) return;
  if (outlet_->WantsWrite()) {
    outlet_writable_ = context_.loop().WatchWritable(outlet_->fd(), [this] { OutletReady(); });
  } else {
    context_.loop().Post([this] {
      if (!outlet_->WantsWrite()) outlet_writable_.reset();
    });
  }
}

void Logcollector::Service() {
  Busy();
  if (outlet_->mode() == Outlet::Mode::kNone) return;
  const bool room = notices_->OfferTo(*outlet_) && sources_->Service(*outlet_, Clock::now());
  outlet_->Flush();
  PumpOutlet();
  // The datagram queue says only to a sender that it is gone.
  if (outlet_->mode() == Outlet::Mode::kNone) return ConnectSoon();
  // A full stream goes on with the next answer; a full datagram queue says nothing, so it is tried
  // again.
  if (!sources_->HasWork() && !notices_->HasWaiting()) return;
  if (outlet_->locked()) {
    retry_ = context_.loop().After(kLockedRetry, [this] { Service(); });
  } else if (room || outlet_->mode() == Outlet::Mode::kDatagram) {
    ServiceSoon();
  }
}

void Logcollector::ServiceSoon() {
  if (service_posted_) return;
  service_posted_ = true;
  context_.loop().Post([this] {
    service_posted_ = false;
    Service();
  });
}

void Logcollector::KeepAlive() {
  if (outlet_->mode() == Outlet::Mode::kNone) return;  // a pile of them would say nothing more
  notices_->Add(Notices::kKeepAlive, kKeepAliveText);
  Service();
}

void Logcollector::WriteState() {
  state_file_->Write({started_, Name(outlet_->mode()), outlet_->unanswered(), outlet_->events(),
                      sources_->sources()});
}

void Logcollector::Reload(config::Problems& problems) {
  config::Problems found;
  Settings settings = Load(found);
  problems.Append(found);
  if (found.HasErrors()) return;
  settings_ = std::move(settings);
  sources_->Configure(settings_.files, Clock::now());
  StartTimers();
  Service();
}

void Logcollector::Stop() {
  Drain();
  sources_->Save();
  WriteState();
}

// What is on its way can still be answered. What is not answered in time is read again at the next
// start, under the same numbers.
void Logcollector::Drain() {
  const auto deadline = Clock::now() + kDrainAtExit;
  outlet_->Flush();
  while (outlet_->mode() == Outlet::Mode::kStream && !outlet_->IsEmpty()) {
    if (!outlet_->Pump()) return;
    outlet_->Flush();
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (outlet_->IsEmpty() || left <= milliseconds(0)) return;
    pollfd ready{outlet_->fd(), POLLIN, 0};
    if (outlet_->WantsWrite()) ready.events |= POLLOUT;
    ::poll(&ready, 1, static_cast<int>(left.count()));
  }
}

}  // namespace ospatrol::logcollector
