// libraries: logcollector
// under test: logcollector/line_reader.cpp
// The first bytes choose split points and a flush; the rest is the file. However it is split, the
// events are the same, and reading can go on behind each of them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "logcollector/line_reader.h"

namespace {

using ospatrol::logcollector::LineReader;
using ospatrol::logcollector::Record;

struct Event {
  std::string text;
  uint64_t end = 0;
  std::string state;
  bool operator==(const Event&) const = default;
};

void Check(bool holds) {
  if (!holds) std::abort();
}

void Take(LineReader& reader, std::vector<Event>& events) {
  Record record;
  while (reader.Next(record)) {
    Check(record.text.size() <= LineReader::kMaxLine && !record.text.empty());
    Check(record.text.find_first_of(std::string_view("\0\n\r", 3)) == std::string_view::npos);
    events.push_back({std::string(record.text), record.end, std::string(record.state)});
  }
}

// Reads `bytes`, which stand at `offset`, in pieces whose sizes are `sizes`, over and over. Flushes
// at `cut` if that lies behind the offset: like the collector, no piece goes across it.
std::vector<Event> ReadAll(std::string_view bytes, uint64_t offset, std::string_view state,
                           const std::vector<size_t>& sizes, uint64_t cut) {
  LineReader reader;
  reader.Resume(offset, state);
  std::vector<Event> events;
  uint64_t at = offset;
  for (size_t i = 0; !bytes.empty(); ++i) {
    size_t size = std::min(sizes[i % sizes.size()], bytes.size());
    if (cut > at) size = std::min<uint64_t>(size, cut - at);
    reader.Append(bytes.substr(0, size));
    bytes.remove_prefix(size);
    at += size;
    Take(reader, events);
    if (at == cut && reader.consumed() == cut) {
      reader.Flush();
      Take(reader, events);
    }
  }
  Check(reader.boundary() <= reader.consumed() && reader.consumed() <= at);
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kControls = 4;
  if (size < kControls) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + kControls, size - kControls);
  const std::vector<size_t> pieces = {size_t{data[0]} + 1, size_t{data[1]} + 1,
                                      size_t{data[2]} * 64 + 1};
  const uint64_t cut = data[3] * (bytes.size() / 256 + 1);

  const std::vector<Event> whole = ReadAll(bytes, 0, {}, {bytes.size() + 1}, cut);
  Check(ReadAll(bytes, 0, {}, pieces, cut) == whole);
  Check(ReadAll(bytes, 0, {}, {1}, cut) == whole);

  size_t tried = 0;
  for (size_t i = 0; i < whole.size() && tried < 8; i += whole.size() / 8 + 1, ++tried) {
    const std::vector<Event> rest(whole.begin() + static_cast<std::ptrdiff_t>(i) + 1, whole.end());
    Check(ReadAll(bytes.substr(whole[i].end), whole[i].end, whole[i].state, pieces, cut) == rest);
  }
  return 0;
}
