// Frames of queue/ospatrol/stream (wire-protocol 6.1): many events, their senders and numbers, in one packet.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::ipc {

inline constexpr size_t kMaxFrame = 128 * 1024;  // bytes
inline constexpr uint8_t kFrameVersion = 1;

using SenderId = std::array<uint8_t, 16>;  // random, made with the sender's durable state

struct Group {
  SenderId sender{};
  uint64_t first = 0;                    // number of the first event; numbers rise by one per event and sender
  std::vector<std::string_view> events;  // T:LOCATION:TEXT, views into the frame
};

struct Frame {
  uint64_t number = 0;  // rises by one on a connection, from 1
  std::vector<Group> groups;
};

// Checks every length, count and limit before anything is taken. False: malformed, `reason` says how.
bool ParseFrame(std::string_view bytes, Frame& frame, std::string& reason);

// Builds one frame, group by group. Reused: Clear keeps the memory.
class FrameBuilder {
 public:
  FrameBuilder();
  void Clear();

  // False when `event` would make the frame larger than kMaxFrame: send this frame, then add it to the next.
  // Events of one sender must come in order; another sender, or a gap, starts a new group. Numbers begin at 1. An event
  // above kMaxMessage (queue_message.h) is cut.
  bool Add(const SenderId& sender, uint64_t number, std::string_view event);

  bool empty() const { return events_ == 0; }
  size_t events() const { return events_; }
  // Completes the header; valid until the next call of a non-const method.
  std::string_view Finish(uint64_t frame_number);

 private:
  std::string bytes_;
  size_t events_ = 0;
  uint16_t groups_ = 0;
  size_t group_count_offset_ = 0;  // where the current group's event count stands
  uint16_t group_events_ = 0;
  SenderId sender_{};
  uint64_t next_number_ = 0;
};

// Gives a finished frame another number: after a reconnect numbers begin at 1 again.
void PatchFrameNumber(uint64_t frame_number, std::string& frame);

// The answer to frames: 8 bytes, the highest frame number taken.
std::string FormatAnswer(uint64_t frame_number);
bool ParseAnswer(std::string_view bytes, uint64_t& frame_number);

}  // namespace ospatrol::ipc
