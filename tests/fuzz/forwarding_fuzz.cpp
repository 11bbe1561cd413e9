// libraries: remoted
// under test: remoted/forwarding.cpp
// What agents and syslog senders say: any bytes become an event that names its origin and nobody
// else's, or nothing.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ipc/queue_message.h"
#include "remoted/forwarding.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ospatrol::remoted;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string out = "before";
  if (AppendAgentEvent({"001", "web01", "2001:db8::5"}, bytes, out) == Forwarding::kForwarded) {
    const std::string event = out.substr(6);
    if (event.size() > ospatrol::ipc::kMaxMessage) std::abort();
    const auto message = ospatrol::ipc::ParseQueueMessage(event);
    if (!message || message->agent_id != "001") std::abort();
    if (!message->location.starts_with("(web01) 2001:db8::5->")) std::abort();
    if (ForDatagramQueue(event).size() > kMaxDatagramEvent) std::abort();
  } else if (out != "before") {
    std::abort();
  }
  out.clear();
  if (AppendSyslogEvent("2001:db8::9", bytes, out)) {
    const auto message = ospatrol::ipc::ParseQueueMessage(out);
    if (!message || message->location != "2001:db8::9" || message->text.empty()) std::abort();
  }
  ForDatagramQueue(bytes);
  return 0;
}
