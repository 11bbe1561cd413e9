// libraries: pattern base
// under test: shared/pattern/literal_scan.cpp shared/pattern/four_byte_map.cpp
// The first lines, up to an empty one, are texts, the rest is what they are looked for in: both
// ways of looking find what a plain search finds, and nothing is read outside.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "pattern/literal_scan.h"

namespace {

using namespace ospatrol;           // NOLINT: a fuzz target
using namespace ospatrol::pattern;  // NOLINT: a fuzz target

bool IsText(std::string_view line) {
  for (const char c : line) {
    if (static_cast<uint8_t>(c) >= 0x80) return false;
  }
  return line.size() >= LiteralScan::kShortestText;
}

std::set<uint32_t> Find(FourByteMap::Method method, const std::vector<LiteralScan::Text>& texts,
                        std::string_view subject) {
  std::set<uint32_t> found;
  LiteralScan(texts, method).Scan(subject, [&](uint32_t number) { found.insert(number); });
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::set<std::string> lines;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty()) break;
    if (IsText(line)) lines.insert(base::ToLower(line));
  }
  // In a block of its own, so that reading beyond it is seen.
  const std::vector<char> subject(rest.begin(), rest.end());
  const std::string lower = base::ToLower(rest);
  std::vector<LiteralScan::Text> texts;
  std::set<uint32_t> expected;
  for (const std::string& line : lines) {
    const auto number = static_cast<uint32_t>(texts.size());
    texts.push_back({line, number});
    if (lower.find(line) != std::string::npos) expected.insert(number);
  }
  for (const auto method : {FourByteMap::Method::kFastest, FourByteMap::Method::kPlain}) {
    if (Find(method, texts, {subject.data(), subject.size()}) != expected) std::abort();
  }
  return 0;
}
