#include "secure/agent_info.h"

#include <fmt/format.h>

namespace ospatrol::secure {

namespace {
constexpr std::string_view kCryptoMethod = "crypto_method";
constexpr std::string_view kVersionSeparator = " - ";
}  // namespace

AgentInfo ParseAgentInfo(std::string_view content) {
  AgentInfo info;
  info.first_line = content.substr(0, content.find('\n'));
  const size_t separator = info.first_line.find(kVersionSeparator);
  info.uname = info.first_line.substr(0, separator);
  if (separator != std::string_view::npos) {
    info.version = info.first_line.substr(separator + kVersionSeparator.size());
  }
  info.crypto_method = AgentInfoValue(content, kCryptoMethod);
  return info;
}

std::string_view AgentInfoValue(std::string_view content, std::string_view key) {
  size_t begin = content.find('\n');
  while (begin != std::string_view::npos) {
    const std::string_view rest = content.substr(begin + 1);
    const std::string_view line = rest.substr(0, rest.find('\n'));
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ':') {
      return line.substr(key.size() + 1);
    }
    begin = content.find('\n', begin + 1);
  }
  return {};
}

std::string FormatAgentInfo(std::string_view first_line, std::string_view crypto_method) {
  return fmt::format("{}\n{}:{}\n", first_line, kCryptoMethod, crypto_method);
}

std::string AgentInfoFile(const AgentKey& agent) {
  return fmt::format("{}-{}", agent.name, agent.address);
}

}  // namespace ospatrol::secure
