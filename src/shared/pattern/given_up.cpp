#include "pattern/given_up.h"

#include <mutex>

namespace ospatrol::pattern {
namespace {

struct Last {
  std::mutex mutex;
  std::string pattern;
};

Last& TheLast() {
  static Last last;
  return last;
}

}  // namespace

void CountGivenUp(std::string_view pattern) {
  GivenUpSearches().fetch_add(1, std::memory_order_relaxed);
  // Any of them will do: no thread waits for another.
  const std::unique_lock lock(TheLast().mutex, std::try_to_lock);
  if (lock.owns_lock()) TheLast().pattern = pattern.substr(0, kMaxGivenUpText);
}

std::string LastGivenUp() {
  const std::scoped_lock lock(TheLast().mutex);
  return TheLast().pattern;
}

}  // namespace ospatrol::pattern
