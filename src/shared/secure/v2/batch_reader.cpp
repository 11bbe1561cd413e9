#include "secure/v2/batch_reader.h"

#include <libdeflate.h>

#include "secure/v2/batch.h"
#include "secure/v2/big_endian.h"

namespace ospatrol::secure::v2 {

void BatchReader::Free::operator()(libdeflate_decompressor* decompressor) const {
  libdeflate_free_decompressor(decompressor);
}

bool BatchReader::Inflate(const EventsFrame& frame) {
  if (decompressor_ == nullptr) decompressor_.reset(libdeflate_alloc_decompressor());
  if (decompressor_ == nullptr) return false;
  out_.resize(kMaxRaw);
  size_t read = 0;
  // Without a place for the size of the output it must be just as long as the frame says.
  const libdeflate_result result = libdeflate_deflate_decompress_ex(
      decompressor_.get(), frame.data.data(), frame.data.size(), out_.data(), frame.raw_length,
      &read, /*actual_out_nbytes_ret=*/nullptr);
  return result == LIBDEFLATE_SUCCESS && read == frame.data.size();
}

bool BatchReader::Split(Bytes raw, uint16_t count) {
  events_.clear();
  Cursor cursor(raw);
  for (uint16_t i = 0; i < count; ++i) {
    const auto length = cursor.Number<uint16_t>();
    const Bytes event = cursor.Take(length);
    if (!cursor.ok() || length == 0 || length > kMaxEvent) return false;
    events_.push_back(AsText(event));
  }
  return cursor.rest().empty();
}

std::optional<std::span<const std::string_view>> BatchReader::Read(const EventsFrame& frame) {
  Bytes raw = frame.data;
  if (frame.codec == Codec::kDeflate) {
    if (!Inflate(frame)) return std::nullopt;
    raw = Bytes(out_).first(frame.raw_length);
  }
  if (raw.size() != frame.raw_length || !Split(raw, frame.count)) return std::nullopt;
  return events_;
}

}  // namespace ospatrol::secure::v2
