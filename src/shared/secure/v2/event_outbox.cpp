#include "secure/v2/event_outbox.h"

#include <algorithm>

namespace ospatrol::secure::v2 {

namespace {

constexpr size_t kUsefulRoom = 200;  // with less left, a batch waits for the next datagram
constexpr size_t kUsefulPart = 400;
constexpr size_t kCrowded =
    400;  // more in front of an event than the largest ACK: try the next datagram

uint64_t GapEnd(const Cargo& cargo) { return uint64_t{cargo.b} << 32 | cargo.c; }

}  // namespace

void EventOutbox::Begin(uint64_t from, int64_t now_ms) {
  again_.clear();
  parts_again_.clear();
  part_.reset();
  next_ = std::max<uint64_t>(from, 1);
  waiting_since_ms_ = has_new() ? now_ms - AgentLink::kCollectMs : kNever;
}

void EventOutbox::Forget() {
  acknowledged_ = source_.first() - 1;
  sent_ = source_.next() - 1;
}

void EventOutbox::Added(int64_t now_ms, bool urgent) {
  if (urgent) urgent_until_ = source_.next();
  if (waiting_since_ms_ == kNever && has_new()) waiting_since_ms_ = now_ms;
}

bool EventOutbox::Fills(size_t room) const {
  const auto pending = static_cast<double>(source_.next() - next_) * (event_bytes_ + 2);
  return pending >= static_cast<double>(batch_.Target(room));
}

bool EventOutbox::IsReady(int64_t now_ms, bool idle, size_t room) const {
  if (has_again()) return true;
  if (!has_new()) return false;
  return idle || next_ < urgent_until_ || now_ms >= ready_at() || Fills(room);
}

int64_t EventOutbox::ready_at() const {
  if (has_again()) return 0;
  if (!has_new()) return kNever;
  return waiting_since_ms_ == kNever ? 0 : waiting_since_ms_ + AgentLink::kCollectMs;
}

void EventOutbox::AddAgain(Range range) {
  range.first = std::max(range.first, acknowledged_ + 1);
  if (range.first >= range.next) return;
  const auto at =
      std::lower_bound(again_.begin(), again_.end(), range,
                       [](const Range& a, const Range& b) { return a.first < b.first; });
  again_.insert(at, range);
  size_t kept = 0;
  for (size_t i = 1; i < again_.size(); ++i) {
    if (again_[i].first <= again_[kept].next) {
      again_[kept].next = std::max(again_[kept].next, again_[i].next);
    } else {
      again_[++kept] = again_[i];
    }
  }
  again_.resize(kept + 1);
}

void EventOutbox::Lost(const Cargo& cargo) {
  if (cargo.kind == CargoKind::kEvents) {
    AddAgain({cargo.a, cargo.a + cargo.b});
  } else if (cargo.kind == CargoKind::kGap) {
    AddAgain({cargo.a, GapEnd(cargo)});
  } else if (cargo.kind == CargoKind::kPart && cargo.a > acknowledged_) {
    parts_again_.push_back({cargo.a, cargo.b, cargo.b + cargo.c});
  }
}

bool EventOutbox::Stored(uint64_t number) {
  number = std::min(number, sent_);
  if (number <= acknowledged_) return false;
  acknowledged_ = number;
  next_ = std::max(next_, number + 1);
  std::erase_if(again_, [number](const Range& range) { return range.next <= number + 1; });
  if (!again_.empty()) again_[0].first = std::max(again_[0].first, number + 1);
  std::erase_if(parts_again_, [number](const Part& part) { return part.number <= number; });
  if (part_ && part_->number <= number) part_.reset();
  if (!has_new()) waiting_since_ms_ = kNever;
  source_.Acknowledged(number);
  return true;
}

void EventOutbox::Done(Range range) {
  sent_ = std::max(sent_, range.next - 1);
  if (!again_.empty() && range.first == again_[0].first) {
    again_[0].first = range.next;
    if (again_[0].first >= again_[0].next) again_.erase(again_.begin());
  } else if (range.first == next_) {
    next_ = range.next;
  }
}

void EventOutbox::Put(FrameWriter& writer, Manifest& manifest, int64_t now_ms) {
  const uint64_t before = next_;
  while (!manifest.full() && PutOne(writer, manifest) == Step::kPut) {
  }
  if (next_ != before) waiting_since_ms_ = has_new() ? now_ms : kNever;
}

EventOutbox::Step EventOutbox::PutOne(FrameWriter& writer, Manifest& manifest) {
  if (!parts_again_.empty()) return PutLostPart(writer, manifest);
  if (part_) {
    const Step step = PutPart(*part_, writer, manifest);
    if (step == Step::kNothing) part_.reset();
    return step == Step::kNothing ? PutOne(writer, manifest) : step;
  }
  if (!again_.empty()) return PutRange(again_[0], writer, manifest);
  if (has_new()) return PutRange({next_, source_.next()}, writer, manifest);
  return Step::kNothing;
}

EventOutbox::Step EventOutbox::PutLostPart(FrameWriter& writer, Manifest& manifest) {
  Part& part = parts_again_.back();
  const Step step = PutPart(part, writer, manifest);
  if (step == Step::kNothing || part.offset == part.end) parts_again_.pop_back();
  return step == Step::kNothing ? PutOne(writer, manifest) : step;
}

// kNothing: all of it was sent, or the source lost the event (then it is told as a gap).
EventOutbox::Step EventOutbox::PutPart(Part& part, FrameWriter& writer, Manifest& manifest) {
  const auto event = Event(part.number);
  if (!event) {
    AddAgain({part.number, part.number + 1});
    return Step::kNothing;
  }
  const auto total = static_cast<uint32_t>(event->size());
  const uint32_t end = part.end == 0 ? total : std::min(part.end, total);
  if (part.offset >= end) return Step::kNothing;
  constexpr size_t kHead = kFrameHeaderSize + PartFrame::kHead;
  const size_t wanted = end - part.offset;
  if (writer.room() < kHead + std::min(wanted, kUsefulPart)) return Step::kNoRoom;
  PartFrame frame;
  frame.number = part.number;
  frame.total = total;
  frame.offset = part.offset;
  frame.bytes = AsBytes(event->substr(part.offset, std::min(wanted, writer.room() - kHead)));
  writer.Put(frame);
  const auto length = static_cast<uint32_t>(frame.bytes.size());
  manifest.Add({CargoKind::kPart, part.number, part.offset, length});
  part.offset += length;
  return Step::kPut;
}

std::optional<std::string_view> EventOutbox::Event(uint64_t number) {
  if (number < source_.first()) return std::nullopt;
  const auto event = source_.Event(number);
  if (!event || event->empty() || event->size() > kMaxEvent) return std::nullopt;
  return event;
}

EventOutbox::Range EventOutbox::Missing(Range range) {
  Range missing{range.first, std::min(range.next, std::max(range.first, source_.first()))};
  while (missing.next < range.next && !Event(missing.next)) ++missing.next;
  return missing;
}

EventOutbox::Step EventOutbox::PutGap(Range gap, FrameWriter& writer, Manifest& manifest) {
  if (!writer.Put(GapFrame{gap.first, gap.next})) return Step::kNoRoom;
  manifest.Add({CargoKind::kGap, gap.first, static_cast<uint32_t>(gap.next >> 32),
                static_cast<uint32_t>(gap.next & 0xFFFFFFFF)});
  Done(gap);
  return Step::kPut;
}

EventOutbox::Step EventOutbox::PutRange(Range range, FrameWriter& writer, Manifest& manifest) {
  const Range missing = Missing(range);
  if (missing.next > missing.first) return PutGap(missing, writer, manifest);
  if (writer.room() < kUsefulRoom) return Step::kNoRoom;
  batch_.Begin(range.first);
  uint64_t number = range.first;
  for (; number < range.next; ++number) {
    const auto event = Event(number);
    if (!event || !batch_.Add(*event, writer.room())) break;
    event_bytes_ += (static_cast<double>(event->size()) - event_bytes_) / 64;
  }
  const size_t before = writer.size();
  const uint16_t count = batch_.Put(writer);
  if (count == 0) {
    // Does the first event fit into no datagram, or only not behind what is in this one?
    if (before > kCrowded) return Step::kNoRoom;
    part_ = Part{range.first, 0, 0};
    Done({range.first, range.first + 1});
    return PutOne(writer, manifest);
  }
  manifest.Add({CargoKind::kEvents, range.first, count, 0});
  Done({range.first, range.first + count});
  return Step::kPut;
}

}  // namespace ospatrol::secure::v2
