// libraries: ipc
// under test: shared/ipc/queue_message.cpp
// Messages of the local queue: any bytes parse or are refused; what parses can be formatted and
// parsed again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ipc/queue_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ospatrol::ipc;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto message = ParseQueueMessage(bytes);
  const auto lies_inside = [&](std::string_view part) {
    return part.data() >= bytes.data() && part.data() + part.size() <= bytes.data() + bytes.size();
  };
  if (message && (!lies_inside(message->location) || !lies_inside(message->text))) std::abort();

  const std::string_view location = bytes.substr(0, size / 2);
  const std::string_view text = bytes.substr(size / 2);
  const std::string formatted = FormatQueueMessage(Kind::kLog, location, text);
  if (formatted.size() > kMaxMessage) std::abort();
  if (formatted.find('\0') != std::string::npos || formatted.size() == kMaxMessage) return 0;
  MessageFault fault{};
  const auto again = ParseQueueMessage(formatted, &fault);
  if (again ? again->text != text : fault == MessageFault::kNoSeparator) std::abort();
  return 0;
}
