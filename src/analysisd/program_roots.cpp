#include "analysisd/program_roots.h"

#include <atomic>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>

#include "analysisd/decoder.h"
#include "analysisd/text_hash.h"

namespace ospatrol::analysisd {
namespace {

// Names are made up by whoever may write logs: what is remembered of them stays small.
constexpr size_t kLongestName = 64;
constexpr size_t kMostNames = 1024;

using Roots = std::vector<const Decoder*>;

struct Memory {
  uint64_t owner = 0;  // whose answers these are
  std::unordered_map<std::string, Roots, TextHash, std::equal_to<>> by_name;
  Roots last;  // of a name that is not remembered
};

std::atomic<uint64_t> last_number = 0;

}  // namespace

ProgramRoots::ProgramRoots() : number_(++last_number) {}

std::span<const Decoder* const> ProgramRoots::Of(std::string_view program) const {
  thread_local Memory all_memory;
  Memory& memory = all_memory;
  if (memory.owner != number_) {
    memory.by_name.clear();
    memory.owner = number_;
  }
  const auto known = memory.by_name.find(program);
  if (known != memory.by_name.end()) return known->second;
  if (program.size() > kLongestName) return memory.last = Find(program);
  if (memory.by_name.size() >= kMostNames) memory.by_name.clear();
  return memory.by_name.emplace(program, Find(program)).first->second;
}

std::vector<const Decoder*> ProgramRoots::Find(std::string_view program) const {
  Roots found;
  index_.ForEach(program, [&](const Decoder& root) {
    if (root.program_name.pattern->Matches(program)) found.push_back(&root);
    return false;
  });
  return found;
}

}  // namespace ospatrol::analysisd
