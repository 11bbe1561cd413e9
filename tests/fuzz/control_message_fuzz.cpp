// libraries: secure
// under test: shared/secure/control_message.cpp shared/secure/relay_request.cpp
// shared/secure/agent_info.cpp Messages beside events, requests to agents and agent-info files: any
// bytes are read without reading beyond them, and what was understood is written again the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "secure/agent_info.h"
#include "secure/control_message.h"
#include "secure/merged_file.h"
#include "secure/relay_request.h"

namespace {

using namespace ospatrol::secure;

void FromAgent(std::string_view text) {
  const auto keep_alive = ParseKeepAlive(text);
  if (!keep_alive) return;
  if (ClassifyFromAgent(text) != AgentMessage::kKeepAlive) std::abort();
  const std::string written = FormatKeepAlive({.uname = keep_alive->uname,
                                               .agent_conf_md5 = keep_alive->agent_conf_md5,
                                               .merged_md5 = keep_alive->SumOf(kMergedName),
                                               .offers_v2 = keep_alive->offers_v2,
                                               .filler = text});
  if (written.size() > kMaxKeepAlive) std::abort();
  const auto again = ParseKeepAlive(written);
  // A uname that reads like one of our own messages is no keep-alive any more.
  if (!again) return;
  if (again->offers_v2 != keep_alive->offers_v2) std::abort();
}

void FromManager(std::string_view text) {
  const ManagerMessage message = ParseFromManager(text);
  if (message.kind == ManagerMessage::Kind::kUpFile) {
    if (message.md5.size() != 32 || message.name.empty()) std::abort();
    const std::string written = FormatUpFile(message.md5, message.name);
    if (ParseFromManager(written).name != message.name) std::abort();
  }
  if (message.kind == ManagerMessage::Kind::kExecd && FormatExecd(message.text) != text) {
    std::abort();
  }
  std::string joined;
  for (const std::string_view chunk : FileChunks(text, 1 + text.size() % 7)) {
    if (IsControl(chunk) || chunk.empty()) std::abort();
    joined += chunk;
  }
  if (joined != text) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  FromAgent(text);
  FromManager(text);
  if (const auto request = ParseRelayRequest(text)) {
    if (request->payload.empty() || request->Message().size() > size + 8) std::abort();
  }
  const AgentInfo info = ParseAgentInfo(text);
  if (ParseAgentInfo(FormatAgentInfo(info.first_line, "aes")).first_line != info.first_line) {
    std::abort();
  }
  return 0;
}
