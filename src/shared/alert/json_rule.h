// The `rule` object of both JSON records: facts, groups, compliance arrays, rootcheck markers,
// MITRE ids (4.1).
#pragma once

#include <string>

#include "alert/alert.h"

namespace ospatrol::alert {

void AppendJsonRule(const Alert& alert, std::string& out);

}  // namespace ospatrol::alert
