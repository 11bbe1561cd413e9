#include "ipc/frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "ipc/queue_message.h"

namespace ospatrol::ipc {
namespace {

constexpr size_t kNumberOffset = 1;
constexpr size_t kGroupsOffset = kNumberOffset + 8;
constexpr size_t kHeader = kGroupsOffset + 2;
constexpr size_t kGroupHeader = sizeof(SenderId) + 8 + 2;
constexpr size_t kEventHeader = 4;
constexpr size_t kAnswer = 8;

template <typename Int>
void Store(Int value, char* to) {
  for (size_t i = sizeof(Int); i-- > 0; value = static_cast<Int>(value >> 8)) {
    to[i] = static_cast<char>(value & 0xff);
  }
}

template <typename Int>
void Append(Int value, std::string& out) {
  char bytes[sizeof(Int)];
  if constexpr (sizeof(Int) == 1) {
    bytes[0] = static_cast<char>(value);
  } else {
    Store(value, bytes);
  }
  out.append(bytes, sizeof(bytes));
}

// Takes values off the front of a frame; once something was missing, everything is.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename Int>
  Int Integer() {
    Int value = 0;
    for (const char c : Bytes(sizeof(Int))) {
      value = static_cast<Int>(static_cast<uint64_t>(value) << 8 | static_cast<uint8_t>(c));
    }
    return value;
  }

  std::string_view Bytes(size_t count) {
    if (count > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

  bool ok() const { return ok_; }
  size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

bool Fail(std::string& reason, std::string text) {
  reason = std::move(text);
  return false;
}

bool ParseGroup(Reader& in, size_t index, Group& group, std::string& reason) {
  const std::string_view sender = in.Bytes(sizeof(SenderId));
  group.first = in.Integer<uint64_t>();
  const size_t count = in.Integer<uint16_t>();
  if (!in.ok()) return Fail(reason, fmt::format("ends inside the header of group {}", index + 1));
  std::memcpy(group.sender.data(), sender.data(), sender.size());
  if (count == 0) return Fail(reason, fmt::format("group {} has no events", index + 1));
  // Refused before memory is set aside for what cannot be there.
  if (count > in.left() / kEventHeader) {
    return Fail(reason, fmt::format("group {} announces {} events in {} bytes", index + 1, count,
                                    in.left()));
  }
  if (group.first == 0 || group.first > std::numeric_limits<uint64_t>::max() - count) {
    return Fail(reason,
                fmt::format("group {} begins with event number {}", index + 1, group.first));
  }
  group.events.clear();
  group.events.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t length = in.Integer<uint32_t>();
    if (in.ok() && length > kMaxMessage) {
      return Fail(reason, fmt::format("event {} of group {} announces {} bytes, more than {}",
                                      i + 1, index + 1, length, kMaxMessage));
    }
    group.events.push_back(in.Bytes(length));
    if (!in.ok()) {
      return Fail(reason, fmt::format("ends inside event {} of group {}", i + 1, index + 1));
    }
  }
  return true;
}

}  // namespace

bool ParseFrame(std::string_view bytes, Frame& frame, std::string& reason) {
  if (bytes.size() > kMaxFrame) {
    return Fail(reason, fmt::format("{} bytes, more than {}", bytes.size(), kMaxFrame));
  }
  Reader in(bytes);
  const unsigned version = in.Integer<uint8_t>();
  if (in.ok() && version != kFrameVersion) {
    return Fail(reason, fmt::format("version {}, expected {}", version, kFrameVersion));
  }
  frame.number = in.Integer<uint64_t>();
  const size_t groups = in.Integer<uint16_t>();
  if (!in.ok()) return Fail(reason, fmt::format("{} bytes, less than a header", bytes.size()));
  if (groups == 0) return Fail(reason, "no groups");
  if (groups > in.left() / (kGroupHeader + kEventHeader)) {
    return Fail(reason, fmt::format("announces {} groups in {} bytes", groups, in.left()));
  }
  frame.groups.resize(groups);
  for (size_t i = 0; i < groups; ++i) {
    if (!ParseGroup(in, i, frame.groups[i], reason)) return false;
  }
  if (in.left() > 0) {
    return Fail(reason, fmt::format("{} bytes behind the last event", in.left()));
  }
  return true;
}

FrameBuilder::FrameBuilder() { Clear(); }

void FrameBuilder::Clear() {
  bytes_.clear();
  Append(kFrameVersion, bytes_);
  bytes_.resize(kHeader, '\0');
  events_ = 0;
  groups_ = 0;
  group_count_offset_ = 0;
  group_events_ = 0;
  next_number_ = 0;
}

bool FrameBuilder::Add(const SenderId& sender, uint64_t number, std::string_view event) {
  event = event.substr(0, kMaxMessage);
  const bool same_group = groups_ > 0 && sender == sender_ && number == next_number_ &&
                          group_events_ < std::numeric_limits<uint16_t>::max();
  const size_t needed = (same_group ? 0 : kGroupHeader) + kEventHeader + event.size();
  if (bytes_.size() + needed > kMaxFrame) return false;
  if (!same_group) {
    bytes_.append(reinterpret_cast<const char*>(sender.data()), sender.size());
    Append(number, bytes_);
    group_count_offset_ = bytes_.size();
    Append(uint16_t{0}, bytes_);
    ++groups_;
    group_events_ = 0;
    sender_ = sender;
  }
  Append(static_cast<uint32_t>(event.size()), bytes_);
  bytes_ += event;
  ++group_events_;
  ++events_;
  next_number_ = number + 1;
  Store(group_events_, &bytes_[group_count_offset_]);
  return true;
}

std::string_view FrameBuilder::Finish(uint64_t frame_number) {
  PatchFrameNumber(frame_number, bytes_);
  Store(groups_, &bytes_[kGroupsOffset]);
  return bytes_;
}

void PatchFrameNumber(uint64_t frame_number, std::string& frame) {
  Store(frame_number, &frame[kNumberOffset]);
}

std::string FormatAnswer(uint64_t frame_number) {
  std::string bytes;
  Append(frame_number, bytes);
  return bytes;
}

bool ParseAnswer(std::string_view bytes, uint64_t& frame_number) {
  if (bytes.size() != kAnswer) return false;
  frame_number = Reader(bytes).Integer<uint64_t>();
  return true;
}

}  // namespace ospatrol::ipc
