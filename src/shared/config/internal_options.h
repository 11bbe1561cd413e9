// etc/internal_options.conf and etc/local_internal_options.conf (configuration-and-operation 4):
// numbers with built-in defaults and ranges, all in one table.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "config/problems.h"
#include "product/paths.h"

namespace ospatrol::config {

class InternalOptions {
 public:
  // All keys with their defaults.
  InternalOptions();

  // Reads both files below `home`; the local one wins. Bad value: error 2302; unknown key: one
  // WARN; missing file: INFO.
  static InternalOptions Load(const Home& home, Problems& problems);

  // REQUIRES: `key` ("analysisd.debug") is in the table.
  int64_t Get(std::string_view key) const;

  void Set(std::string_view key, int64_t value);  // tests and command line tools

 private:
  std::map<std::string, int64_t, std::less<>> values_;
};

}  // namespace ospatrol::config
