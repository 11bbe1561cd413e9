#include "secure/v2/manager_outbox.h"

#include <algorithm>

namespace ospatrol::secure::v2 {

namespace {

constexpr size_t kUsefulChunk = 64;  // less room is left for the next datagram

ControlOutcome OutcomeOf(ControlResult result) {
  switch (result) {
    case ControlResult::kDone:
      return ControlOutcome::kDone;
    case ControlResult::kRefused:
      return ControlOutcome::kRefused;
    case ControlResult::kFailed:
      break;
  }
  return ControlOutcome::kFailed;
}

FileOutcome OutcomeOf(FileResult result) {
  switch (result) {
    case FileResult::kDone:
      return FileOutcome::kDone;
    case FileResult::kRefused:
      return FileOutcome::kRefused;
    case FileResult::kWrongSum:
      return FileOutcome::kWrongSum;
    case FileResult::kGoesOn:
    case FileResult::kFailed:
      break;
  }
  return FileOutcome::kFailed;
}

uint64_t RandomNumber(RandomSource& random) { return RandomBelow(random, ~uint64_t{0}) + 1; }

}  // namespace

uint64_t ManagerOutbox::AddControl(RandomSource& random, std::string_view text, int64_t now_ms) {
  if (controls_.size() >= ManagerLink::kMaxControls || text.empty() ||
      text.size() > ControlFrame::kMaxText) {
    return 0;
  }
  const uint64_t number = RandomNumber(random);
  controls_.push_back({number, now_ms, std::string(text), true});
  return number;
}

bool ManagerOutbox::AddFile(RandomSource& random, ManagerPeer& peer, std::string_view name,
                            std::shared_ptr<const FileContent> content) {
  if (name.empty() || name.size() > FileFrame::kMaxName || !content) return false;
  const auto same_name = std::find_if(files_.begin(), files_.end(),
                                      [&](const File& file) { return file.name == name; });
  if (same_name != files_.end()) {
    if (same_name->content->sum == content->sum) return true;
    const File replaced = std::move(*same_name);
    files_.erase(same_name);
    peer.FileFinished(replaced.name, FileOutcome::kReplaced, "");
  }
  if (files_.size() >= ManagerLink::kMaxFiles) return false;
  File file;
  file.transfer = RandomConnectionId(random);
  file.name = name;
  file.content = std::move(content);
  files_.push_back(std::move(file));
  return true;
}

void ManagerOutbox::SetClose(CloseReason reason, std::string_view text) {
  has_close_ = true;
  close_reason_ = reason;
  close_text_ = text;
}

void ManagerOutbox::Expire(ManagerPeer& peer, int64_t now_ms) {
  while (!controls_.empty() && now_ms - controls_.front().queued_ms > kControlLifeMs) {
    const uint64_t number = controls_.front().number;
    controls_.erase(controls_.begin());
    peer.ControlFinished(number, ControlOutcome::kExpired, "");
  }
}

int64_t ManagerOutbox::next_expiry() const {
  return controls_.empty() ? kNever : controls_.front().queued_ms + kControlLifeMs + 1;
}

bool ManagerOutbox::Take(ManagerPeer& peer, const ControlAckFrame& ack) {
  const auto control = std::find_if(controls_.begin(), controls_.end(),
                                    [&](const Control& c) { return c.number == ack.number; });
  if (control == controls_.end()) return false;
  controls_.erase(control);
  peer.ControlFinished(ack.number, OutcomeOf(ack.result), ack.text);
  return true;
}

bool ManagerOutbox::Take(ManagerPeer& peer, const FileAckFrame& ack) {
  if (files_.empty() || files_.front().transfer != ack.transfer) return false;
  File& file = files_.front();
  if (ack.result == FileResult::kGoesOn) {
    if (ack.received > file.content->bytes.size()) return false;
    if (!file.open) {
      file.open = true;
      file.next = ack.received;
    }
    return true;
  }
  const File finished = std::move(file);
  files_.erase(files_.begin());
  peer.FileFinished(finished.name, OutcomeOf(ack.result), ack.text);
  return true;
}

bool ManagerOutbox::CanSend(const File& file) {
  if (!file.open) return !file.opening_sent;
  return !file.again.empty() || file.next < file.content->bytes.size();
}

bool ManagerOutbox::HasCargo() const {
  return std::any_of(controls_.begin(), controls_.end(),
                     [](const Control& c) { return c.waits; }) ||
         (!files_.empty() && CanSend(files_.front()));
}

void ManagerOutbox::Put(FrameWriter& writer, Manifest& manifest, int64_t began_ms) {
  PutControls(writer, manifest, began_ms);
  if (!manifest.full() && !files_.empty() && CanSend(files_.front())) PutFile(writer, manifest);
}

void ManagerOutbox::PutControls(FrameWriter& writer, Manifest& manifest, int64_t began_ms) {
  for (Control& control : controls_) {
    if (manifest.full()) return;
    if (!control.waits) continue;
    ControlFrame frame;
    frame.number = control.number;
    frame.queued_ms = control.queued_ms - began_ms;
    frame.text = control.text;
    if (!writer.Put(frame)) return;
    control.waits = false;
    manifest.Add({CargoKind::kControl, control.number, 0, 0});
  }
}

uint32_t ManagerOutbox::PutChunk(FrameWriter& writer, const File& file, uint64_t offset,
                                 uint64_t limit) {
  const std::string& bytes = file.content->bytes;
  FileFrame frame;
  frame.transfer = file.transfer;
  frame.size = bytes.size();
  frame.offset = offset;
  frame.sum = file.content->sum;
  frame.name = file.name;
  size_t head = kFrameHeaderSize + FileFrame::kHead;
  if (offset == 0) head += frame.sum.size() + 1 + frame.name.size();
  const uint64_t wanted = std::min<uint64_t>(limit, bytes.size() - offset);
  if (writer.room() < head + std::min<uint64_t>(wanted, kUsefulChunk)) return 0;
  const auto length = static_cast<size_t>(std::min<uint64_t>(wanted, writer.room() - head));
  frame.bytes = AsBytes(std::string_view(bytes).substr(offset, length));
  writer.Put(frame);
  return static_cast<uint32_t>(length);
}

void ManagerOutbox::PutFile(FrameWriter& writer, Manifest& manifest) {
  File& file = files_.front();
  const size_t before = writer.size();
  if (!file.open) {
    const uint32_t length = PutChunk(writer, file, 0, ~uint64_t{0});
    if (writer.size() == before) return;
    file.opening_sent = true;
    manifest.Add({CargoKind::kFile, 0, file.transfer, length});
    return;
  }
  if (!file.again.empty()) {
    auto& [offset, length] = file.again.back();
    const uint32_t sent = PutChunk(writer, file, offset, length);
    if (sent == 0) return;
    manifest.Add({CargoKind::kFile, offset, file.transfer, sent});
    offset += sent;
    length -= sent;
    if (length == 0) file.again.pop_back();
    return;
  }
  const uint32_t sent = PutChunk(writer, file, file.next, ~uint64_t{0});
  if (sent == 0) return;
  manifest.Add({CargoKind::kFile, file.next, file.transfer, sent});
  file.next += sent;
}

void ManagerOutbox::PutClose(FrameWriter& writer) {
  CloseFrame frame;
  frame.reason = static_cast<uint16_t>(close_reason_);
  frame.text = close_text_;
  // Without room behind the rest it goes with the next datagram.
  has_close_ = !writer.Put(frame);
}

void ManagerOutbox::Settle(const Sender::Fate& fate) {
  for (const Cargo& cargo : fate.lost) {
    if (cargo.kind == CargoKind::kControl) {
      for (Control& control : controls_) {
        if (control.number == cargo.a) control.waits = true;
      }
    } else if (cargo.kind == CargoKind::kFile && !files_.empty() &&
               files_.front().transfer == cargo.b) {
      File& file = files_.front();
      if (!file.open) {
        file.opening_sent = false;
      } else if (cargo.a > 0 && cargo.c > 0) {  // the first chunk was acknowledged by opening
        file.again.emplace_back(cargo.a, cargo.c);
      }
    }
  }
}

void ManagerOutbox::StartAgain() {
  fate_.Clear();
  sender_.Abandon(fate_);
  fate_.Clear();
  for (Control& control : controls_) control.waits = true;
  for (File& file : files_) {
    file.open = false;
    file.opening_sent = false;
    file.again.clear();
  }
}

size_t ManagerOutbox::heap_bytes() const {
  size_t bytes = sizeof(*this) + controls_.capacity() * sizeof(Control) +
                 files_.capacity() * sizeof(File) + close_text_.capacity() +
                 (fate_.arrived.capacity() + fate_.lost.capacity()) * sizeof(Cargo);
  for (const Control& control : controls_) bytes += control.text.capacity();
  return bytes + sender_.heap_bytes();
}

}  // namespace ospatrol::secure::v2
