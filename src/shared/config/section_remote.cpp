// <remote> (configuration-and-operation 3.10): one listener of remoted a section.
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

constexpr int kSecurePort = 1514;
constexpr int kSyslogPort = 514;
constexpr size_t kMostListeners = 16;

struct Draft {
  RemoteListener listener;
  bool has_connection = false;
  std::optional<CryptoAccept> crypto_accept = std::nullopt;
  pattern::IpList& allowed;
  pattern::IpList& denied;
};

void Connection(const Option& option, Draft& draft) {
  static constexpr std::array<std::string_view, 2> kWords{"secure", "syslog"};
  draft.has_connection = true;
  if (const auto index = WordValue(option, kWords)) draft.listener.secure = *index == 0;
}

// udp, tcp, or both separated by a comma.
void Protocol(const Option& option, Draft& draft) {
  draft.listener.udp = draft.listener.tcp = false;
  for (const std::string_view part : base::Split(option.trimmed(), ',')) {
    const std::string word = base::ToLower(base::Trim(part));
    if (word == "udp") {
      draft.listener.udp = true;
    } else if (word == "tcp") {
      draft.listener.tcp = true;
    } else {
      return option.Invalid("udp, tcp or udp,tcp");
    }
  }
}

void LocalIp(const Option& option, Draft& draft) {
  if (auto address = AddressValue(option)) draft.listener.local_ip = std::move(*address);
}

void Ipv6(const Option& option, Draft& /*draft*/) { WarnNoEffect(option); }

void CryptoAcceptWord(const Option& option, Draft& draft) {
  static constexpr std::array<std::string_view, 5> kWords{"any", "both", "aes", "blowfish", "v2"};
  static constexpr std::array kValues{CryptoAccept::kAny, CryptoAccept::kAny, CryptoAccept::kAes,
                                      CryptoAccept::kBlowfish, CryptoAccept::kV2};
  const std::string word = base::ToLower(option.trimmed());
  const auto* const found = std::ranges::find(kWords, word);
  if (found == kWords.end()) return option.Invalid("any, both, aes, blowfish or v2");
  draft.crypto_accept = kValues[static_cast<size_t>(found - kWords.begin())];
}

void AllowedIps(const Option& option, Draft& draft) {
  if (const auto network = NetworkValue(option)) draft.allowed.Add(*network);
}

void DeniedIps(const Option& option, Draft& draft) {
  if (const auto network = NetworkValue(option)) draft.denied.Add(*network);
}

template <auto Member, int64_t kMin, int64_t kMax>
void OfListener(const Option& option, Draft& draft) {
  Number<Member, kMin, kMax>(option, draft.listener);
}

constexpr OptionRow<Draft> kOptions[] = {
    {"connection", Connection, true},
    {"port", OfListener<&RemoteListener::port, 1, 65535>, true},
    {"protocol", Protocol, true},
    {"local_ip", LocalIp, true},
    {"ipv6", Ipv6, true},
    {"crypto_accept", CryptoAcceptWord, true},
    {"allowed-ips", AllowedIps},
    {"denied-ips", DeniedIps},
    {"deny-ips", DeniedIps},
    {"allow_newer_agents", NoEffect},
    {"connection_overtake_time", NoEffect},
};

// The secure listener always has UDP: `tcp` is for agents of another family.
void Complete(const SectionContext& context, RemoteListener& listener) {
  if (listener.port == 0) listener.port = listener.secure ? kSecurePort : kSyslogPort;
  if (!listener.secure || !listener.tcp) return;
  context.problems.Warning(msg::kNoEffect.id, context.file, context.section.line,
                           "<remote><protocol>: agents are received over udp only",
                           "remove tcp; syslog listeners may have it");
  listener.udp = true;
  listener.tcp = false;
}

}  // namespace

void ReadRemote(const SectionContext& context) {
  RemoteSection& remote = context.configuration.remote;
  Draft draft{.listener = {}, .allowed = remote.allowed, .denied = remote.denied};
  draft.listener.origin = {std::string(context.file), context.section.line};
  ReadOptions({context.section, context.file, context.problems}, kOptions, draft);
  if (!draft.has_connection) {
    context.problems.Error(msg::kNoRemoteConnection.id, context.file, context.section.line,
                           "<remote> has no <connection>", "expected secure or syslog");
    return;
  }
  Complete(context, draft.listener);
  if (draft.listener.secure && remote.Secure() != nullptr) {
    context.problems.Error(
        msg::kDuplicateSecure.id, context.file, context.section.line,
        "<remote><connection>: a second secure listener",
        fmt::format("there can be one; the first is on line {}", remote.Secure()->origin.line));
    return;
  }
  if (remote.listeners.size() == kMostListeners) {
    context.problems.Error(msg::kInvalidValue.id, context.file, context.section.line,
                           fmt::format("<remote>: more than {} listeners", kMostListeners),
                           "remove this one");
    return;
  }
  // The secure section's word counts, wherever it stands; without one the last word given.
  if (draft.crypto_accept && (draft.listener.secure || remote.Secure() == nullptr)) {
    remote.crypto_accept = *draft.crypto_accept;
  }
  remote.listeners.push_back(std::move(draft.listener));
}

void CheckRemote(const Configuration& configuration, std::string_view file, Problems& problems) {
  const RemoteSection& remote = configuration.remote;
  if (!remote.allowed.empty()) return;
  for (const RemoteListener& listener : remote.listeners) {
    if (listener.secure) continue;
    problems.Warning(msg::kNoAllowedIps.id, file, listener.origin.line,
                     "<remote>: no IP or network allowed in the access list for syslog, this "
                     "listener is not started",
                     "add <allowed-ips>");
  }
}

const RemoteListener* RemoteSection::Secure() const {
  const auto found = std::ranges::find_if(listeners, &RemoteListener::secure);
  return found == listeners.end() ? nullptr : &*found;
}

}  // namespace ospatrol::config
