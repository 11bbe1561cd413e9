#include "agentd/manager_orders.h"

#include <malloc.h>

#include <cerrno>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "secure/control_message.h"
#include "secure/merged_file.h"

namespace ospatrol::agentd {
namespace {

constexpr int kExecdWaitMs = 50;  // a full queue of execd must not keep the channel waiting
constexpr mode_t kScanMode = 0660;
constexpr std::string_view kRestart = "restart-ossec0 - null (from_the_server) (no_rule_id)";

}  // namespace

ManagerOrders::ManagerOrders(const Home& home, SharedFiles& files, Settings settings, Hooks hooks)
    : home_(home),
      files_(files),
      settings_(settings),
      hooks_(std::move(hooks)),
      execd_(home / paths::kExecQueue) {}

std::string ManagerOrders::Execute(std::string_view response) {
  if (!settings_.responses) {
    refused_.Write("responses are disabled (disable-active-response)");
    return "responses are disabled on this agent";
  }
  // execd may have been restarted: one more try with a new connection.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (!execd_.IsConnected() && !execd_.Connect()) {
      const std::string reason = base::ErrnoText(errno);
      no_queue_.Write((home_ / paths::kExecQueue).native(), reason);
      return "execd does not run: " + reason;
    }
    const auto status = execd_.Send(response, kExecdWaitMs);
    if (status == ipc::DatagramSender::Status::kSent) return {};
    if (status == ipc::DatagramSender::Status::kFull) {
      refused_.Write("the queue of ospatrol-execd is full");
      return "the queue of execd is full";
    }
  }
  refused_.Write("ospatrol-execd does not run");
  return "execd does not run";
}

std::string ManagerOrders::RequestScan() {
  const std::filesystem::path path = home_ / paths::kScanRequest;
  try {
    base::WriteFileAtomically(path, path.native() + "\n", kScanMode);
    return {};
  } catch (const Error& error) {
    log::Write<msg::kScanNotRequested>(path.native(), error.what());
    return error.what();
  }
}

// ---- files ----

void ManagerOrders::FileBegins(std::string_view name, std::string_view md5) {
  transfer_ = Transfer{std::string(name), std::string(md5), {}};
}

bool ManagerOrders::FileContent(std::string_view bytes) {
  if (!transfer_) return false;
  if (transfer_->content.size() + bytes.size() > secure::kMaxMergedFile) {
    transfer_.reset();
    return false;
  }
  transfer_->content.append(bytes);
  return true;
}

std::string ManagerOrders::FileEnds(const std::string& server) {
  if (!transfer_) return "no file is open";
  const Transfer transfer = *std::exchange(transfer_, std::nullopt);
  if (!transfer.md5.empty() && base::Md5Hex(transfer.content) != transfer.md5) {
    transfer_failed_.Write(transfer.name, server, "its sum is wrong");
    return "its sum is wrong";
  }
  std::string reason = Install(transfer, server);
  ::malloc_trim(0);  // a rare event that takes several times the size of the files
  return reason;
}

std::string ManagerOrders::Install(const Transfer& transfer, const std::string& server) {
  const std::string md5 = base::Md5Hex(transfer.content);
  const SharedFiles::Verdict verdict = files_.Install(transfer.name, transfer.content);
  hooks_.files_changed();
  if (!verdict.accepted) {
    if (refused_md5_ != md5) {
      refused_md5_ = md5;
      log::Write<msg::kSharedRefused>(server, verdict.reason);
      hooks_.report("ossec: Shared files of the manager refused: " + verdict.reason);
    }
    return verdict.reason;
  }
  refused_md5_.clear();
  log::Write<msg::kSharedReceived>(server, verdict.files, md5);
  if (verdict.agent_conf_changed && settings_.auto_restart) {
    log::Write<msg::kAgentConfRestart>();
    Execute(kRestart);
  } else if (verdict.agent_conf_changed) {
    log::Write<msg::kAgentConfChanged>();
  }
  return {};
}

}  // namespace ospatrol::agentd
