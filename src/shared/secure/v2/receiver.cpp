#include "secure/v2/receiver.h"

#include <algorithm>

namespace ospatrol::secure::v2 {

namespace {

constexpr size_t kOverhead = 128;   // of a held entry, beside its bytes
constexpr size_t kMaxPieces = 256;  // of an event, apart: whole datagrams make far fewer

}  // namespace

bool HoldingBudget::Take(size_t bytes) {
  if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit_) return true;
  Give(bytes);
  return false;
}

Receiver::~Receiver() { ForgetAll(); }

size_t Receiver::Cost(const Held& held) { return kOverhead + held.bytes.size(); }

bool Receiver::IsWhole(const Held& held) {
  return held.kind != Kind::kParts || (held.present.size() == 1 && held.present[0].first == 0 &&
                                       held.present[0].second == held.bytes.size());
}

void Receiver::Forget(std::map<uint64_t, Held>::iterator held) {
  const size_t cost = Cost(held->second);
  budget_->Give(cost);
  held_bytes_ -= cost;
  held_.erase(held);
}

void Receiver::ForgetAll() {
  while (!held_.empty()) Forget(held_.begin());
}

void Receiver::Begin(const SpoolId& spool, uint64_t stored, uint64_t first) {
  if (spool != spool_) {
    ForgetAll();
    gaps_.clear();
    spool_ = spool;
    expected_ = 1;
    stored_ = 0;
  }
  stored_ = std::max({stored_, stored, first - 1});
  expected_ = std::max(expected_, stored_ + 1);
  StepOverGaps();
  while (!held_.empty() && held_.begin()->second.next <= expected_) Forget(held_.begin());
}

bool Receiver::Stored(uint64_t number) {
  number = std::min(number, delivered());
  if (number <= stored_) return false;
  stored_ = number;
  StepOverGaps();
  return true;
}

void Receiver::Skip(uint64_t next) {
  gaps_.push_back({expected_, next});
  expected_ = next;
  StepOverGaps();
}

void Receiver::StepOverGaps() {
  auto gap = gaps_.begin();
  for (; gap != gaps_.end() && gap->first <= stored_ + 1; ++gap) {
    stored_ = std::max(stored_, gap->next - 1);
  }
  gaps_.erase(gaps_.begin(), gap);
}

bool Receiver::MakeRoom(size_t bytes, bool anyway) {
  if (anyway) {
    budget_->TakeAnyway(bytes);
  } else if (held_bytes_ + bytes > kMaxHeld || !budget_->Take(bytes)) {
    return false;
  }
  held_bytes_ += bytes;
  return true;
}

Receiver::Taken Receiver::Hold(uint64_t first, Held held) {
  const auto known = held_.find(first);
  if (known != held_.end()) {
    if (known->second.kind != Kind::kParts && known->second.next >= held.next) {
      return Taken::kTaken;
    }
    if (!MakeRoom(Cost(held), false)) return Taken::kNoRoom;
    Forget(known);
  } else if (!MakeRoom(Cost(held), false)) {
    return Taken::kNoRoom;
  }
  held_.emplace(first, std::move(held));
  return Taken::kTaken;
}

Receiver::Taken Receiver::Take(const EventsFrame& frame, BatchReader& reader, EventSink& sink) {
  const uint64_t next = frame.first + frame.count;
  if (next <= expected_) return Taken::kTaken;
  const auto events = reader.Read(frame);
  if (!events) return Taken::kMalformed;
  if (frame.first > expected_) {
    Held held;
    held.kind = Kind::kEvents;
    held.codec = frame.codec;
    held.count = frame.count;
    held.raw_length = frame.raw_length;
    held.next = next;
    held.bytes.assign(frame.data.begin(), frame.data.end());
    return Hold(frame.first, std::move(held));
  }
  if (!sink.Deliver(spool_, expected_, events->subspan(expected_ - frame.first))) {
    return Taken::kFull;
  }
  expected_ = next;
  Drain(reader, sink);
  return Taken::kTaken;
}

Receiver::Taken Receiver::Take(const PartFrame& frame, BatchReader& reader, EventSink& sink) {
  if (frame.number < expected_) return Taken::kTaken;
  auto known = held_.find(frame.number);
  if (known == held_.end()) {
    Held held;
    held.kind = Kind::kParts;
    held.next = frame.number + 1;
    // The event that everything waits for is always taken: what is held behind it was acknowledged
    // and cannot go.
    if (!MakeRoom(kOverhead + frame.total, frame.number == expected_)) return Taken::kNoRoom;
    held.bytes.resize(frame.total);
    known = held_.emplace(frame.number, std::move(held)).first;
  }
  Held& held = known->second;
  if (held.kind != Kind::kParts) return Taken::kTaken;
  if (held.bytes.size() != frame.total) return Taken::kMalformed;
  if (held.present.size() >= kMaxPieces) return Taken::kNoRoom;
  std::copy(frame.bytes.begin(), frame.bytes.end(), held.bytes.begin() + frame.offset);
  held.present.emplace_back(frame.offset, frame.offset + static_cast<uint32_t>(frame.bytes.size()));
  std::sort(held.present.begin(), held.present.end());
  size_t kept = 0;
  for (size_t i = 1; i < held.present.size(); ++i) {
    if (held.present[i].first <= held.present[kept].second) {
      held.present[kept].second = std::max(held.present[kept].second, held.present[i].second);
    } else {
      held.present[++kept] = held.present[i];
    }
  }
  held.present.resize(kept + 1);
  Drain(reader, sink);
  return Taken::kTaken;
}

Receiver::Taken Receiver::Take(const GapFrame& frame, BatchReader& reader, EventSink& sink) {
  if (frame.next <= expected_) return Taken::kTaken;
  if (frame.first > expected_) {
    Held held;
    held.next = frame.next;
    return Hold(frame.first, std::move(held));
  }
  Skip(frame.next);
  Drain(reader, sink);
  return Taken::kTaken;
}

bool Receiver::has_waiting() const {
  return !held_.empty() && held_.begin()->first <= expected_ && IsWhole(held_.begin()->second);
}

bool Receiver::DeliverHeld(uint64_t first, const Held& held, BatchReader& reader, EventSink& sink) {
  if (held.kind == Kind::kGap) {
    Skip(held.next);
    return true;
  }
  if (held.kind == Kind::kParts) {
    const std::string_view event = AsText(held.bytes);
    if (!sink.Deliver(spool_, first, {&event, 1})) return false;
  } else {
    EventsFrame frame;
    frame.first = first;
    frame.count = held.count;
    frame.codec = held.codec;
    frame.raw_length = held.raw_length;
    frame.data = held.bytes;
    const auto events = reader.Read(frame);  // was readable when it came
    if (events && !sink.Deliver(spool_, expected_, events->subspan(expected_ - first))) {
      return false;
    }
  }
  expected_ = held.next;
  return true;
}

bool Receiver::Drain(BatchReader& reader, EventSink& sink) {
  while (!held_.empty() && held_.begin()->first <= expected_) {
    const auto held = held_.begin();
    if (held->second.next > expected_) {
      if (!IsWhole(held->second)) break;
      if (!DeliverHeld(held->first, held->second, reader, sink)) return false;
    }
    Forget(held);
  }
  return true;
}

}  // namespace ospatrol::secure::v2
