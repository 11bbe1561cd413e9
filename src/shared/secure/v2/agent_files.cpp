#include "secure/v2/agent_files.h"

#include <algorithm>

namespace ospatrol::secure::v2 {

namespace {

constexpr size_t kMaxAcks = 16;

}  // namespace

bool AgentFiles::Take(const FileFrame& frame) {
  if (frame.offset == 0 && !Open(frame)) return true;
  if (!transfer_ || transfer_->id != frame.transfer) return true;
  if (frame.offset > transfer_->received) {
    if (transfer_->held.contains(frame.offset)) return true;
    if (transfer_->held_bytes + frame.bytes.size() > kMaxHeld) return false;
    transfer_->held.emplace(frame.offset,
                            std::vector<uint8_t>(frame.bytes.begin(), frame.bytes.end()));
    transfer_->held_bytes += frame.bytes.size();
    return true;
  }
  if (Feed(frame.offset, frame.bytes)) FeedHeld();
  if (transfer_ && transfer_->received == transfer_->size) Complete();
  if (frame.offset == 0 && transfer_) {
    Answer(transfer_->id, transfer_->received, FileResult::kGoesOn, "");
  }
  return true;
}

// True when the frame's transfer is the present one now.
bool AgentFiles::Open(const FileFrame& frame) {
  if (last_.transfer == frame.transfer && last_.result != FileResult::kGoesOn) {
    Answer(last_.transfer, last_.received, last_.result, last_.text);
    return false;
  }
  if (transfer_ && transfer_->name == frame.name && transfer_->size == frame.size &&
      transfer_->sum == frame.sum) {
    transfer_->id = frame.transfer;  // goes on where it was interrupted
    return true;
  }
  if (transfer_) {
    peer_.FileAborted(transfer_->name);
    transfer_.reset();
  }
  auto transfer = std::make_unique<Transfer>();
  transfer->id = frame.transfer;
  transfer->name = frame.name;
  transfer->size = frame.size;
  transfer->sum = frame.sum;
  transfer->digest.reset(EVP_MD_CTX_new());
  const bool ready =
      transfer->digest && EVP_DigestInit_ex(transfer->digest.get(), EVP_sha256(), nullptr) == 1;
  transfer_ = std::move(transfer);
  if (!ready) {
    Finish(FileResult::kFailed, "no SHA-256");
    return false;
  }
  if (!peer_.FileBegins(transfer_->name, transfer_->size)) {
    Finish(FileResult::kRefused, "not wanted");
    return false;
  }
  return true;
}

bool AgentFiles::Feed(uint64_t offset, Bytes bytes) {
  const uint64_t known = transfer_->received - offset;
  if (known >= bytes.size()) return true;
  const Bytes fresh = bytes.subspan(known);
  EVP_DigestUpdate(transfer_->digest.get(), fresh.data(), fresh.size());
  if (!peer_.FileBytes(transfer_->name, fresh)) {
    peer_.FileAborted(transfer_->name);
    Finish(FileResult::kFailed, "cannot be written");
    return false;
  }
  transfer_->received += fresh.size();
  return true;
}

void AgentFiles::FeedHeld() {
  while (transfer_ && !transfer_->held.empty() &&
         transfer_->held.begin()->first <= transfer_->received) {
    const auto held = transfer_->held.extract(transfer_->held.begin());
    transfer_->held_bytes -= held.mapped().size();
    if (!Feed(held.key(), held.mapped())) return;
  }
}

void AgentFiles::Complete() {
  FileSum sum{};
  unsigned length = 0;
  EVP_DigestFinal_ex(transfer_->digest.get(), sum.data(), &length);
  if (sum != transfer_->sum) {
    peer_.FileAborted(transfer_->name);
    Finish(FileResult::kWrongSum, "");
    return;
  }
  const AgentPeer::FileVerdict verdict = peer_.FileComplete(transfer_->name);
  Finish(verdict.accepted ? FileResult::kDone : FileResult::kRefused, verdict.text);
}

void AgentFiles::Finish(FileResult result, std::string_view text) {
  last_ = {transfer_->id, transfer_->received, result, std::string(text), true};
  transfer_.reset();
  Answer(last_.transfer, last_.received, result, text);
}

void AgentFiles::Answer(uint32_t transfer, uint64_t received, FileResult result,
                        std::string_view text) {
  std::erase_if(acks_, [transfer](const Ack& ack) { return ack.transfer == transfer; });
  if (acks_.size() >= kMaxAcks) acks_.erase(acks_.begin());
  acks_.push_back({transfer, received, result, std::string(text), true});
}

bool AgentFiles::has_cargo() const {
  return std::any_of(acks_.begin(), acks_.end(), [](const Ack& ack) { return ack.waits; });
}

void AgentFiles::Put(FrameWriter& writer, Manifest& manifest) {
  for (Ack& ack : acks_) {
    if (manifest.full()) return;
    if (!ack.waits || !writer.Put(FileAckFrame{ack.transfer, ack.received, ack.result, ack.text})) {
      continue;
    }
    ack.waits = false;
    manifest.Add({CargoKind::kFileAck, static_cast<uint64_t>(ack.result), ack.transfer, 0});
  }
}

void AgentFiles::Arrived(const Cargo& cargo) {
  std::erase_if(acks_, [&cargo](const Ack& ack) {
    return ack.transfer == cargo.b && static_cast<uint64_t>(ack.result) == cargo.a && !ack.waits;
  });
}

void AgentFiles::Lost(const Cargo& cargo) {
  for (Ack& ack : acks_) {
    if (ack.transfer == cargo.b && static_cast<uint64_t>(ack.result) == cargo.a) ack.waits = true;
  }
}

void AgentFiles::SendAllAgain() {
  for (Ack& ack : acks_) ack.waits = true;
}

}  // namespace ospatrol::secure::v2
