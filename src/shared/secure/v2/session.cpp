#include "secure/v2/session.h"

namespace ospatrol::secure::v2 {

namespace {

// The iv with the packet number mixed into its last 8 bytes: never twice the same under one key.
Nonce PacketNonce(const Nonce& iv, uint64_t number) {
  Nonce nonce = iv;
  for (size_t i = nonce.size(); i-- > 4;) {
    nonce[i] = static_cast<uint8_t>(nonce[i] ^ (number & 0xFF));
    number >>= 8;
  }
  return nonce;
}

}  // namespace

Session::Opened Session::Open(AeadEngine& engine, Bytes datagram, MutableBytes plain) const {
  Opened opened;
  if (datagram.size() < kMinData || plain.size() < datagram.size()) {
    opened.fault = Fault::kShort;
    return opened;
  }
  const auto header = ParseHeader(datagram);
  if (!header || header->type != PacketType::kData || header->connection != local_) {
    opened.fault = Fault::kOtherConnection;
    return opened;
  }
  opened.number = header->number;
  const PacketWindow::Place place = window_.Look(header->number);
  if (place != PacketWindow::Place::kNew) {
    opened.fault = place == PacketWindow::Place::kOld ? Fault::kOld : Fault::kDuplicate;
    return opened;
  }
  const Bytes sealed = datagram.subspan(kHeaderSize);
  if (!engine.Open(keys_.cipher, keys_.receive_key, PacketNonce(keys_.receive_iv, header->number),
                   datagram.first(kHeaderSize), sealed, plain)) {
    opened.fault = Fault::kForged;
    return opened;
  }
  opened.fault = Fault::kNone;
  opened.newest = window_.empty() || header->number > window_.highest();
  opened.frames = plain.first(sealed.size() - kTagSize);
  return opened;
}

size_t Session::Seal(AeadEngine& engine, size_t length, MutableBytes out) {
  Header header;
  header.type = PacketType::kData;
  header.connection = remote_;
  header.number = next_number_;
  WriteHeader(header, out);
  const Nonce nonce = PacketNonce(keys_.send_iv, next_number_);
  ++next_number_;
  const MutableBytes frames = out.subspan(kHeaderSize, length + kTagSize);
  if (!engine.Seal(keys_.cipher, keys_.send_key, nonce, out.first(kHeaderSize),
                   frames.first(length), frames)) {
    return 0;
  }
  return kHeaderSize + length + kTagSize;
}

}  // namespace ospatrol::secure::v2
