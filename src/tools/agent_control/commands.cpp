#include "agent_control/commands.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "base/time.h"
#include "config/internal_options.h"
#include "ipc/datagram.h"
#include "product/product.h"
#include "secure/relay_request.h"

namespace ospatrol::agent_control {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kWait = 5000;  // ms for a full queue
constexpr mode_t kRequestMode = 0640;
constexpr std::string_view kRestart = "restart-ossec0";
constexpr std::string_view kScan = "syscheck restart";
constexpr std::string_view kNoRemoted = "\n** Unable to connect to remoted.\n";

std::string ForExecd(std::string_view response, std::string_view address) {
  return fmt::format("{} - {} (from_the_server) (no_rule_id)", response, address);
}

void PrintJson(const Json& object) {
  fmt::print("{}\n", object.dump(-1, ' ', true, Json::error_handler_t::replace));
}

}  // namespace

int Commands::Succeed(const std::string& text, const std::string& json) const {
  if (form_ == Form::kJson) {
    PrintJson({{"error", 0}, {"response", json}});
  } else {
    fmt::print("\n{} agent_control: {}\n", product::kName, text);
  }
  return 0;
}

int Commands::Fail(int code, const std::string& json, const std::string& text) const {
  if (form_ == Form::kJson) {
    PrintJson({{"error", code}, {"description", json}});
    return 0;
  }
  fmt::print("{}", text);
  return 1;
}

Commands::Delivery Commands::Deliver(const std::string& request) const {
  ipc::DatagramSender queue(home_ / paths::kResponseQueue);
  if (!queue.Connect()) return Delivery::kNoRemoted;
  return queue.Send(request, kWait) == ipc::DatagramSender::Status::kSent ? Delivery::kSent
                                                                          : Delivery::kFailed;
}

// The request is not lost at once, but it will not get there as things are.
void Commands::WarnUnreachable(const Agent& agent) const {
  if (agent.status == Status::kActive) return;
  fmt::print(stderr,
             "agent_control: agent {} is not connected ({}); remoted keeps the request for a "
             "minute\n",
             agent.id, StatusText(agent.status));
}

int Commands::Restart(const Agent& agent) const {
  WarnUnreachable(agent);
  switch (Deliver(secure::FormatToolRequest(agent.id, false, ForExecd(kRestart, "null")))) {
    case Delivery::kNoRemoted:
      return Fail(45, "Unable to connect to remoted", std::string(kNoRemoted));
    case Delivery::kFailed:
      return Fail(46, "Unable to restart agent",
                  fmt::format("\n** Unable to restart agent: {}\n", agent.id));
    case Delivery::kSent:
      break;
  }
  return Succeed(fmt::format("Restarting agent: {}", agent.id), "Restarting agent");
}

bool Commands::RequestLocalScan() const {
  const std::filesystem::path file = home_ / paths::kScanRequest;
  try {
    base::WriteFileAtomically(file, "/" + std::string(paths::kScanRequest) + "\n", kRequestMode);
    return true;
  } catch (const Error& error) {
    fmt::print(stderr, "agent_control: {}\n", error.what());
    return false;
  }
}

int Commands::ScanAll() const {
  const Delivery delivery = Deliver(secure::FormatToolRequest("", true, kScan));
  if (delivery == Delivery::kNoRemoted) {
    return Fail(41, "Unable to connect to remoted", std::string(kNoRemoted));
  }
  if (delivery == Delivery::kFailed || !RequestLocalScan()) {
    return Fail(42, "Unable to restart syscheck on all agents",
                "\n** Unable to restart syscheck on all agents.\n");
  }
  return Succeed("Restarting Syscheck/Rootcheck on all agents.",
                 "Restarting Syscheck/Rootcheck on all agents");
}

int Commands::Scan(const Agent* agent) const {
  if (agent == nullptr) {
    if (!RequestLocalScan()) {
      return Fail(44, "Unable to restart syscheck locally",
                  "\n** Unable to restart syscheck locally.\n");
    }
    return Succeed("Restarting Syscheck/Rootcheck locally.",
                   "Restarting Syscheck/Rootcheck locally");
  }
  WarnUnreachable(*agent);
  switch (Deliver(secure::FormatToolRequest(agent->id, true, kScan))) {
    case Delivery::kNoRemoted:
      return Fail(43, "Unable to connect to remoted", std::string(kNoRemoted));
    case Delivery::kFailed:
      return Fail(44, "Unable to restart syscheck on agent",
                  fmt::format("\n** Unable to restart syscheck on agent: {}\n", agent->id));
    case Delivery::kSent:
      break;
  }
  return Succeed(fmt::format("Restarting Syscheck/Rootcheck on agent: {}", agent->id),
                 "Restarting Syscheck/Rootcheck on agent");
}

int Commands::Respond(const Agent& agent, const std::string& response,
                      const std::string& address) const {
  std::array<uint8_t, sizeof(in6_addr)> ignored{};
  if (::inet_pton(AF_INET, address.c_str(), ignored.data()) != 1 &&
      ::inet_pton(AF_INET6, address.c_str(), ignored.data()) != 1) {
    fmt::print("\n** Invalid IP '{}'. Expected an IPv4 or IPv6 address.\n",
               base::EscapeControls(address));
    return 1;
  }
  WarnUnreachable(agent);
  if (!std::ranges::any_of(Responses(),
                           [&](const auto& known) { return known.name == response; })) {
    fmt::print(stderr, "agent_control: '{}' is not in {}; agents ignore what they do not know\n",
               base::EscapeControls(response), paths::kArConf);
  }
  if (Deliver(secure::FormatToolRequest(agent.id, false, ForExecd(response, address))) !=
      Delivery::kSent) {
    fmt::print("{}", kNoRemoted);
    return 1;
  }
  fmt::print("\n{} agent_control: Running active response '{}' on: {}\n", product::kName, response,
             agent.id);
  return 0;
}

std::vector<Commands::Response> Commands::Responses() const {
  const std::string text = base::ReadFileIfPresent(home_ / paths::kArConf).value_or("");
  std::vector<Response> responses;
  for (const std::string_view line : base::Split(text, '\n')) {
    const size_t first = line.find(" - ");
    const size_t last = line.rfind(" - ");
    if (first == std::string_view::npos || first == last || line.starts_with(kRestart)) continue;
    responses.push_back({std::string(line.substr(0, first)),
                         std::string(line.substr(first + 3, last - first - 3))});
  }
  return responses;
}

int Commands::ListResponses() const {
  const std::vector<Response> responses = Responses();
  if (form_ == Form::kJson) {
    Json list = Json::array();
    for (const Response& response : responses) {
      list.push_back({{"name", response.name}, {"command", response.command}});
    }
    PrintJson({{"error", 0}, {"response", list}});
    return 0;
  }
  fmt::print("\n{} agent_control. Available active responses:\n", product::kName);
  for (const Response& response : responses) {
    fmt::print("\n   Response name: {}, command: {}\n", response.name, response.command);
  }
  if (responses.empty()) fmt::print("\n   No active response available.\n\n");
  return 0;
}

int Commands::Limit() const {
  config::Problems problems;
  const int64_t limit = config::InternalOptions::Load(home_, problems).Get("remoted.max_agents");
  switch (form_) {
    case Form::kText:
      fmt::print("Limit of agents: {}\n", limit);
      break;
    case Form::kCsv:
      fmt::print("{}\n", limit);
      break;
    case Form::kJson:
      PrintJson({{"error", 0}, {"data", {{"max_agents", limit}}}});
      break;
  }
  return 0;
}

int Commands::Maintain(const Agent* agent, const std::string& action) const {
  const Maintenance before = list_.ReadMaintenance(agent);
  Maintenance after = before;
  if (!after.on) after = {.on = true, .enabled_at = base::WallNow()};
  try {
    if (action == "enable") {
      list_.WriteMaintenance(agent, after);
    } else if (action == "disable") {
      list_.RemoveMaintenance(agent);
      after = {};
      fmt::print(stderr,
                 "agent_control: changes since the last scan will be reported as such now\n");
    } else if (action == "end") {
      after.pending_end = true;
      after.end_requested_at = base::WallNow();
      list_.WriteMaintenance(agent, after);
      const bool sent =
          agent == nullptr
              ? RequestLocalScan()
              : Deliver(secure::FormatToolRequest(agent->id, true, kScan)) == Delivery::kSent;
      if (!sent) {
        before.on ? list_.WriteMaintenance(agent, before) : list_.RemoveMaintenance(agent);
        return Fail(47, "Unable to deliver the scan request", std::string(kNoRemoted));
      }
    } else if (action == "status") {
      after = before;
    } else {
      return Fail(45, "Invalid maintenance action",
                  fmt::format("\n** Invalid action '{}': enable, disable, status or end.\n",
                              base::EscapeControls(action)));
    }
  } catch (const Error& error) {
    return Fail(46, "Unable to update maintenance mode", fmt::format("\n** {}\n", error.what()));
  }
  const std::string id = agent == nullptr ? "000" : agent->id;
  const std::string_view word = !after.on           ? "disabled"
                                : after.pending_end ? "Maint(pending-end)"
                                                    : "enabled";
  if (form_ == Form::kJson) {
    PrintJson({{"error", 0},
               {"response",
                {{"agent", id},
                 {"fimMaintenance", word},
                 {"action", action},
                 {"fimMaintEnabledAt", after.enabled_at},
                 {"fimMaintSilentUpdates", after.silent_updates},
                 {"fimMaintPendingEnd", after.pending_end}}}});
    return 0;
  }
  return Succeed(fmt::format("FIM maintenance mode of agent {}: {}", id, word), "");
}

}  // namespace ospatrol::agent_control
