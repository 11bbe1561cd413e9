#include "alert/record_lines.h"

#include <algorithm>
#include <array>

namespace ospatrol::alert {
namespace {

constexpr std::array kHeaderLines{kRecordStart, kRule,        kSrcIp,   kSrcLocation, kSrcPort,
                                  kDstIp,       kDstLocation, kDstPort, kUser};
constexpr std::array kIntegrityLines{kOldMd5,    kNewMd5, kOldSha1, kNewSha1,    kOldSha256,
                                     kNewSha256, kSize,   kOwner,   kGroupOwner, kPermissions};

template <typename Prefixes>
bool StartsWithAny(std::string_view line, const Prefixes& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [line](std::string_view prefix) { return line.starts_with(prefix); });
}

}  // namespace

bool IsHeaderLine(std::string_view line) { return StartsWithAny(line, kHeaderLines); }

bool IsIntegrityLine(std::string_view line) { return StartsWithAny(line, kIntegrityLines); }

}  // namespace ospatrol::alert
