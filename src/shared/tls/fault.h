// Text of OpenSSL's errors.
#pragma once

#include <string>

namespace ospatrol::tls {

// The first error of this thread's queue as one phrase; empties the queue.
std::string TakeFault();

}  // namespace ospatrol::tls
