// Lines of the log about peers: at most one a minute of each kind, with a count.
#pragma once

#include "log/log.h"

namespace ospatrol::authd {

// Thread-safe, as log::Limited is.
struct Notices {
  log::Limited<msg::kAuthdHandshake> handshake;
  log::Limited<msg::kAuthdBadPassword> password;
  log::Limited<msg::kAuthdBadRequest> request;
  log::Limited<msg::kAuthdBadName> name;
  log::Limited<msg::kAuthdAddressTaken> address;
  log::Limited<msg::kAuthdFailed> failed;
  log::Limited<msg::kAuthdTimeOut> time_out;
  log::Limited<msg::kAuthdBusy> busy;
  log::Limited<msg::kAuthdTooOften> too_often;
  log::Limited<msg::kAuthdNotAllowed> not_allowed;
};

}  // namespace ospatrol::authd
