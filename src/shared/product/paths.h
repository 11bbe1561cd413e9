// Every path below the install prefix, relative to it (configuration-and-operation 1.2, 1.3, 1.6).
// Resolve one with Home: `home / paths::kConfiguration`.
#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

namespace ospatrol {

// The install prefix as this process sees it: "/var/ospatrol" outside, "/" after chroot.
class Home {
 public:
  explicit Home(std::filesystem::path prefix) : prefix_(std::move(prefix)) {}

  const std::filesystem::path& prefix() const { return prefix_; }
  std::filesystem::path operator/(std::string_view relative) const { return prefix_ / relative; }

 private:
  std::filesystem::path prefix_;
};

namespace paths {

inline constexpr std::string_view kConfiguration = "etc/ospatrol.conf";
inline constexpr std::string_view kInternalOptions = "etc/internal_options.conf";
inline constexpr std::string_view kLocalInternalOptions = "etc/local_internal_options.conf";
inline constexpr std::string_view kDecoders = "etc/decoder.xml";
inline constexpr std::string_view kLocalDecoders = "etc/local_decoder.xml";
inline constexpr std::string_view kArConf = "etc/shared/ar.conf";
inline constexpr std::string_view kAgentConf = "etc/shared/agent.conf";
inline constexpr std::string_view kShared = "etc/shared";
inline constexpr std::string_view kMergedFile = "etc/shared/merged.mg";
inline constexpr std::string_view kClientKeys = "etc/client.keys";
inline constexpr std::string_view kClientKeysLock = "var/run/client.keys.lock";
inline constexpr std::string_view kV2Only = "etc/v2-only";
inline constexpr std::string_view kAuthdPassword = "etc/authd.pass";
inline constexpr std::string_view kAuthdCertificate = "etc/sslmanager.cert";
inline constexpr std::string_view kAuthdKey = "etc/sslmanager.key";
inline constexpr std::string_view kInit = "etc/ospatrol-init.conf";
inline constexpr std::string_view kLocalTime = "etc/localtime";
inline constexpr std::string_view kRules = "rules";
inline constexpr std::string_view kBin = "bin";
inline constexpr std::string_view kActiveResponseBin = "active-response/bin";

inline constexpr std::string_view kLog = "logs/ospatrol.log";
inline constexpr std::string_view kAlerts = "logs/alerts";
inline constexpr std::string_view kArchives = "logs/archives";
inline constexpr std::string_view kFirewall = "logs/firewall";

inline constexpr std::string_view kEventQueue = "queue/ospatrol/queue";
inline constexpr std::string_view kEventStream = "queue/ospatrol/stream";
inline constexpr std::string_view kWaitLock = "queue/ospatrol/.wait";
inline constexpr std::string_view kAgentIdentity = "queue/ospatrol/.agent_info";
inline constexpr std::string_view kWatchedAgents = "queue/ospatrol/.monitord_agents";
inline constexpr std::string_view kExecQueue = "queue/alerts/execq";
inline constexpr std::string_view kResponseQueue = "queue/alerts/ar";
inline constexpr std::string_view kAgentInfo = "queue/agent-info";
inline constexpr std::string_view kCounters = "queue/rids";
inline constexpr std::string_view kChannelState = "queue/rids/state.db";
inline constexpr std::string_view kSpool = "queue/spool";
inline constexpr std::string_view kExecdState = "queue/execd";
inline constexpr std::string_view kFtsDatabase = "queue/fts/fts.db";
inline constexpr std::string_view kFtsQueue = "queue/fts/fts-queue";        // imported once
inline constexpr std::string_view kIgnoreQueue = "queue/fts/ig-queue";      // imported once
inline constexpr std::string_view kCorrelationState = "queue/fts/correlation.state";
inline constexpr std::string_view kDiff = "queue/diff";
inline constexpr std::string_view kCollectorState = "queue/logcollector/state.db";

inline constexpr std::string_view kBackupAgents = "backup/agents";
inline constexpr std::string_view kRun = "var/run";
inline constexpr std::string_view kScanRequest = "var/run/.syscheck_run";
inline constexpr std::string_view kStats = "stats";

}  // namespace paths
}  // namespace ospatrol
