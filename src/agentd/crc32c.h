// CRC-32C (Castagnoli; RFC 3720 appendix B.4): the checksum of the spool's records.
#pragma once

#include <cstdint>
#include <string_view>

namespace ospatrol::agentd {

// Of `bytes` behind what gave `before` (0 for nothing): Crc32c(a + b) == Crc32c(b, Crc32c(a)).
uint32_t Crc32c(std::string_view bytes, uint32_t before = 0);

}  // namespace ospatrol::agentd
