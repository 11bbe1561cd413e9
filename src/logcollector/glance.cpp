#include "logcollector/glance.h"

#include <cerrno>

namespace ospatrol::logcollector {

Look LookAt(const std::string& path) {
  const auto facts = FactsOf(path);
  return facts ? Look{0, *facts} : Look{errno, {}};
}

bool Glance::IsSame(const Look& look, Clock::time_point now) {
  if (look != last_) {
    last_ = look;
    since_ = now;
    confirmed_ = false;
    return false;
  }
  if (confirmed_) return true;
  confirmed_ = now - since_ >= kSameTime;
  return false;
}

}  // namespace ospatrol::logcollector
