// libraries: ipc
// under test: shared/ipc/frame.cpp
// Frames of the stream: any bytes parse or are refused with a reason; what parses can be built
// again byte for byte.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ipc/frame.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ospatrol::ipc;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Frame frame;
  std::string reason;
  if (!ParseFrame(bytes, frame, reason)) {
    if (reason.empty()) std::abort();
    uint64_t number = 0;
    if (ParseAnswer(bytes, number) && FormatAnswer(number) != bytes) std::abort();
    return 0;
  }
  FrameBuilder builder;
  for (const Group& group : frame.groups) {
    uint64_t number = group.first;
    for (const std::string_view event : group.events) {
      if (!builder.Add(group.sender, number++, event)) std::abort();
    }
  }
  // Neighbouring groups that continue each other are joined by the builder: never longer, same
  // events.
  Frame again;
  const std::string rebuilt(builder.Finish(frame.number));
  if (rebuilt.size() > size || !ParseFrame(rebuilt, again, reason)) std::abort();
  return 0;
}
