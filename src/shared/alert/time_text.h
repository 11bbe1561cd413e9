// "2026 Aug 12 16:55:11" for record after record of the same second.
#pragma once

#include <string_view>

#include "base/time.h"

namespace ospatrol::alert {

// As base::AlertTime. Valid until the next call on this thread.
std::string_view TimeText(base::Seconds when);

}  // namespace ospatrol::alert
