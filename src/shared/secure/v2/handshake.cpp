#include "secure/v2/handshake.h"

#include <algorithm>
#include <cstring>

#include "secure/v2/big_endian.h"
#include "secure/v2/key_schedule.h"

namespace ospatrol::secure::v2 {

namespace {

constexpr Nonce kZeroNonce{};  // every key of the hand-shake seals one text only
constexpr size_t kIdOffset = 16;
constexpr size_t kConnectionOffset = 24;
constexpr size_t kEphemeralOffset = 28;
constexpr size_t kLengthOffset = 60;
constexpr uint64_t kMaxCounter = uint64_t{1} << 62;

// The key that seals the HELLO's content: the long-term secret alone, so that nothing but the wish
// to talk is in it.
bool HelloKey(Bytes ephemeral, const Psk& psk, Key& key) {
  return Hkdf(ephemeral, psk.view(), AsBytes("hello"), key.edit());
}

struct Schedule {
  Secret<32> prk;
  Digest transcript{};  // h1: of everything in clear, and of the HELLO's content
  Key welcome_key;
};

bool Begin(const Psk& psk, const Secret<32>& shared, Bytes hello, Bytes welcome_clear,
           Schedule& schedule) {
  schedule.transcript = Sha256({hello, welcome_clear});
  std::array<uint8_t, 7 + 32> info{};
  std::memcpy(info.data(), "welcome", 7);
  std::copy(schedule.transcript.begin(), schedule.transcript.end(), info.begin() + 7);
  return HkdfExtract(psk.view(), shared.view(), schedule.prk) &&
         HkdfExpand(schedule.prk, info, schedule.welcome_key.edit());
}

// Keys of the agent's direction, then of the manager's.
bool Finish(const Schedule& schedule, Bytes sealed_welcome, bool is_agent, SessionKeys& keys) {
  const Digest whole = Sha256({schedule.transcript, sealed_welcome});
  std::array<uint8_t, 7 + 32> info{};
  std::memcpy(info.data(), "session", 7);
  std::copy(whole.begin(), whole.end(), info.begin() + 7);
  Secret<88> material;
  if (!HkdfExpand(schedule.prk, info, material.edit())) return false;
  Cursor cursor(material.view());
  const auto take = [&cursor](Key& key, Nonce& iv) {
    const Bytes bytes = cursor.Take(32);
    std::copy(bytes.begin(), bytes.end(), key.edit().begin());
    cursor.Fill(iv);
  };
  take(is_agent ? keys.send_key : keys.receive_key, is_agent ? keys.send_iv : keys.receive_iv);
  take(is_agent ? keys.receive_key : keys.send_key, is_agent ? keys.receive_iv : keys.send_iv);
  return true;
}

std::array<uint8_t, kWelcomeContent> FormatWelcome(const WelcomeContent& content) {
  std::array<uint8_t, kWelcomeContent> bytes{};
  const MutableBytes out = bytes;
  PutNumber(out, content.hello_counter);
  out[8] = static_cast<uint8_t>(content.cipher);
  out[9] = static_cast<uint8_t>(content.codec);
  PutNumber(out.subspan(10), content.max_datagram);
  PutNumber(out.subspan(12), content.keep_alive_s);
  out[14] = content.stay ? 1 : 0;
  std::copy(content.manager.begin(), content.manager.end(), bytes.begin() + 15);
  PutNumber(out.subspan(31), content.stored);
  PutNumber(out.subspan(39), content.received);
  std::copy(content.reset.begin(), content.reset.end(), bytes.begin() + 47);
  return bytes;
}

std::optional<WelcomeContent> ParseWelcome(Bytes bytes) {
  Cursor cursor(bytes);
  WelcomeContent content;
  content.hello_counter = cursor.Number<uint64_t>();
  const auto cipher = cursor.Number<uint8_t>();
  const auto codec = cursor.Number<uint8_t>();
  content.max_datagram = cursor.Number<uint16_t>();
  content.keep_alive_s = cursor.Number<uint16_t>();
  content.stay = (cursor.Number<uint8_t>() & 1) != 0;
  cursor.Fill(content.manager);
  content.stored = cursor.Number<uint64_t>();
  content.received = cursor.Number<uint64_t>();
  cursor.Fill(content.reset);
  if (!cursor.ok() || cipher > static_cast<uint8_t>(Cipher::kChaCha20Poly1305) ||
      codec > static_cast<uint8_t>(Codec::kDeflate) || content.max_datagram < kSafeDatagram ||
      content.stored >= kMaxCounter) {
    return std::nullopt;
  }
  content.cipher = static_cast<Cipher>(cipher);
  content.codec = static_cast<Codec>(codec);
  return content;
}

// What a header must say to be an answer to a HELLO.
bool Answers(Bytes datagram, PacketType type, size_t size, uint32_t connection) {
  const auto header = ParseHeader(datagram);
  return header && header->type == type && datagram.size() == size &&
         header->connection == connection;
}

}  // namespace

Psk DerivePsk(std::string_view id, std::string_view name, std::string_view key) {
  std::string info(id);
  info += '\0';
  info += name;
  Psk psk;
  Hkdf(AsBytes("OSPatrol v2 psk"), AsBytes(key), AsBytes(info), psk.edit());
  return psk;
}

std::optional<HelloHead> ParseHello(Bytes datagram) {
  const auto header = ParseHeader(datagram);
  if (!header || header->type != PacketType::kHello || datagram.size() != kHelloSize ||
      header->number >= kMaxCounter) {
    return std::nullopt;
  }
  HelloHead head;
  head.counter = header->number;
  const std::string_view id = AsText(datagram.subspan(kIdOffset, kMaxAgentId));
  head.agent_id = id.substr(0, id.find('\0'));
  const bool digits = std::all_of(head.agent_id.begin(), head.agent_id.end(),
                                  [](char c) { return c >= '0' && c <= '9'; });
  const bool padded = id.find_first_not_of('\0', head.agent_id.size()) == std::string_view::npos;
  head.connection = GetNumber<uint32_t>(datagram.subspan(kConnectionOffset));
  head.ephemeral = datagram.subspan(kEphemeralOffset, 32);
  const size_t length = GetNumber<uint16_t>(datagram.subspan(kLengthOffset));
  if (!digits || !padded || head.agent_id.empty() || head.connection == 0 ||
      length < kHelloFixed + kTagSize || length > kHelloFixed + kMaxProduct + kTagSize) {
    return std::nullopt;
  }
  head.clear = datagram.first(kHelloHead);
  head.sealed = datagram.subspan(kHelloHead, length);
  if (datagram[kHelloHead + length] == 1) {
    head.cookie = datagram.subspan(kHelloHead + length + 1, sizeof(HelloCookie));
  }
  return head;
}

Initiator::Initiator(AeadEngine& engine, RandomSource& random, std::string_view agent_id,
                     const Psk& psk, uint64_t counter, const HelloContent& content)
    : psk_(psk), connection_(RandomConnectionId(random)), counter_(counter) {
  const auto pair = MakeKeyPair(random);
  if (!pair) return;
  private_key_ = pair->private_key;
  const MutableBytes out = hello_;
  Header header;
  header.type = PacketType::kHello;
  header.number = counter;
  WriteHeader(header, out);
  std::memcpy(&hello_[kIdOffset], agent_id.data(), std::min(agent_id.size(), kMaxAgentId));
  PutNumber(out.subspan(kConnectionOffset), connection_);
  std::copy(pair->public_key.begin(), pair->public_key.end(), hello_.begin() + kEphemeralOffset);

  const std::string_view product = std::string_view(content.product).substr(0, kMaxProduct);
  const size_t length = kHelloFixed + product.size();
  sealed_length_ = length + kTagSize;
  PutNumber(out.subspan(kLengthOffset), static_cast<uint16_t>(sealed_length_));
  std::array<uint8_t, kHelloFixed + kMaxProduct> bytes{};
  const MutableBytes plain = bytes;
  PutNumber(plain, content.wall_ms);
  plain[8] = content.ciphers;
  plain[9] = content.codecs;
  PutNumber(plain.subspan(10), content.max_datagram);
  std::copy(content.spool.begin(), content.spool.end(), bytes.begin() + 12);
  PutNumber(plain.subspan(28), content.first);
  PutNumber(plain.subspan(36), content.next);
  std::memcpy(&bytes[kHelloFixed], product.data(), product.size());

  Key key;
  HelloKey(pair->public_key, psk, key);
  engine.Seal(Cipher::kChaCha20Poly1305, key, kZeroNonce, out.first(kHelloHead),
              plain.first(length), out.subspan(kHelloHead));
}

Initiator::~Initiator() = default;

bool Initiator::TakeCookie(Bytes datagram) {
  if (!Answers(datagram, PacketType::kCookie, kHeaderSize + sizeof(HelloCookie), connection_)) {
    return false;
  }
  const size_t at = kHelloHead + sealed_length_;
  hello_[at] = 1;
  std::copy(datagram.begin() + kHeaderSize, datagram.end(), hello_.begin() + at + 1);
  return true;
}

std::optional<uint64_t> Initiator::ReadStale(AeadEngine& engine, Bytes datagram) const {
  if (!Answers(datagram, PacketType::kStale, kStaleSize, connection_)) return std::nullopt;
  const Bytes clear = datagram.first(kHeaderSize + 32);
  std::array<uint8_t, 64> salt{};
  std::copy_n(hello_.begin() + kEphemeralOffset, 32, salt.begin());
  std::copy_n(clear.begin() + kHeaderSize, 32, salt.begin() + 32);
  Key key;
  std::array<uint8_t, 8> plain{};
  if (!Hkdf(salt, psk_.view(), AsBytes("stale"), key.edit()) ||
      !engine.Open(Cipher::kChaCha20Poly1305, key, kZeroNonce, clear,
                   datagram.subspan(clear.size()), plain)) {
    return std::nullopt;
  }
  const auto counter = GetNumber<uint64_t>(plain);
  if (counter >= kMaxCounter) return std::nullopt;
  return counter;
}

std::optional<Initiator::Result> Initiator::ReadWelcome(AeadEngine& engine, Bytes datagram) const {
  if (!Answers(datagram, PacketType::kWelcome, kWelcomeSize, connection_)) return std::nullopt;
  const Bytes clear = datagram.first(kWelcomeHead);
  const Bytes sealed = datagram.subspan(kWelcomeHead);
  if (GetNumber<uint16_t>(clear.subspan(52)) != sealed.size()) return std::nullopt;
  Secret<32> shared;
  Schedule schedule;
  const Bytes hello = Bytes(hello_).first(kHelloHead + sealed_length_);
  if (!Agree(private_key_, clear.subspan(20, 32), shared) ||
      !Begin(psk_, shared, hello, clear, schedule)) {
    return std::nullopt;
  }
  std::array<uint8_t, kWelcomeContent> plain{};
  if (!engine.Open(Cipher::kChaCha20Poly1305, schedule.welcome_key, kZeroNonce, clear, sealed,
                   plain)) {
    return std::nullopt;
  }
  const auto content = ParseWelcome(plain);
  Result result;
  result.remote = GetNumber<uint32_t>(clear.subspan(16));
  if (!content || content->hello_counter != counter_ || result.remote == 0 ||
      !Finish(schedule, sealed, true, result.keys)) {
    return std::nullopt;
  }
  result.content = *content;
  result.keys.cipher = content->cipher;
  return result;
}

std::optional<HelloContent> OpenHello(AeadEngine& engine, const HelloHead& head, const Psk& psk) {
  Key key;
  std::array<uint8_t, kHelloFixed + kMaxProduct> plain{};
  if (!HelloKey(head.ephemeral, psk, key) ||
      !engine.Open(Cipher::kChaCha20Poly1305, key, kZeroNonce, head.clear, head.sealed, plain)) {
    return std::nullopt;
  }
  Cursor cursor(Bytes(plain).first(head.sealed.size() - kTagSize));
  HelloContent content;
  content.wall_ms = cursor.Number<uint64_t>();
  content.ciphers = cursor.Number<uint8_t>();
  content.codecs = cursor.Number<uint8_t>();
  content.max_datagram = cursor.Number<uint16_t>();
  cursor.Fill(content.spool);
  content.first = cursor.Number<uint64_t>();
  content.next = cursor.Number<uint64_t>();
  content.product = AsText(cursor.rest());
  if (!cursor.ok() || content.first == 0 || content.next < content.first ||
      content.next >= kMaxCounter || content.max_datagram < kSafeDatagram ||
      (content.ciphers & (kOffersAes | kOffersChaCha)) == 0) {
    return std::nullopt;
  }
  return content;
}

std::optional<Welcome> MakeWelcome(AeadEngine& engine, RandomSource& random, const HelloHead& head,
                                   const Psk& psk, const WelcomeContent& content, uint32_t local) {
  const auto pair = MakeKeyPair(random);
  Secret<32> shared;
  if (!pair || !Agree(pair->private_key, head.ephemeral, shared)) return std::nullopt;
  Welcome welcome;
  const MutableBytes out = welcome.bytes;
  Header header;
  header.type = PacketType::kWelcome;
  header.connection = head.connection;
  header.number = head.counter;
  WriteHeader(header, out);
  PutNumber(out.subspan(16), local);
  std::copy(pair->public_key.begin(), pair->public_key.end(), welcome.bytes.begin() + 20);
  PutNumber(out.subspan(52), static_cast<uint16_t>(kWelcomeContent + kTagSize));

  const Bytes clear = Bytes(welcome.bytes).first(kWelcomeHead);
  Schedule schedule;
  const Bytes hello{head.clear.data(), head.clear.size() + head.sealed.size()};
  if (!Begin(psk, shared, hello, clear, schedule) ||
      !engine.Seal(Cipher::kChaCha20Poly1305, schedule.welcome_key, kZeroNonce, clear,
                   FormatWelcome(content), out.subspan(kWelcomeHead)) ||
      !Finish(schedule, Bytes(welcome.bytes).subspan(kWelcomeHead), false, welcome.keys)) {
    return std::nullopt;
  }
  welcome.keys.cipher = content.cipher;
  return welcome;
}

size_t MakeStale(AeadEngine& engine, RandomSource& random, const HelloHead& head, const Psk& psk,
                 uint64_t highest, MutableBytes out) {
  Header header;
  header.type = PacketType::kStale;
  header.connection = head.connection;
  header.number = head.counter;
  WriteHeader(header, out);
  // A fresh salt, because the answer to one HELLO may differ from time to time.
  std::array<uint8_t, 64> salt{};
  std::copy(head.ephemeral.begin(), head.ephemeral.end(), salt.begin());
  random.Fill(MutableBytes(salt).subspan(32));
  std::copy(salt.begin() + 32, salt.end(), out.begin() + kHeaderSize);
  std::array<uint8_t, 8> plain{};
  PutNumber(MutableBytes(plain), highest);
  Key key;
  const size_t clear = kHeaderSize + 32;
  if (!Hkdf(salt, psk.view(), AsBytes("stale"), key.edit()) ||
      !engine.Seal(Cipher::kChaCha20Poly1305, key, kZeroNonce, out.first(clear), plain,
                   out.subspan(clear))) {
    return 0;
  }
  return kStaleSize;
}

Digest HelloDigest(const HelloHead& head) { return Sha256({head.clear, head.sealed}); }

ResetToken MakeResetToken(const Secret<32>& secret, uint32_t connection) {
  std::array<uint8_t, 4> id{};
  PutNumber(MutableBytes(id), connection);
  const Digest digest = HmacSha256(secret.view(), {id});
  ResetToken token{};
  std::copy_n(digest.begin(), token.size(), token.begin());
  return token;
}

HelloCookie MakeHelloCookie(const Secret<32>& secret, Bytes peer, const HelloHead& head) {
  // The length in front keeps addresses of different forms apart.
  const std::array<uint8_t, 1> length = {static_cast<uint8_t>(peer.size())};
  const Digest digest = HmacSha256(
      secret.view(), {length, peer, head.clear.subspan(kIdOffset, kMaxAgentId), head.ephemeral});
  HelloCookie cookie{};
  std::copy_n(digest.begin(), cookie.size(), cookie.begin());
  return cookie;
}

}  // namespace ospatrol::secure::v2
