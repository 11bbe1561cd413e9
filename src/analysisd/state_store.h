// What the engine remembers, on disk (configuration-and-operation 1.6):
//   queue/fts/fts.db              first-time-seen lines, ignore lines, host ports, last event
//   number of each sender queue/syscheck/fim.db         integrity records and their newest history
//   queue/rootcheck/rootcheck.db  rootcheck messages with first and last time
//   queue/diff/HOST/RULE/last-entry, queue/syscheck/.LOCATION.cpt
//
// Changes are true at once for the engine and on disk after Commit(). The owner calls Commit()
// after the alerts that go with them are written and before it answers senders. The numbers of
// senders are committed last: a kill between two steps makes events come again, never vanish.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "analysisd/engine_state.h"
#include "analysisd/fim_maintenance.h"
#include "analysisd/integrity_store.h"
#include "analysisd/line_memory.h"
#include "analysisd/output_store.h"
#include "analysisd/rootcheck_store.h"
#include "base/sqlite.h"
#include "base/time.h"
#include "ipc/frame.h"
#include "log/log.h"
#include "product/paths.h"

namespace ospatrol::analysisd {

class StateStore : public EngineState {
 public:
  static constexpr base::Seconds kSenderLifetime = 30 * 86400;

  // Opens or creates all stores; takes over fts-queue, ig-queue and hostinfo once. Throws Error.
  StateStore(const Home& home, base::Seconds now);
  ~StateStore() override;

  // --- what the engine asks ---
  bool RememberFirstSeen(std::string_view line) override;
  bool KnowsFirstSeen(std::string_view line) const override;
  bool IsIgnored(std::string_view line) const override;
  void Ignore(std::string_view line) override;
  std::optional<std::string> LastOutput(std::string_view host, int rule_id) const override;
  void StoreOutput(std::string_view host, int rule_id, std::string_view output) override;
  std::optional<std::string> HostPorts(std::string_view address) const override;
  void StoreHostPorts(std::string_view address, std::string_view ports) override;
  bool RememberRootcheck(std::string_view location, std::string_view text, int64_t time) override;
  KnownFile LastFile(std::string_view location, std::string_view name) const override;
  void StoreFile(std::string_view location, std::string_view name, const FileRecord& record,
                 int64_t time) override;
  bool BaselineComplete(std::string_view location) const override;
  void SetBaselineComplete(std::string_view location) override;
  bool AcceptSilently(std::string_view location, std::string_view kind, std::string_view name,
                      int64_t time) override;

  // At most so many first-time-seen lines, 0 = all: above it the one that was used longest ago is
  // forgotten, and its next event counts as the first again.
  void SetFirstSeenLimit(size_t limit);

  // --- what the intake asks ---
  // Number of the last event of `sender` that was taken; 0 = none.
  uint64_t LastNumber(const ipc::SenderId& sender) const;
  void SetLastNumber(const ipc::SenderId& sender, uint64_t number, base::Seconds now);
  // Forgets senders that were not heard of for kSenderLifetime. On disk with the next Commit().
  void ForgetOldSenders(base::Seconds now);

  // Writes every change since the last call. False: `failure` says what went wrong, all that is
  // missing is kept and written by a later call.
  bool Commit(std::string& failure);
  bool HasChanges() const;

 private:
  struct SenderHash {
    size_t operator()(const ipc::SenderId& id) const;
  };
  struct Sender {
    uint64_t last = 0;
    base::Seconds seen = 0;
    bool changed = false;
  };
  struct Statements;

  void AddOrderOfUse();
  void Load();
  void Import(const Home& home);
  void CommitEngineState();

  base::Database database_;
  std::unique_ptr<Statements> statements_;
  LineMemory first_seen_;
  log::Limited<msg::kFirstSeenFull> first_seen_full_;
  std::unordered_set<std::string> ignored_;
  std::map<std::string, std::string, std::less<>> ports_;
  std::unordered_map<ipc::SenderId, Sender, SenderHash> senders_;

  std::vector<std::string> new_ignored_;
  std::vector<std::string> changed_ports_;  // addresses
  std::vector<ipc::SenderId> changed_senders_;
  std::optional<base::Seconds> forget_before_;

  OutputStore outputs_;
  IntegrityStore integrity_;
  RootcheckStore rootcheck_;
  FimMaintenance maintenance_;
};

}  // namespace ospatrol::analysisd
