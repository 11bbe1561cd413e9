#include "secure/v2/header.h"

#include "secure/v2/big_endian.h"

namespace ospatrol::secure::v2 {

std::optional<Header> ParseHeader(Bytes datagram) {
  if (datagram.size() < kHeaderSize || datagram[0] != kMagic || datagram[1] != kProtocolVersion) {
    return std::nullopt;
  }
  const uint8_t type = datagram[2];
  if (type < static_cast<uint8_t>(PacketType::kHello) ||
      type > static_cast<uint8_t>(PacketType::kStale)) {
    return std::nullopt;
  }
  Header header;
  header.type = static_cast<PacketType>(type);
  header.flags = datagram[3];
  header.connection = GetNumber<uint32_t>(datagram.subspan(4));
  header.number = GetNumber<uint64_t>(datagram.subspan(8));
  return header;
}

void WriteHeader(const Header& header, MutableBytes out) {
  out[0] = kMagic;
  out[1] = kProtocolVersion;
  out[2] = static_cast<uint8_t>(header.type);
  out[3] = header.flags;
  PutNumber(out.subspan(4), header.connection);
  PutNumber(out.subspan(8), header.number);
}

}  // namespace ospatrol::secure::v2
