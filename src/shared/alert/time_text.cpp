#include "alert/time_text.h"

#include <string>

namespace ospatrol::alert {

std::string_view TimeText(base::Seconds when) {
  thread_local base::Seconds known = -1;
  thread_local std::string text;
  if (when != known || text.empty()) {
    text = base::AlertTime(when);
    known = when;
  }
  return text;
}

}  // namespace ospatrol::alert
