// The content of an EVENTS frame: count x (length (2), text), deflated (RFC 1951) when that makes
// it smaller. No codec state crosses packets: each can be lost alone.
#pragma once

#include <zlib.h>

#include <optional>
#include <string_view>
#include <vector>

#include "secure/v2/frames.h"

namespace ospatrol::secure::v2 {

inline constexpr size_t kMaxRaw = 65535;

// Compresses. About 70 KiB of state, made at the first use.
class Deflater {
 public:
  Deflater() = default;
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // Bytes written to `out`; 0 when they do not fit.
  size_t Deflate(Bytes raw, MutableBytes out);

 private:
  z_stream stream_{};
  bool ready_ = false;
};

// Decompresses and splits; one per thread (about 10 KiB of state and 64 KiB of output).
class BatchReader {
 public:
  BatchReader() = default;
  ~BatchReader();
  BatchReader(const BatchReader&) = delete;
  BatchReader& operator=(const BatchReader&) = delete;

  // The events of the frame, valid until the next call. Empty optional: broken data, a length that
  // does not fit, an event above kMaxEvent, or another count than the frame says.
  std::optional<std::span<const std::string_view>> Read(const EventsFrame& frame);

 private:
  bool Inflate(const EventsFrame& frame);
  bool Split(Bytes raw, uint16_t count);

  z_stream stream_{};
  bool ready_ = false;
  std::vector<uint8_t> out_;
  std::vector<std::string_view> events_;
};

// Chooses how many events go into a datagram: reads ahead by the ratio that the last batches
// reached, compresses, and takes fewer when they do not fit.
class BatchBuilder {
 public:
  // Starts a batch with event `first`.
  void Begin(uint64_t first);
  // False: full by the estimate (or by the limits of the frame); the event is not in. REQUIRES:
  // numbers without gap.
  bool Add(std::string_view event, size_t room);
  bool empty() const { return ends_.empty(); }

  // Puts the largest prefix of the batch that fits into `writer`. Gives the number of events put;
  // 0: not even the first one fits (send it as PART).
  uint16_t Put(FrameWriter& writer);

  // Raw bytes that are likely to fill `room`.
  size_t Target(size_t room) const;

 private:
  Deflater deflater_;
  std::vector<uint8_t> raw_;
  std::vector<uint32_t> ends_;  // of each event in raw_
  std::vector<uint8_t> packed_;
  uint64_t first_ = 0;
  double ratio_ = 3.0;  // raw bytes per packed byte
};

}  // namespace ospatrol::secure::v2
