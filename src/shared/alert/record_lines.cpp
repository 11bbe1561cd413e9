#include "alert/record_lines.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace ospatrol::alert {
namespace {

constexpr std::array kHeaderLines{kRecordStart, kRule,        kSrcIp,   kSrcLocation, kSrcPort,
                                  kDstIp,       kDstLocation, kDstPort, kUser};
constexpr std::array kIntegrityLines{kOldMd5,    kNewMd5, kOldSha1, kNewSha1,    kOldSha256,
                                     kNewSha256, kSize,   kOwner,   kGroupOwner, kPermissions};

// With which bytes the lines begin: most texts are told apart by their first one.
template <typename Prefixes>
constexpr std::array<bool, 256> FirstBytes(const Prefixes& prefixes) {
  std::array<bool, 256> first{};
  for (const std::string_view prefix : prefixes) first[static_cast<uint8_t>(prefix[0])] = true;
  return first;
}
constexpr std::array<bool, 256> kHeaderBytes = FirstBytes(kHeaderLines);
constexpr std::array<bool, 256> kIntegrityBytes = FirstBytes(kIntegrityLines);

template <typename Prefixes>
bool StartsWithAny(std::string_view line, const std::array<bool, 256>& first_bytes,
                   const Prefixes& prefixes) {
  if (line.empty() || !first_bytes[static_cast<uint8_t>(line[0])]) return false;
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [line](std::string_view prefix) { return line.starts_with(prefix); });
}

}  // namespace

bool IsHeaderLine(std::string_view line) { return StartsWithAny(line, kHeaderBytes, kHeaderLines); }

bool IsIntegrityLine(std::string_view line) {
  return StartsWithAny(line, kIntegrityBytes, kIntegrityLines);
}

}  // namespace ospatrol::alert
