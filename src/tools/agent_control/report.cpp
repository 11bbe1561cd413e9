#include "agent_control/report.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "product/product.h"

namespace ospatrol::agent_control {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kShownSum = 8;  // digits
constexpr std::string_view kUnknown = "Unknown";

std::string Dump(const Json& object) {
  return object.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

// "Sat Nov 21 23:26:42 2026"
std::string Time(std::optional<base::Seconds> when) {
  if (!when) return std::string(kUnknown);
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  const std::tm local = base::LocalTime(*when);
  return fmt::format("{} {} {:2} {:02}:{:02}:{:02} {}", kDays[local.tm_wday],
                     base::MonthName(local.tm_mon), local.tm_mday, local.tm_hour, local.tm_min,
                     local.tm_sec, local.tm_year + 1900);
}

std::string Short(const std::string& sum) {
  return sum.empty() ? "none" : sum.substr(0, kShownSum);
}

// ", Config: in step (1a2b3c4d)" and so on; nothing for an agent that has not told its sums.
std::string SumsTail(const ConfigurationSums& sums) {
  if (sums.received.empty() && sums.applied.empty()) return {};
  if (sums.in_step()) return fmt::format(", Config: in step ({})", Short(sums.wanted));
  return fmt::format(", Config: wanted {} received {}, agent.conf wanted {} applied {}",
                     Short(sums.wanted), Short(sums.received), Short(sums.wanted_applied),
                     Short(sums.applied));
}

Json SumsJson(const ConfigurationSums& sums) {
  return {{"wanted", sums.wanted},
          {"received", sums.received},
          {"agentConfWanted", sums.wanted_applied},
          {"agentConfApplied", sums.applied}};
}

// Behind '@', as agentless devices are named.
std::string AgentlessAddress(const std::string& name) {
  const size_t at = name.rfind('@');
  return at == std::string::npos ? "<na>" : name.substr(at + 1);
}

std::string ListText(const AgentList& list, const std::string& host, bool only_active) {
  std::string out = fmt::format("\n{} agent_control. List of available agents:\n", product::kName);
  const Maintenance own = list.ReadMaintenance(nullptr);
  out += fmt::format("   ID: 000, Name: {} (server), IP: 127.0.0.1, Active/Local{}{}\n", host,
                     own.on ? ", " : "", own.Tag());
  for (const Agent& agent : list.agents()) {
    if (only_active && agent.status != Status::kActive) continue;
    out +=
        fmt::format("   ID: {}, Name: {}, IP: {}, {}{}{}{}\n", agent.id, agent.name,
                    agent.address_text, StatusText(agent.status), agent.maintenance.on ? ", " : "",
                    agent.maintenance.Tag(), SumsTail(agent.sums));
  }
  if (only_active) return out;
  const auto devices = list.Agentless();
  if (!devices.empty()) out += "\nList of agentless devices:\n";
  for (const std::string& name : devices) {
    out += fmt::format("   ID: na, Name: {}, IP: {}, agentless\n", name, AgentlessAddress(name));
  }
  return out + "\n";
}

std::string ListCsv(const AgentList& list, const std::string& host, bool only_active) {
  std::string out = fmt::format("000,{} (server),127.0.0.1,Active/Local,{}\n", host,
                                list.ReadMaintenance(nullptr).Tag());
  for (const Agent& agent : list.agents()) {
    if (only_active && agent.status != Status::kActive) continue;
    out += fmt::format("{},{},{},{},{}\n", agent.id, agent.name, agent.address_text,
                       StatusText(agent.status), agent.maintenance.Tag());
  }
  if (only_active) return out;
  for (const std::string& name : list.Agentless()) {
    out += fmt::format("na,{},{},agentless,\n", name, AgentlessAddress(name));
  }
  return out;
}

std::string ListJson(const AgentList& list, const std::string& host, bool only_active) {
  Json response = Json::array();
  Json own = {{"id", "000"}, {"name", host}, {"ip", "127.0.0.1"}, {"status", "Active"}};
  const Maintenance own_maintenance = list.ReadMaintenance(nullptr);
  if (own_maintenance.on) own["fimMaintenance"] = own_maintenance.Tag();
  response.push_back(std::move(own));
  for (const Agent& agent : list.agents()) {
    if (only_active && agent.status != Status::kActive) continue;
    Json entry = {{"id", agent.id},
                  {"name", agent.name},
                  {"ip", agent.address_text},
                  {"status", StatusText(agent.status)}};
    if (agent.maintenance.on) entry["fimMaintenance"] = agent.maintenance.Tag();
    if (!agent.sums.received.empty()) entry["configuration"] = SumsJson(agent.sums);
    response.push_back(std::move(entry));
  }
  return Dump({{"error", 0}, {"response", response}});
}

// What a detail report is about, this machine or an agent.
struct Subject {
  std::string id, name, address, status, os, version, encryption, heard;
  Maintenance maintenance;
  ScanTimes scans;
  ConfigurationSums sums;
};

Subject Describe(const AgentList& list, const Agent* agent, const std::string& host) {
  if (agent == nullptr) {
    utsname names{};
    ::uname(&names);
    return {.id = "000",
            .name = host + " (server)",
            .address = "127.0.0.1",
            .status = "Active/Local",
            .os = fmt::format("{} {} {} {} {}", names.sysname, names.nodename, names.release,
                              names.version, names.machine),
            .version = fmt::format("{} v{}", product::kName, product::kVersion),
            .encryption = "none",
            .heard = "Not available",
            .maintenance = list.ReadMaintenance(nullptr),
            .scans = list.ScansOf(""),
            .sums = {}};
  }
  const auto or_unknown = [](const std::string& text) {
    return text.empty() ? std::string(kUnknown) : text;
  };
  return {.id = agent->id,
          .name = agent->name,
          .address = agent->address_full,
          .status = std::string(StatusText(agent->status)),
          .os = or_unknown(agent->uname),
          .version = or_unknown(agent->version),
          .encryption = agent->crypto_method.empty() ? "unknown" : agent->crypto_method,
          .heard = Time(agent->heard),
          .maintenance = agent->maintenance,
          .scans = list.ScansOf(LocationOf(*agent)),
          .sums = agent->sums};
}

std::string_view MaintenanceWord(const Maintenance& maintenance) {
  if (!maintenance.on) return "disabled";
  return maintenance.pending_end ? "Maint(pending-end)" : "enabled";
}

std::string DetailText(const Subject& subject, bool is_manager, bool with_ends) {
  std::string out = fmt::format("\n{} agent_control. Agent information:\n", product::kName);
  out += fmt::format(
      "   Agent ID:   {}{}\n   Agent Name: {}\n   IP address: {}\n   Status:     {}\n\n",
      subject.id, is_manager ? " " : "", subject.name, subject.address, subject.status);
  out += fmt::format(
      "   Operating system:    {}\n   Client version:      {}\n   Encryption:          {}\n"
      "   Last keep alive:     {}\n\n",
      subject.os, subject.version, subject.encryption, subject.heard);
  const ScanTimes& scans = subject.scans;
  if (with_ends) {
    out += fmt::format(
        "   Syscheck last started at:  {}\n   Syscheck last ended   at:  {}\n"
        "   Rootcheck last started at: {}\n   Rootcheck last ended   at: {}\n",
        Time(scans.syscheck_start), Time(scans.syscheck_end), Time(scans.rootcheck_start),
        Time(scans.rootcheck_end));
  } else {
    out += fmt::format("   Syscheck last started  at: {}\n   Rootcheck last started at: {}\n",
                       Time(scans.syscheck_start), Time(scans.rootcheck_start));
  }
  out += fmt::format("   FIM maintenance mode:  {}\n", MaintenanceWord(subject.maintenance));
  if (!is_manager && !(subject.sums.received.empty() && subject.sums.applied.empty())) {
    const ConfigurationSums& sums = subject.sums;
    const auto none = [](const std::string& sum) { return sum.empty() ? "none" : sum.c_str(); };
    out += fmt::format(
        "   Shared files wanted:   {}\n   Shared files received: {}\n"
        "   agent.conf wanted:     {}\n   agent.conf applied:    {}\n",
        none(sums.wanted), none(sums.received), none(sums.wanted_applied), none(sums.applied));
  }
  return out + "\n";
}

std::string DetailJson(const Subject& subject) {
  Json response = {{"id", subject.id},
                   {"name", subject.name},
                   {"ip", subject.address},
                   {"status", subject.status},
                   {"os", subject.os},
                   {"version", subject.version},
                   {"encryption", subject.encryption},
                   {"lastKeepAlive", subject.heard},
                   {"syscheckTime", Time(subject.scans.syscheck_start)},
                   {"syscheckEndTime", Time(subject.scans.syscheck_end)},
                   {"rootcheckTime", Time(subject.scans.rootcheck_start)},
                   {"rootcheckEndTime", Time(subject.scans.rootcheck_end)},
                   {"fimMaintenance", MaintenanceWord(subject.maintenance)}};
  if (subject.maintenance.on) {
    response["fimMaintEnabledAt"] = subject.maintenance.enabled_at;
    response["fimMaintSilentUpdates"] = subject.maintenance.silent_updates;
    response["fimMaintPendingEnd"] = subject.maintenance.pending_end;
  }
  if (!subject.sums.received.empty()) response["configuration"] = SumsJson(subject.sums);
  return Dump({{"error", 0}, {"response", response}});
}

}  // namespace

std::string ListReport(const AgentList& list, const std::string& host, bool only_active,
                       Form form) {
  switch (form) {
    case Form::kCsv:
      return ListCsv(list, host, only_active);
    case Form::kJson:
      return ListJson(list, host, only_active);
    case Form::kText:
      break;
  }
  return ListText(list, host, only_active);
}

std::string DetailReport(const AgentList& list, const Agent* agent, const std::string& host,
                         bool with_ends, Form form) {
  const Subject subject = Describe(list, agent, host);
  if (form == Form::kJson) return DetailJson(subject);
  if (form == Form::kText) return DetailText(subject, agent == nullptr, with_ends);
  return fmt::format("{},{},{},{},{},{},{},{},{},\n", subject.id, subject.name, subject.address,
                     subject.status, subject.os, subject.version, subject.heard,
                     Time(subject.scans.syscheck_start), Time(subject.scans.rootcheck_start));
}

}  // namespace ospatrol::agent_control
