#include "alert/json_record.h"

#include <algorithm>
#include <array>
#include <span>

#include "alert/json_rule.h"
#include "alert/time_text.h"

namespace ospatrol::alert {
namespace {

constexpr std::array<std::string_view, 31> kRecordKeys{
    "rule",         "id",         "TimeStamp",    "decoder",    "decoder_parent", "action",
    "protocol",     "srcip",      "srcgeoip",     "srcport",    "srcuser",        "dstip",
    "dstgeoip",     "dstport",    "dstuser",      "location",   "full_log",       "previous_output",
    "SyscheckFile", "hostname",   "program_name", "status",     "command",        "url",
    "data",         "systemname", "decoder_desc", "agent_name", "agentip",        "timestamp",
    "logfile"};

constexpr std::array<std::string_view, 36> kArchiveKeys{
    "program_name", "log",           "srcip",        "dstip",
    "srcport",      "dstport",       "protocol",     "action",
    "srcuser",      "dstuser",       "id",           "status",
    "command",      "url",           "data",         "systemname",
    "filename",     "md5_before",    "md5_after",    "sha1_before",
    "sha1_after",   "sha256_before", "sha256_after", "owner_before",
    "owner_after",  "gowner_before", "gowner_after", "perm_before",
    "perm_after",   "rule",          "decoder",      "full_log",
    "timestamp",    "agent_name",    "agentip",      "logfile"};

constexpr std::string_view kFields = "fields.";

// True when a dynamic field of this name would meet one of `keys`, also under the name that it then
// gets.
bool Collides(std::string_view name, std::span<const std::string_view> keys) {
  while (name.starts_with(kFields)) name.remove_prefix(kFields.size());
  return std::find(keys.begin(), keys.end(), name) != keys.end();
}

void AppendDynamicFields(const AlertView& alert, bool (*collides)(std::string_view),
                         JsonObject& object) {
  for (const auto& [name, value] : alert.dynamic_fields) {
    if (value.empty() || name.empty()) continue;
    if (collides(name)) {
      object.AnyKey(std::string(kFields).append(name));
    } else {
      object.AnyKey(name);
    }
    AppendJsonString(value, object.out());
  }
}

void AppendPair(std::string_view name, std::string_view before, std::string_view after,
                bool after_alone, JsonObject& object) {
  if (after.empty() || before == after || (before.empty() && !after_alone)) return;
  std::string key(name);
  const size_t stem = key.size();
  if (!before.empty()) object.String(key.append("_before"), before);
  key.resize(stem);
  object.String(key.append("_after"), after);
}

void AppendFileFacts(const FileChangeView& file, JsonObject& object) {
  AppendPair("md5", file.md5_before, file.md5_after, true, object);
  AppendPair("sha1", file.sha1_before, file.sha1_after, true, object);
  AppendPair("sha256", file.sha256_before, file.sha256_after, true, object);
  AppendPair("owner", file.owner_before, file.owner_after, false, object);
  AppendPair("gowner", file.gowner_before, file.gowner_after, false, object);
  if (file.perm_before > 0 && file.perm_after > 0 && file.perm_before != file.perm_after) {
    object.Number("perm_before", file.perm_before);
    object.Number("perm_after", file.perm_after);
  }
}

void AppendDecoder(std::string_view key, const DecoderFactsView& decoder, JsonObject& object) {
  object.Key(key);
  JsonObject inner(object.out());
  if (decoder.fts != 0) inner.Number("fts", decoder.fts);
  if (decoder.accumulate) inner.Number("accumulate", 1);
  inner.StringIfSet("parent", decoder.parent);
  inner.StringIfSet("name", decoder.name);
  inner.StringIfSet("ftscomment", decoder.fts_comment);
  inner.End();
}

// "(web1) 10.0.0.5->..." is web1; anything else is a host name.
std::string_view AgentName(std::string_view host) {
  if (!host.starts_with('(')) return host;
  const size_t close = host.find(')');
  return close == std::string_view::npos ? host : host.substr(1, close - 1);
}

// "(web1) 10.0.0.5->..." is 10.0.0.5; empty when it is no agent.
std::string_view AgentAddress(std::string_view location) {
  constexpr std::string_view kEnd = ") ";
  const size_t end = location.starts_with('(') ? location.find(kEnd) : std::string_view::npos;
  if (end == std::string_view::npos) return {};
  location.remove_prefix(end + kEnd.size());
  return location.substr(0, location.find('-'));
}

std::string_view LogFile(std::string_view location) {
  if (!location.starts_with('(')) return location;
  const size_t arrow = location.find('>');
  return arrow == std::string_view::npos ? location : location.substr(arrow + 1);
}

std::string_view PreviousOutput(const AlertView& alert) {
  return alert.last_events.size() > 1 ? std::string_view(alert.last_events[1]) : std::string_view();
}

}  // namespace

void AppendJsonRecord(const AlertView& alert, std::string& out) {
  thread_local RecordText record;
  record.Clear();
  JsonObject object(record);
  object.Key("rule");
  AppendJsonRule(alert, record);
  object.String("id", alert.id);
  object.Number("TimeStamp", alert.time * 1000);
  object.StringIfSet("decoder", alert.decoder.name);
  object.StringIfSet("decoder_parent", alert.decoder.parent);
  object.StringIfSet("action", alert.action);
  object.StringIfSet("protocol", alert.protocol);
  object.StringIfSet("srcip", alert.srcip);
  object.StringIfSet("srcgeoip", alert.srcgeoip);
  object.StringIfSet("srcport", alert.srcport);
  object.StringIfSet("srcuser", alert.srcuser);
  object.StringIfSet("dstip", alert.dstip);
  object.StringIfSet("dstgeoip", alert.dstgeoip);
  object.StringIfSet("dstport", alert.dstport);
  object.StringIfSet("dstuser", alert.dstuser);
  object.StringIfSet("location", alert.location);
  object.StringIfSet("full_log", alert.full_log);
  object.StringIfSet("previous_output", PreviousOutput(alert));
  if (!alert.file.path.empty()) {
    object.Key("SyscheckFile");
    JsonObject file(record);
    file.String("path", alert.file.path);
    AppendFileFacts(alert.file, file);
    file.End();
  }
  object.StringIfSet("hostname", alert.hostname);
  object.StringIfSet("program_name", alert.program_name);
  object.StringIfSet("status", alert.status);
  object.StringIfSet("command", alert.command);
  object.StringIfSet("url", alert.url);
  object.StringIfSet("data", alert.data);
  object.StringIfSet("systemname", alert.systemname);
  AppendDynamicFields(
      alert, [](std::string_view name) { return Collides(name, kRecordKeys); }, object);
  AppendDecoder("decoder_desc", alert.decoder, object);
  object.StringIfSet("agent_name", AgentName(alert.hostname));
  object.StringIfSet("agentip", AgentAddress(alert.location));
  object.String("timestamp", TimeText(alert.time));
  object.StringIfSet("logfile", LogFile(alert.location));
  object.End();
  record.Append('\n');
  out += record.view();
}

void AppendJsonArchive(const AlertView& alert, std::string_view log, std::string& out) {
  thread_local RecordText record;
  record.Clear();
  JsonObject object(record);
  object.StringIfSet("program_name", alert.program_name);
  object.StringIfSet("log", log);
  object.StringIfSet("srcip", alert.srcip);
  object.StringIfSet("dstip", alert.dstip);
  object.StringIfSet("srcport", alert.srcport);
  object.StringIfSet("dstport", alert.dstport);
  object.StringIfSet("protocol", alert.protocol);
  object.StringIfSet("action", alert.action);
  object.StringIfSet("srcuser", alert.srcuser);
  object.StringIfSet("dstuser", alert.dstuser);
  object.StringIfSet("id", alert.id_field);
  object.StringIfSet("status", alert.status);
  object.StringIfSet("command", alert.command);
  object.StringIfSet("url", alert.url);
  object.StringIfSet("data", alert.data);
  object.StringIfSet("systemname", alert.systemname);
  if (!alert.file.path.empty()) {
    object.String("filename", alert.file.path);
    AppendFileFacts(alert.file, object);
  }
  if (alert.rule.id != 0) {
    object.Key("rule");
    AppendJsonRule(alert, record);
  }
  AppendDynamicFields(
      alert, [](std::string_view name) { return Collides(name, kArchiveKeys); }, object);
  AppendDecoder("decoder", alert.decoder, object);
  object.StringIfSet("full_log", alert.full_log);
  object.String("timestamp", TimeText(alert.time));
  object.StringIfSet("agent_name", AgentName(alert.hostname));
  object.StringIfSet("agentip", AgentAddress(alert.location));
  object.StringIfSet("logfile", LogFile(alert.location));
  object.End();
  record.Append('\n');
  out += record.view();
}

}  // namespace ospatrol::alert
