#include "analysisd/first_seen.h"

#include <algorithm>
#include <array>
#include <utility>

#include "analysisd/decoder.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kMaxLine = 255;
constexpr int kSimilarLines = 3;

size_t CommonPrefix(std::string_view a, std::string_view b) {
  const size_t length = std::min(a.size(), b.size());
  size_t i = 0;
  while (i < length && a[i] == b[i]) ++i;
  return i;
}

}  // namespace

std::string FirstSeenLine(const Event& event) {
  const unsigned selected = event.decoder->fts;
  const std::array<std::pair<FtsField, std::string_view>, 8> values = {{
      {kFtsId, event.Get(Field::kId)},
      {kFtsDstUser, event.Get(Field::kDstUser)},
      {kFtsSrcUser, event.Get(Field::kSrcUser)},
      {kFtsSrcIp, event.Get(Field::kSrcIp)},
      {kFtsDstIp, event.Get(Field::kDstIp)},
      {kFtsData, event.Get(Field::kData)},
      {kFtsSystemName, event.Get(Field::kSystemName)},
      {kFtsLocation, event.location},
  }};
  std::string line(event.decoder_name);
  for (const auto& [bit, value] : values) {
    line.push_back(' ');
    if ((selected & bit) != 0) line.append(value);
  }
  line.resize(std::min(line.size(), kMaxLine));
  return line;
}

FirstSeen::FirstSeen(const EngineOptions& options)
    : window_size_(static_cast<size_t>(std::max(options.fts_list_size, 0))),
      prefix_size_(static_cast<size_t>(std::max(options.fts_min_size_for_str, 0))) {}

bool FirstSeen::Test(const Event& event, EngineState& state) {
  if (event.decoder == nullptr) return false;
  if (event.decoder == &Builtin(BuiltinDecoder::kRootcheck)) return event.first_seen;
  if (event.decoder->fts == 0) return false;
  std::string line = FirstSeenLine(event);
  if (event.category != Category::kIds) return state.RememberFirstSeen(line);
  if (state.KnowsFirstSeen(line)) return false;
  CutWhenSimilar(line);
  if (!state.RememberFirstSeen(line)) return false;
  window_.push_front(std::move(line));
  if (window_.size() > window_size_) window_.pop_back();
  return true;
}

void FirstSeen::CutWhenSimilar(std::string& line) const {
  const auto similar = std::count_if(window_.begin(), window_.end(), [&](const std::string& known) {
    return CommonPrefix(known, line) > prefix_size_;
  });
  if (similar >= kSimilarLines) line.resize(prefix_size_);
}

}  // namespace ospatrol::analysisd
