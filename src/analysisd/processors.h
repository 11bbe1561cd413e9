#pragma once

#include <cstddef>

namespace ospatrol::analysisd {

// How many processors this process may run on, at least 1.
size_t Processors();

}  // namespace ospatrol::analysisd
