// Takes the content of an EVENTS frame apart (batch.h). libdeflate needs half the time of zlib for
// a datagram; it is the manager's alone, agents read no batches.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "secure/v2/frames.h"

struct libdeflate_decompressor;

namespace ospatrol::secure::v2 {

// One per thread: about 11 KiB of state and 64 KiB of output.
class BatchReader {
 public:
  // The events of the frame, valid until the next call. Empty optional: broken data, a length that
  // does not fit, an event above kMaxEvent, or another count than the frame says.
  std::optional<std::span<const std::string_view>> Read(const EventsFrame& frame);

 private:
  struct Free {
    void operator()(libdeflate_decompressor* decompressor) const;
  };

  bool Inflate(const EventsFrame& frame);
  bool Split(Bytes raw, uint16_t count);

  std::unique_ptr<libdeflate_decompressor, Free> decompressor_;  // made at the first use
  std::vector<uint8_t> out_;
  std::vector<std::string_view> events_;
};

}  // namespace ospatrol::secure::v2
