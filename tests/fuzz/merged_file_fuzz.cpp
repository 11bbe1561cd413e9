// libraries: secure
// under test: shared/secure/merged_file.cpp
// merged.mg: what can be split has safe names, and is the same after merging it again.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "secure/merged_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ospatrol::secure;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const SplitFiles split = Split(text);
  if (!split.files) {
    if (split.problems.empty()) std::abort();
    return 0;
  }
  size_t total = 0;
  for (const SharedFile& file : *split.files) {
    if (SharedNameFault(file.name)) std::abort();
    total += file.content.size();
  }
  if (total > size) std::abort();
  const SplitFiles again = Split(Concatenate(*split.files));
  const auto same = [](const SharedFile& a, const SharedFile& b) {
    return a.name == b.name && a.content == b.content;
  };
  if (!again.files || !std::equal(again.files->begin(), again.files->end(), split.files->begin(),
                                  split.files->end(), same)) {
    std::abort();
  }
  const Merged merged = Merge(*split.files);
  if (!Split(merged.text).files) std::abort();
  return 0;
}
