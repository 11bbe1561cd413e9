#include "secure/v2/manager_link.h"

#include <algorithm>

#include "secure/v2/key_schedule.h"
#include "secure/v2/manager_outbox.h"

namespace ospatrol::secure::v2 {

namespace {

constexpr int64_t kPendingMs = 60 * 1000;  // a repeated HELLO gets the same answer for so long
constexpr int64_t kStoredDelayMs = 25;     // news of stored events wait so long for company
constexpr int64_t kRekeyPatienceMs =
    300 * 1000;  // then an agent that does not renew its keys is asked to
constexpr int64_t kAskAgainMs = 10 * 1000;
constexpr int64_t kMinuteMs = 60 * 1000;

Verdict VerdictOf(Session::Fault fault) {
  switch (fault) {
    case Session::Fault::kNone:
      return Verdict::kTaken;
    case Session::Fault::kShort:
    case Session::Fault::kOtherConnection:
      return Verdict::kMalformed;
    case Session::Fault::kDuplicate:
      return Verdict::kDuplicate;
    case Session::Fault::kOld:
      return Verdict::kOld;
    case Session::Fault::kForged:
      break;
  }
  return Verdict::kForged;
}

// Frames that ask for an acknowledgement.
bool Asks(uint8_t type) {
  switch (static_cast<FrameType>(type)) {
    case FrameType::kPad:
    case FrameType::kAck:
    case FrameType::kPong:
    case FrameType::kClose:
      return false;
    default:
      return true;
  }
}

}  // namespace

struct ManagerLink::Pending {
  Session session;
  Digest hello{};
  std::array<uint8_t, kWelcomeSize> welcome{};
  HelloContent content;
  int64_t born_ms = 0;
};

struct ManagerLink::Old {
  Session session;
  int64_t until_ms = 0;
};

FileSum Sum256(std::string_view bytes) { return Sha256({AsBytes(bytes)}); }

std::shared_ptr<const FileContent> MakeFileContent(std::string bytes) {
  auto content = std::make_shared<FileContent>();
  content->sum = Sum256(bytes);
  content->bytes = std::move(bytes);
  return content;
}

ManagerLink::ManagerLink(Responder& responder, uint64_t owner, const Psk& psk)
    : responder_(responder), owner_(owner), psk_(psk), receiver_(responder.holding()) {}

ManagerLink::~ManagerLink() {
  DropOld();
  DropPending();
  if (session_) responder_.Unregister(session_->local());
}

void ManagerLink::DropOld() {
  if (old_) responder_.Unregister(old_->session.local());
  old_.reset();
}

void ManagerLink::DropPending() {
  if (pending_) responder_.Unregister(pending_->session.local());
  pending_.reset();
}

ManagerLink::Outcome ManagerLink::ReceiveHello(Worker& worker, ManagerPeer& peer, Now now,
                                               Bytes datagram, MutableBytes reply) {
  Outcome outcome;
  const auto head = ParseHello(datagram);
  if (!head) {
    outcome.verdict = Verdict::kMalformed;
    return outcome;
  }
  if (pending_ && now.monotonic_ms - pending_->born_ms < kPendingMs &&
      head->counter == hello_counter_ && HelloDigest(*head) == pending_->hello) {
    // The first answer may have been lost.
    std::copy(pending_->welcome.begin(), pending_->welcome.end(), reply.begin());
    outcome.reply = kWelcomeSize;
    return outcome;
  }
  const auto content = OpenHello(worker.aead, *head, psk_);
  if (!content) {
    outcome.verdict = Verdict::kWrongKey;
    return outcome;
  }
  if (!has_hello_counter_) {
    hello_counter_ = peer.HelloCounter();
    has_hello_counter_ = true;
  }
  if (head->counter <= hello_counter_) {
    outcome.verdict = Verdict::kStaleHello;
    outcome.reply = MakeStale(worker.aead, responder_.random(), *head, psk_, hello_counter_, reply);
    return outcome;
  }
  hello_counter_ = head->counter;
  peer.SaveHelloCounter(hello_counter_);
  outcome.reply = Welcome(worker, peer, now, *head, *content, reply);
  if (outcome.reply == 0) outcome.verdict = Verdict::kMalformed;
  return outcome;
}

size_t ManagerLink::Welcome(Worker& worker, ManagerPeer& peer, Now now, const HelloHead& head,
                            const HelloContent& content, MutableBytes reply) {
  const Responder::Config& config = responder_.config();
  const bool known = content.spool == receiver_.spool();
  const uint8_t ciphers = content.ciphers & config.ciphers;
  WelcomeContent welcome;
  welcome.hello_counter = head.counter;
  welcome.cipher = (ciphers & kOffersAes) != 0 ? Cipher::kAes256Gcm : Cipher::kChaCha20Poly1305;
  welcome.codec = (content.codecs & 1) != 0 ? Codec::kDeflate : Codec::kNone;
  welcome.max_datagram = config.max_datagram;
  welcome.keep_alive_s = config.keep_alive_s;
  welcome.stay = config.stay;
  welcome.manager = config.manager;
  welcome.stored = std::max(peer.StoredEvent(content.spool), known ? receiver_.stored() : 0);
  welcome.received = std::max(welcome.stored, known ? receiver_.delivered() : 0);
  DropPending();
  const uint32_t local = responder_.Register(owner_);
  welcome.reset = MakeResetToken(config.reset_secret, local);
  const auto made = MakeWelcome(worker.aead, responder_.random(), head, psk_, welcome, local);
  if (!made) {
    responder_.Unregister(local);
    return 0;
  }
  pending_ = std::make_unique<Pending>(
      Pending{Session(made->keys, local, head.connection, now.monotonic_ms), HelloDigest(head),
              made->bytes, content, now.monotonic_ms});
  std::copy(made->bytes.begin(), made->bytes.end(), reply.begin());
  return kWelcomeSize;
}

ManagerLink::Outcome ManagerLink::ReceiveData(Worker& worker, ManagerPeer& peer, Now now,
                                              Bytes datagram) {
  Outcome outcome;
  const auto header = ParseHeader(datagram);
  Session* session = header ? Find(header->connection, now) : nullptr;
  if (session == nullptr) {
    outcome.verdict = header ? Verdict::kUnknownSession : Verdict::kMalformed;
    return outcome;
  }
  const Session::Opened opened = session->Open(worker.aead, datagram, worker.plain);
  if (opened.fault != Session::Fault::kNone) {
    outcome.verdict = VerdictOf(opened.fault);
    return outcome;
  }
  if (pending_ && session == &pending_->session) {
    Promote(peer, now);
    session = &*session_;
  }
  heard_ms_ = now.monotonic_ms;
  const bool current = session == &*session_;
  outcome.newest = opened.newest && current;
  bool asks = false;
  outcome.verdict = TakeFrames(worker, peer, now, opened.frames, current, asks);
  if (outcome.verdict == Verdict::kTaken) {
    session->Accept(opened.number);
    if (current) acknowledger_.Received(now.monotonic_ms, opened.newest, asks);
  }
  AskForNewKeys(now);
  return outcome;
}

Session* ManagerLink::Find(uint32_t connection, Now now) {
  if (session_ && session_->local() == connection) return &*session_;
  if (pending_ && pending_->session.local() == connection) return &pending_->session;
  if (old_ && old_->session.local() == connection && now.monotonic_ms < old_->until_ms) {
    return &old_->session;
  }
  return nullptr;
}

void ManagerLink::Promote(ManagerPeer& peer, Now now) {
  const std::unique_ptr<Pending> pending = std::move(pending_);
  const SpoolId& spool = pending->content.spool;
  const bool same_spool = spool == receiver_.spool();
  DropOld();
  if (session_) {
    if (same_spool) {
      old_ = std::make_unique<Old>(Old{*session_, now.monotonic_ms + kOldKeysMs});
    } else {
      // Another spool is another life of the agent, or another agent: the keys of the first end
      // here.
      responder_.Unregister(session_->local());
      // One without any event is a visitor that asks whether the manager is there.
      if (pending->content.next > 1) NoteOtherSpool(peer, spool, now);
    }
  }
  session_.emplace(pending->session);
  receiver_.Begin(spool, peer.StoredEvent(spool), pending->content.first);
  acknowledger_.Clear();
  busy_ = false;
  asked_ms_ = 0;
  if (outgoing_) outgoing_->StartAgain();
  peer.Established({spool, session_->cipher(), session_->local(), pending->content.wall_ms,
                    pending->content.product});
}

void ManagerLink::NoteOtherSpool(ManagerPeer& peer, const SpoolId& spool, Now now) {
  const bool back_again = spool == other_spool_;
  other_spool_ = receiver_.spool();
  if (!back_again || now.monotonic_ms < key_shared_until_ms_) return;
  key_shared_until_ms_ = now.monotonic_ms + kMinuteMs;
  peer.KeyShared();
}

void ManagerLink::AskForNewKeys(Now now) {
  if (!session_ || !session_->IsWorn(now.monotonic_ms - kRekeyPatienceMs)) return;
  if (asked_ms_ != 0 && now.monotonic_ms - asked_ms_ < kAskAgainMs) return;
  asked_ms_ = now.monotonic_ms;
  outgoing().SetClose(CloseReason::kRekey, "");
}

Verdict ManagerLink::TakeFrames(Worker& worker, ManagerPeer& peer, Now now, Bytes frames,
                                bool current, bool& asks) {
  Verdict verdict = Verdict::kTaken;
  FrameReader reader(frames);
  while (const auto item = reader.Next()) {
    asks = asks || Asks(item->type);
    const Verdict one = TakeFrame(worker, peer, now, *item, current);
    if (one == Verdict::kMalformed) return one;
    if (one != Verdict::kTaken) verdict = one;
  }
  return reader.malformed() ? Verdict::kMalformed : verdict;
}

Verdict ManagerLink::TakeFrame(Worker& worker, ManagerPeer& peer, Now now,
                               const FrameReader::Item& item, bool current) {
  const auto answer = [](bool good) { return good ? Verdict::kTaken : Verdict::kMalformed; };
  switch (static_cast<FrameType>(item.type)) {
    case FrameType::kEvents:
      return TakeEvents(worker, peer, now, ParseEvents(item.content));
    case FrameType::kPart:
      return TakeEvents(worker, peer, now, ParsePart(item.content));
    case FrameType::kGap:
      return TakeEvents(worker, peer, now, ParseGap(item.content));
    case FrameType::kAck: {
      const auto ack = ParseAck(item.content);
      // Packet numbers of an old session mean nothing in this one.
      return answer(ack && (!current || TakeAck(*ack, now)));
    }
    case FrameType::kControlAck: {
      const auto ack = ParseControlAck(item.content);
      if (ack && outgoing_) outgoing_->Take(peer, *ack);
      return answer(ack.has_value());
    }
    case FrameType::kFileAck: {
      const auto ack = ParseFileAck(item.content);
      if (ack && outgoing_) outgoing_->Take(peer, *ack);
      return answer(ack.has_value());
    }
    case FrameType::kStatus: {
      const auto status = ParseStatus(item.content);
      if (status) peer.StatusReceived(*status);
      return answer(status.has_value());
    }
    case FrameType::kPing: {
      const auto cookie = ParsePing(item.content);
      if (cookie && current) {
        pong_ = *cookie;
        has_pong_ = true;
        acknowledger_.Changed(now.monotonic_ms, 0);
      }
      return answer(cookie.has_value());
    }
    case FrameType::kClose: {
      const auto close = ParseClose(item.content);
      if (close && current) peer.Closed(close->reason, close->text);
      return answer(close.has_value());
    }
    default:  // PAD, and what later versions may add
      return Verdict::kTaken;
  }
}

template <typename Frame>
Verdict ManagerLink::TakeEvents(Worker& worker, ManagerPeer& peer, Now now,
                                const std::optional<Frame>& frame) {
  if (!frame) return Verdict::kMalformed;
  const uint64_t stored = receiver_.stored();
  const Receiver::Taken taken = receiver_.Take(*frame, worker.batch, peer);
  if (receiver_.stored() != stored) acknowledger_.Changed(now.monotonic_ms, kStoredDelayMs);
  switch (taken) {
    case Receiver::Taken::kTaken:
      SetBusy(receiver_.has_waiting(), now);
      return Verdict::kTaken;
    case Receiver::Taken::kFull:
      SetBusy(true, now);
      return Verdict::kRefused;
    case Receiver::Taken::kNoRoom:
      return Verdict::kRefused;
    case Receiver::Taken::kMalformed:
      break;
  }
  return Verdict::kMalformed;
}

void ManagerLink::SetBusy(bool busy, Now now) {
  if (busy == busy_ && !busy) return;
  busy_ = busy;
  acknowledger_.Changed(now.monotonic_ms, busy ? Acknowledger::kDelayMs : 0);
}

void ManagerLink::RoomAgain(Worker& worker, ManagerPeer& peer, Now now) {
  if (busy_ && receiver_.Drain(worker.batch, peer)) SetBusy(false, now);
}

void ManagerLink::Stored(const SpoolId& spool, uint64_t number, Now now) {
  if (spool != receiver_.spool() || !receiver_.Stored(number)) return;
  acknowledger_.Changed(now.monotonic_ms, kStoredDelayMs);
}

bool ManagerLink::TakeAck(const AckFrame& ack, Now now) {
  if (!outgoing_) return ack.count == 0 || ack.largest < session_->next_number();
  Sender::Fate& fate = outgoing_->fate();
  fate.Clear();
  Sender& sender = outgoing_->sender();
  const bool good = sender.Acknowledged(ack, session_->next_number(), now.monotonic_ms, true, fate);
  outgoing_->Settle(fate);
  if (sender.smoothed_ms() > 0) round_trip_ms_ = sender.smoothed_ms();
  DropEmpty();
  return good;
}

ManagerOutbox& ManagerLink::outgoing() {
  if (!outgoing_) outgoing_ = std::make_unique<ManagerOutbox>();
  return *outgoing_;
}

void ManagerLink::DropEmpty() {
  if (outgoing_ && outgoing_->empty()) outgoing_.reset();
}

uint64_t ManagerLink::SendControl(std::string_view text, Now now) {
  return outgoing().AddControl(responder_.random(), text, now.monotonic_ms);
}

bool ManagerLink::SendFile(ManagerPeer& peer, std::string_view name,
                           std::shared_ptr<const FileContent> content) {
  return outgoing().AddFile(responder_.random(), peer, name, std::move(content));
}

void ManagerLink::Close(CloseReason reason, std::string_view text) {
  outgoing().SetClose(reason, text);
}

void ManagerLink::Tidy(ManagerPeer& peer, Now now) {
  if (old_ && now.monotonic_ms >= old_->until_ms) DropOld();
  if (pending_ && now.monotonic_ms - pending_->born_ms >= kPendingMs) DropPending();
  if (!outgoing_) return;
  outgoing_->Expire(peer, now.monotonic_ms);
  if (session_) {
    Sender::Fate& fate = outgoing_->fate();
    fate.Clear();
    outgoing_->sender().CheckTimeout(session_->next_number(), now.monotonic_ms, true, fate);
    outgoing_->Settle(fate);
  }
  DropEmpty();
}

size_t ManagerLink::NextDatagram(Worker& worker, ManagerPeer& peer, Now now, MutableBytes out) {
  Tidy(peer, now);
  if (!session_) return 0;
  const bool cargo =
      outgoing_ && outgoing_->HasCargo() && outgoing_->sender().MaySend(now.monotonic_ms);
  const bool close = outgoing_ && outgoing_->has_close();
  if (!cargo && !close && !acknowledger_.IsDue(now.monotonic_ms)) return 0;

  const size_t limit = std::min(out.size(), kSafeDatagram);
  FrameWriter writer(out.first(limit - kTagSize).subspan(kHeaderSize));
  Manifest manifest;
  if (acknowledger_.due_ms() != kNever) PutAck(writer, now);
  if (has_pong_ && writer.PutPing(FrameType::kPong, pong_)) has_pong_ = false;
  if (cargo) outgoing_->Put(writer, manifest, session_->began_ms());
  if (close) outgoing_->PutClose(writer);
  if (writer.size() == 0) return 0;
  const uint64_t number = session_->next_number();
  const size_t size = session_->Seal(worker.aead, writer.size(), out);
  if (!manifest.empty()) outgoing_->sender().Sent(number, now.monotonic_ms, manifest);
  DropEmpty();
  return size;
}

void ManagerLink::PutAck(FrameWriter& writer, Now now) {
  AckFrame ack;
  session_->window().Describe(ack);
  ack.stored = receiver_.stored();
  ack.busy = busy_;
  ack.delay_ms = acknowledger_.Sending(now.monotonic_ms);
  writer.Put(ack);
}

int64_t ManagerLink::NextWake(Now now) const {
  int64_t wake = kNever;
  if (old_) wake = std::min(wake, old_->until_ms);
  if (pending_) wake = std::min(wake, pending_->born_ms + kPendingMs);
  if (outgoing_) wake = std::min(wake, outgoing_->next_expiry());
  if (!session_) return wake;
  wake = std::min(wake, acknowledger_.due_ms());
  if (!outgoing_) return wake;
  const Sender& sender = outgoing_->sender();
  wake = std::min(wake, sender.timeout_at());
  if (outgoing_->HasCargo()) wake = std::min(wake, sender.NextSend(now.monotonic_ms));
  if (outgoing_->has_close()) wake = std::min(wake, now.monotonic_ms);
  return wake;
}

ManagerLink::Info ManagerLink::info() const {
  Info info;
  info.established = session_.has_value();
  info.spool = receiver_.spool();
  info.heard_ms = heard_ms_;
  info.round_trip_ms = round_trip_ms_;
  info.stored = receiver_.stored();
  info.delivered = receiver_.delivered();
  info.held_bytes = receiver_.held_bytes();
  if (session_) {
    info.cipher = session_->cipher();
    info.connection = session_->local();
  }
  return info;
}

size_t ManagerLink::heap_bytes() const {
  return (pending_ ? sizeof(Pending) + pending_->content.product.capacity() : 0) +
         (old_ ? sizeof(Old) : 0) + (outgoing_ ? outgoing_->heap_bytes() : 0) +
         receiver_.held_bytes();
}

}  // namespace ospatrol::secure::v2
