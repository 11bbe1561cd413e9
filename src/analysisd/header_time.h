// Time stamps at the front of log lines (rules-and-decoders 1.4). The time itself is never used:
// events count by the time of their receipt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ospatrol::analysisd {

enum class HeaderFamily : uint8_t {
  kNone,      // nothing recognised
  kTimeOnly,  // the rest is the message
  kSyslog,    // host and program follow
  kAsl,       // macOS: "[Key value]" groups follow
};

struct HeaderTime {
  HeaderFamily family = HeaderFamily::kNone;
  size_t skip = 0;  // bytes of the time stamp and what belongs to it
};

// The first form that fits. Only fixed positions are looked at, as users' decoders expect: "xyz 29
// 10:00:01 h" is a syslog header.
HeaderTime RecognizeHeader(std::string_view text);

// Length of an RFC 3339 time with zone ("2007-06-14T15:48:55.123456789Z", "...-04:00") at the
// front; 0 = there is none.
size_t IsoTimeLength(std::string_view text);

}  // namespace ospatrol::analysisd
