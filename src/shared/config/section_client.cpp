// <client> (configuration-and-operation 3.11): the managers of this agent, and how it speaks to
// them.
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

constexpr int kDefaultNotifyTime = 600;      // seconds
constexpr int kDefaultTimeReconnect = 1800;  // seconds
constexpr int kMostSeconds = 7 * 24 * 3600;
constexpr size_t kLongestHostName = 253;

using C = ClientSection;

void ServerIp(const Option& option, ClientSection& client) {
  if (auto address = AddressValue(option)) {
    client.servers.push_back({.name = std::move(*address), .is_address = true});
  }
}

void ServerHostname(const Option& option, ClientSection& client) {
  const std::string_view name = option.trimmed();
  const bool plain = std::ranges::all_of(name, [](char c) {
    return base::IsAlnum(c) || c == '.' || c == '-' || c == '_' || c == ':';
  });
  if (name.empty() || name.size() > kLongestHostName || !plain) {
    return option.Invalid("the host name of a manager");
  }
  client.servers.push_back({.name = std::string(name), .is_address = false});
}

void LocalIp(const Option& option, ClientSection& client) {
  if (auto address = AddressValue(option)) client.local_ip = std::move(*address);
}

// 0 means the default.
template <auto Member, int kDefault>
void SecondsOrDefault(const Option& option, ClientSection& client) {
  const auto value = NumberValue(option, 0, kMostSeconds);
  if (value) client.*Member = *value == 0 ? kDefault : static_cast<int>(*value);
}

void CryptoMethod(const Option& option, ClientSection& client) {
  static constexpr std::array<std::string_view, 3> kWords{"auto", "aes", "blowfish"};
  static constexpr std::array kValues{ClientCipher::kAuto, ClientCipher::kAes,
                                      ClientCipher::kBlowfish};
  if (const auto index = WordValue(option, kWords)) client.crypto_method = kValues[*index];
}

void ProtocolWord(const Option& option, ClientSection& client) {
  static constexpr std::array<std::string_view, 3> kWords{"auto", "v1", "v2"};
  static constexpr std::array kValues{ClientProtocol::kAuto, ClientProtocol::kV1,
                                      ClientProtocol::kV2};
  if (const auto index = WordValue(option, kWords)) client.protocol = kValues[*index];
}

void SpoolFull(const Option& option, ClientSection& client) {
  static constexpr std::array<std::string_view, 2> kWords{"wait", "drop_oldest"};
  if (const auto index = WordValue(option, kWords)) client.spool_drop_oldest = *index == 1;
}

constexpr OptionRow<ClientSection> kOptions[] = {
    {"server-ip", ServerIp},
    {"server-hostname", ServerHostname},
    {"port", Number<&C::port, 1, 65535>},
    {"local_ip", LocalIp},
    {"notify_time", SecondsOrDefault<&C::notify_time, kDefaultNotifyTime>},
    {"time-reconnect", SecondsOrDefault<&C::time_reconnect, kDefaultTimeReconnect>},
    {"config-profile", String<&C::profile>},
    {"disable-active-response", YesNo<&C::disable_active_response>},
    {"crypto_method", CryptoMethod},
    {"protocol", ProtocolWord},
    {"spool_size", Number<&C::spool_size, 4, 1 << 20>},
    {"spool_full", SpoolFull},
    {"repeat_unacknowledged", YesNo<&C::repeat_unacknowledged>},
    {"auto_restart", YesNo<&C::auto_restart>},
    {"restore_shared_files", YesNo<&C::restore_shared_files>},
};

}  // namespace

void ReadClient(const SectionContext& context) {
  ClientSection& client = context.configuration.client;
  // A second section adds servers; times and cipher begin at their defaults again (3.2).
  client.notify_time = kDefaultNotifyTime;
  client.time_reconnect = kDefaultTimeReconnect;
  client.crypto_method = ClientCipher::kAuto;
  ReadOptions({context.section, context.file, context.problems}, kOptions, client);
  if (client.time_reconnect <= client.notify_time) {
    client.time_reconnect = 3 * client.notify_time;
    context.problems.Info(
        msg::kReconnectTime.id, context.file, context.section.line,
        fmt::format("<client><time-reconnect> is not above <notify_time>, {} s are used",
                    client.time_reconnect),
        "give a larger one");
  }
}

void CheckClient(const Configuration& configuration, std::string_view file, Problems& problems) {
  if (!configuration.client.servers.empty()) return;
  problems.Error(msg::kNoServer.id, file, 0, "<client> names no manager",
                 "add <server-ip> or <server-hostname>");
}

}  // namespace ospatrol::config
