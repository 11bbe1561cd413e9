// ospatrol-analysisd: the I/O shell around the engine. It owns the sockets, the files and the
// stores, and ties them together: portions of events come in, what they caused goes out as groups
// every few milliseconds, then senders are answered. While a file or a store cannot be written,
// nothing is read: senders keep what they have.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "alert/alert_wakeup.h"
#include "analysisd/alert_writer.h"
#include "analysisd/engine.h"
#include "analysisd/intake.h"
#include "analysisd/pipeline.h"
#include "analysisd/ruleset.h"
#include "analysisd/search_limits.h"
#include "analysisd/state_store.h"
#include "analysisd/statistics.h"
#include "analysisd/statistics_files.h"
#include "analysisd/status_file.h"
#include "config/configuration.h"
#include "config/internal_options.h"
#include "daemon/daemon.h"
#include "log/log.h"

namespace ospatrol::analysisd {

class Analysisd : public daemon::Daemon {
 public:
  explicit Analysisd(daemon::Context& context);
  ~Analysisd() override;

  void Configure(config::Problems& problems) override;
  void Prepare() override;
  void Start() override;
  void Reload(config::Problems& problems) override;
  void Stop() override;

 private:
  // All that comes from files and can be replaced by a reload.
  struct Settings {
    config::Configuration configuration;
    config::InternalOptions internal;
    std::shared_ptr<const Ruleset> ruleset;
  };
  Settings Load(config::Problems& problems) const;
  static bool HaveSameStatistics(const Settings& a, const Settings& b);
  static size_t DecodeThreads(const Settings& settings);
  WriterOptions OutputOptions(const Settings& settings) const;

  void MakeOwnedDirectories() const;
  void CheckQueueLength() const;
  void WriteResponseList() const;
  void CompareResponseList() const;
  void TellUnboundResponses() const;
  void LimitFirstSeen();
  void RestoreCorrelation();
  void SaveCorrelation() const;
  void SayStarted();
  void TellOwnEvent(std::string_view text);
  void TellGap();
  void WatchStatus();
  void StartStatistics();

  bool BeforePortion();
  void AfterPortion();
  // Everything pending to disk, then answers. False: outputs or state cannot be written, and
  // nothing is read any more.
  bool Commit();
  void WakeConsumers();
  void Block();
  void Unblock();
  void ChangeDay();
  void EverySecond();
  void WriteStatus();

  daemon::Context& context_;
  daemon::EventLoop& loop_;
  Settings settings_;

  std::optional<AlertWriter> writer_;
  std::optional<StateStore> state_;
  std::optional<Engine> engine_;
  std::optional<StatisticsFiles> statistics_files_;
  std::optional<Statistics> statistics_;
  std::optional<Pipeline> pipeline_;
  SearchLimits search_limits_;
  std::optional<Intake> intake_;
  std::optional<StatusFile> status_file_;
  std::optional<alert::AlertNotifier> notifier_;
  uint64_t alerts_told_ = 0;  // of the alerts written, those that consumers were woken for

  daemon::EventLoop::Registration every_second_, every_status_, commit_soon_;
  base::Seconds now_ = 0;  // of the portion that is being taken
  base::Seconds senders_checked_ = 0;
  std::chrono::steady_clock::time_point status_written_;
  bool blocked_ = false;
  base::Seconds started_ = 0;
  uint64_t own_events_ = 0;  // made here
  std::chrono::steady_clock::time_point blocked_since_;
  uint64_t waited_ = 0;  // records that were pending when writing first failed

  log::Limited<msg::kOutputFailed> output_error_;
  log::Limited<msg::kStoreFailed> store_error_;
  log::Limited<msg::kDayChangeFailed> day_error_;
  log::Limited<msg::kOutputGone> reopen_error_;
  log::Limited<msg::kAnalysisStateFailed> status_error_;
};

}  // namespace ospatrol::analysisd
