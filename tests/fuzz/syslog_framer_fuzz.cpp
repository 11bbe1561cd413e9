// libraries: remoted
// under test: remoted/syslog_framer.cpp
// Syslog over TCP: any bytes give messages within the limits, and the same ones however the
// connection splits them.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "remoted/syslog_framer.h"

namespace {

struct Outcome {
  std::vector<std::string> messages;
  bool fine = true;
  bool operator==(const Outcome&) const = default;
};

Outcome Feed(std::string_view bytes, size_t piece) {
  ospatrol::remoted::SyslogFramer framer;
  Outcome outcome;
  const auto sink = [&](std::string_view message) {
    if (message.empty() || message.size() > ospatrol::remoted::SyslogFramer::kMaxText) std::abort();
    outcome.messages.emplace_back(message);
  };
  while (!bytes.empty() && outcome.fine) {
    outcome.fine = framer.Feed(bytes.substr(0, piece), sink);
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  if (outcome.fine) framer.End(sink);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // The first byte chooses the size of the pieces.
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (Feed(bytes, bytes.size() + 1) != Feed(bytes, size_t{data[0]} + 1)) std::abort();
  return 0;
}
