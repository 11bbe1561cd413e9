#include "alert/alert.h"

namespace ospatrol::alert {

std::string Alert::Where() const {
  if (hostname.empty() || hostname == location) return location;
  std::string where;
  where.reserve(hostname.size() + 2 + location.size());
  where += hostname;
  where += "->";
  where += location;
  return where;
}

}  // namespace ospatrol::alert
