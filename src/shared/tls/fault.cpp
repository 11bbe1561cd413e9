#include "tls/fault.h"

#include <openssl/err.h>

namespace ospatrol::tls {

std::string TakeFault() {
  const unsigned long error = ERR_get_error();
  const char* reason = ERR_reason_error_string(error);
  ERR_clear_error();
  if (reason != nullptr) return reason;
  return error == 0 ? "no reason given" : "error " + std::to_string(ERR_GET_REASON(error));
}

}  // namespace ospatrol::tls
