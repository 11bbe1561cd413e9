#include "analysisd/processors.h"

#include <sched.h>

#include <algorithm>

namespace ospatrol::analysisd {

size_t Processors() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 1;
  return static_cast<size_t>(std::max(CPU_COUNT(&allowed), 1));
}

}  // namespace ospatrol::analysisd
