#include "secure/v2/batch.h"

#include <algorithm>

#include "secure/v2/big_endian.h"

namespace ospatrol::secure::v2 {

namespace {

// An 8 KiB window covers what fits into a usual datagram, and keeps the agent small.
constexpr int kWindowBits = 13;
constexpr int kMemoryLevel = 6;
constexpr int kLevel = 4;
constexpr size_t kSmall = 64;  // below, deflate does not pay

// zlib's interface is not const, though inputs are not changed.
Bytef* Input(Bytes bytes) {
  return const_cast<Bytef*>(bytes.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

}  // namespace

Deflater::~Deflater() {
  if (ready_) deflateEnd(&stream_);
}

size_t Deflater::Deflate(Bytes raw, MutableBytes out) {
  if (!ready_) {
    ready_ = deflateInit2(&stream_, kLevel, Z_DEFLATED, -kWindowBits, kMemoryLevel,
                          Z_DEFAULT_STRATEGY) == Z_OK;
    if (!ready_) return 0;
  } else if (deflateReset(&stream_) != Z_OK) {
    return 0;
  }
  stream_.next_in = Input(raw);
  stream_.avail_in = static_cast<uInt>(raw.size());
  stream_.next_out = out.data();
  stream_.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream_, Z_FINISH) != Z_STREAM_END) return 0;
  return out.size() - stream_.avail_out;
}

void BatchBuilder::Begin(uint64_t first) {
  first_ = first;
  raw_.clear();
  ends_.clear();
}

size_t BatchBuilder::Target(size_t room) const {
  return std::min(kMaxRaw, static_cast<size_t>(static_cast<double>(room) * ratio_));
}

bool BatchBuilder::Add(std::string_view event, size_t room) {
  const size_t end = raw_.size() + 2 + event.size();
  if (end > kMaxRaw || ends_.size() == 0xFFFF) return false;
  // The first one always: whether it fits is found out by trying.
  if (!ends_.empty() && end > Target(room)) return false;
  std::array<uint8_t, 2> length{};
  PutNumber(MutableBytes(length), static_cast<uint16_t>(event.size()));
  raw_.insert(raw_.end(), length.begin(), length.end());
  const Bytes bytes = AsBytes(event);
  raw_.insert(raw_.end(), bytes.begin(), bytes.end());
  ends_.push_back(static_cast<uint32_t>(end));
  return true;
}

uint16_t BatchBuilder::Put(FrameWriter& writer) {
  constexpr size_t kHead = kFrameHeaderSize + EventsFrame::kHead;
  if (ends_.empty() || writer.room() <= kHead) return 0;
  const size_t room = writer.room() - kHead;
  packed_.resize(std::max(packed_.size(), room));
  for (size_t count = ends_.size(); count > 0;) {
    const Bytes raw = Bytes(raw_).first(ends_[count - 1]);
    EventsFrame frame;
    frame.first = first_;
    frame.count = static_cast<uint16_t>(count);
    frame.raw_length = static_cast<uint16_t>(raw.size());
    const size_t packed =
        raw.size() < kSmall ? 0 : deflater_.Deflate(raw, MutableBytes(packed_).first(room));
    if (packed > 0 && packed < raw.size()) {
      frame.codec = Codec::kDeflate;
      frame.data = Bytes(packed_).first(packed);
      // Follows slowly, and only what is long enough to tell; aims a little below what fits.
      if (packed > room / 2) {
        const double seen = static_cast<double>(raw.size()) / static_cast<double>(packed);
        ratio_ += (std::clamp(seen, 1.0, 50.0) * 0.97 - ratio_) / 8;
      }
    } else {
      frame.data = raw;
    }
    if (frame.data.size() <= room) {
      writer.Put(frame);
      return static_cast<uint16_t>(count);
    }
    // Too much: the estimate was too high. A fifth less, at least one event.
    if (count == 1) break;
    ratio_ = std::max(1.0, ratio_ * 0.95);
    const size_t limit = static_cast<size_t>(static_cast<double>(raw.size()) * 0.8);
    while (count > 1 && ends_[count - 1] > limit) --count;
  }
  return 0;
}

}  // namespace ospatrol::secure::v2
