// <global> (configuration-and-operation 3.4). The order of options does not matter.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/option.h"
#include "config/registry.h"
#include "config/show.h"
#include "log/messages.h"

namespace ospatrol::config {
namespace {

constexpr int kLeastMemorySize = 2048;  // smaller values are raised silently
constexpr int kMostMemorySize = 10'000'000;

#ifdef OSPATROL_HAVE_GEOIP
constexpr bool kHaveGeoIp = true;
#else
constexpr bool kHaveGeoIp = false;
#endif

bool IsMailNameByte(char c) { return base::IsAlnum(c) || c == '.' || c == '_' || c == '-'; }

// name@domain anywhere: "Ann <ann@example.com>" is an address, too.
bool ContainsMailAddress(std::string_view text) {
  for (size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    if (at > 0 && at + 1 < text.size() && IsMailNameByte(text[at - 1]) &&
        IsMailNameByte(text[at + 1])) {
      return true;
    }
  }
  return false;
}

bool LooksLikeNetwork(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const char lower = base::ToLower(c);
    return base::IsDigit(c) || c == '.' || c == ':' || c == '/' || c == '!' ||
           (lower >= 'a' && lower <= 'f');
  });
}

void EmailTo(const Option& option, GlobalSection& global) {
  const std::string address = DecodeEntities(option.raw());
  if (ContainsMailAddress(address)) {
    global.email_to.push_back(address);
    return;
  }
  option.Error(msg::kMailAddress, fmt::format("'{}' is no mail address", Show(address)),
               "expected name@domain");
}

void NeverBlock(const Option& option, GlobalSection& global) {
  const std::string_view text = option.trimmed();
  if (text.empty()) return option.Invalid("an address, a network such as 192.0.2.0/24, or a name");
  if (const auto network = pattern::IpNetwork::Parse(text)) {
    global.never_block.Add(*network);
    return;
  }
  if (LooksLikeNetwork(text)) {
    option.Warn(
        msg::kLikelyMistake,
        fmt::format("'{}' is no address or network and is taken as a host name", Show(text)),
        "write a network as in 192.0.2.0/24 or 2001:db8::/32");
  }
  global.never_block_hosts.emplace_back(text);
}

void MemorySize(const Option& option, GlobalSection& global) {
  if (const auto value = NumberValue(option, 0, kMostMemorySize)) {
    global.memory_size = std::max(static_cast<int>(*value), kLeastMemorySize);
  }
}

void ReadJsonSchema(const Option& option, GlobalSection& global) {
  static constexpr std::array<std::string_view, 4> kWords{"legacy", "wazuh", "ecs", "both"};
  static constexpr std::array kValues{JsonSchema::kLegacy, JsonSchema::kWazuh, JsonSchema::kEcs,
                                      JsonSchema::kBoth};
  if (const auto index = WordValue(option, kWords)) global.json_schema = kValues[*index];
}

void ReadSmtpTls(const Option& option, GlobalSection& global) {
  static constexpr std::array<std::string_view, 3> kWords{"none", "opportunistic", "required"};
  static constexpr std::array kValues{SmtpTls::kNone, SmtpTls::kOpportunistic, SmtpTls::kRequired};
  if (const auto index = WordValue(option, kWords)) global.smtp_tls = kValues[*index];
}

void GeoIpDatabase(const Option& option, GlobalSection& global) {
  if (!kHaveGeoIp) return WarnNotBuilt(option, "GeoIP support");
  if (auto path = TextValue(option, "the path of a GeoIP database")) {
    global.geoipdb = std::move(*path);
  }
}

void UnusedLevel(const Option& option, GlobalSection& /*global*/) {
  if (NumberValue(option, 0, 255)) WarnNoEffect(option);
}

void Prelude(const Option& option, GlobalSection& /*global*/) {
  WarnNotBuilt(option, "Prelude output");
}

void ZeroMq(const Option& option, GlobalSection& /*global*/) {
  WarnNotBuilt(option, "ZeroMQ output");
}

void Md5AllowList(const Option& option, GlobalSection& /*global*/) {
  WarnNotBuilt(option, "MD5 allow list");
}

using G = GlobalSection;

constexpr OptionRow<GlobalSection> kOptions[] = {
    {"email_notification", YesNo<&G::email_notification>},
    {"email_to", EmailTo},
    {"email_from", Decoded<&G::email_from>},
    {"email_reply_to", Decoded<&G::email_reply_to>},
    {"email_idsname", Decoded<&G::email_idsname>},
    {"email_maxperhour", Number<&G::email_maxperhour, 1, 9999>},
    {"smtp_server", String<&G::smtp_server>},
    {"helo_server", String<&G::helo_server>},
    {"smtp_port", Number<&G::smtp_port, 1, 65535>},
    {"smtp_user", Decoded<&G::smtp_user>},
    {"smtp_password", Decoded<&G::smtp_password>},
    {"auth_smtp", YesNo<&G::auth_smtp>},
    {"secure_smtp", YesNo<&G::secure_smtp>},
    {"smtp_tls", ReadSmtpTls},
    {"smtp_tls_verify", YesNo<&G::smtp_tls_verify>},
    {"logall", YesNo<&G::logall>},
    {"logall_json", YesNo<&G::logall_json>},
    {"jsonout_output", YesNo<&G::jsonout_output>},
    {"json_schema", ReadJsonSchema},
    {"custom_alert_output", String<&G::custom_alert_output>},
    {"stats", Number<&G::stats_level, 0, 255>},
    {"memory_size", MemorySize},
    {"white_list", NeverBlock},
    {"allow_list", NeverBlock},
    {"geoipdb", GeoIpDatabase},
    {"integrity_checking", UnusedLevel},
    {"rootkit_detection", UnusedLevel},
    {"host_information", UnusedLevel},
    {"compress_alerts", NoEffect},
    {"geoip_db_path", NoEffect},
    {"geoip6_db_path", NoEffect},
    {"picviz_output", NoEffect},
    {"picviz_socket", NoEffect},
    {"prelude_output", Prelude},
    {"prelude_profile", Prelude},
    {"prelude_log_level", Prelude},
    {"zeromq_output", ZeroMq},
    {"zeromq_uri", ZeroMq},
    {"zeromq_server_cert", ZeroMq},
    {"zeromq_client_cert", ZeroMq},
    {"md5_allowlist", Md5AllowList},
    {"md5_whitelist", Md5AllowList},
};

}  // namespace

void ReadGlobal(const SectionContext& context) {
  ReadOptions({context.section, context.file, context.problems}, kOptions,
              context.configuration.global);
}

void CheckGlobal(const Configuration& configuration, std::string_view file, Reader reader,
                 Problems& problems) {
  const GlobalSection& global = configuration.global;
  if (reader != Reader::kMaild || !global.email_notification) return;
  const std::pair<bool, std::string_view> needed[] = {
      {global.email_to.empty(), "email_to"},
      {global.email_from.empty(), "email_from"},
      {global.smtp_server.empty(), "smtp_server"},
  };
  for (const auto& [missing, name] : needed) {
    if (!missing) continue;
    problems.Warning(msg::kMailIncomplete.id, file, 0,
                     fmt::format("<global><{}> is missing, so no mail can be sent", name),
                     "add it, or set <email_notification> to no");
  }
  if (global.auth_smtp && (global.smtp_user.empty() || global.smtp_password.empty())) {
    problems.Error(msg::kInvalidValue.id, file, 0,
                   "<global><auth_smtp> is yes without <smtp_user> and <smtp_password>",
                   "add both, or set <auth_smtp> to no");
  }
}

}  // namespace ospatrol::config
