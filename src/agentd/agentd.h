// The daemon: local events into the spool, the spool to a manager, what the manager sends to where
// it belongs.
//
// One thread, one loop, and no timer that runs while nothing happens but the keep-alive: what must
// be written soon (spool, counters) arms a timer of one second.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "agentd/connection.h"
#include "agentd/local_intake.h"
#include "agentd/manager_orders.h"
#include "agentd/shared_files.h"
#include "agentd/spool.h"
#include "agentd/tamper_watch.h"
#include "agentd/uplink.h"
#include "agentd/wait_lock.h"
#include "config/sections.h"
#include "daemon/daemon.h"
#include "daemon/resolver.h"
#include "secure/keys_file.h"

namespace ospatrol::agentd {

class Agentd final : public daemon::Daemon {
 public:
  explicit Agentd(daemon::Context& context) : context_(context) {}

  void Configure(config::Problems& problems) override;
  void Prepare() override;
  void Start() override;
  void Reload(config::Problems& problems) override;
  void Stop() override;

 private:
  struct Settings {
    config::ClientSection client;
    secure::AgentKey key;
    int64_t return_every_ms = 0;
    bool verify_counters = true;
  };
  Settings Load(config::Problems& problems) const;
  void LoadUserNames();

  void OpenStores();
  void OpenChannel();
  void WriteIdentity() const;
  // Has what a connection was opened with not changed?
  static bool HaveSameChannel(const Settings& a, const Settings& b);
  void Apply(Settings settings);

  void Stored(bool urgent);
  void SpoolRefused(Spool::Outcome outcome);
  void TryAgain();
  void Report(const std::string& text);
  void TellStart();
  std::string IntegrityMessage(std::string_view file) const;
  std::string AgentText() const;  // "'name->address'"
  void SettleSoon();
  void Settle();
  void TellLosses();
  void TellLossesNow();  // although it was done less than a minute ago
  void LookForNewKey();
  void WriteState() const;

  daemon::Context& context_;
  Settings settings_;
  std::string prefix_;  // as it is outside the chroot
  std::map<unsigned, std::string> user_names_;
  std::unique_ptr<daemon::Resolver> resolver_;

  std::optional<secure::KeysWatch> keys_watch_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<WaitLock> wait_lock_;
  std::unique_ptr<SharedFiles> files_;
  std::unique_ptr<ManagerOrders> orders_;
  std::unique_ptr<secure::ChannelState> state_;
  std::unique_ptr<secure::SenderCounter> counter_;
  std::unique_ptr<secure::ReceiveCounters> received_;
  std::unique_ptr<secure::CipherEngine> engine_;
  std::unique_ptr<ChannelContext> channel_;
  std::unique_ptr<Uplink> uplink_;
  std::unique_ptr<LocalIntake> intake_;
  std::unique_ptr<TamperWatch> tamper_watch_;

  bool added_posted_ = false, added_urgent_ = false;
  uint64_t losses_told_ = 0;
  int64_t losses_told_ms_ = 0;
  base::Seconds started_ = 0;
  daemon::EventLoop::Registration settle_, try_again_, state_timer_;
};

}  // namespace ospatrol::agentd
