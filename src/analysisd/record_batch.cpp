#include "analysisd/record_batch.h"

#include <utility>

namespace ospatrol::analysisd {
namespace {

constexpr size_t kMemoryKept = 4 * 1024 * 1024;  // of a buffer that grew in a burst

}  // namespace

void RecordBatch::Take(RecordBatch& later) {
  for (size_t i = 0; i < kOutputFiles; ++i) {
    Part& from = later.parts_[i];
    if (from.records == 0) continue;
    parts_[i].text += from.text;
    parts_[i].records += from.records;
    Clear(from);
  }
}

void RecordBatch::Clear(Part& part) {
  part.records = 0;
  part.text.clear();
  if (part.text.capacity() > kMemoryKept) part.text.shrink_to_fit();
}

uint64_t RecordBatch::records() const {
  uint64_t records = 0;
  for (const Part& part : parts_) records += part.records;
  return records;
}

size_t RecordBatch::bytes() const {
  size_t bytes = 0;
  for (const Part& part : parts_) bytes += part.text.size();
  return bytes;
}

}  // namespace ospatrol::analysisd
