// The content of an EVENTS frame, put together: count x (length (2), text), deflated (RFC 1951)
// when that makes it smaller. No codec state crosses packets: each can be lost alone.
// batch_reader.h takes it apart.
#pragma once

#include <zlib.h>

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
