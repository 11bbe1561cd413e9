// etc/internal_options.conf and etc/local_internal_options.conf (configuration-and-operation 4):
// numbers with built-in defaults and ranges, all in one table.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "config/problems.h"
#include "product/paths.h"

namespace ospatrol::config {

// One row of the table. etc/internal_options.conf holds exactly these, with these texts and values.
struct InternalOption {
  std::string_view key;  // "analysisd.debug"
  int64_t value;         // built-in default
  int64_t min;
  int64_t max;
  std::string_view programs;
  std::string_view meaning;
  // Why it is accepted for compatibility only; empty: it has an effect.
  std::string_view no_effect = {};

  bool IsReadBy(std::string_view program) const;  // "remoted"
};

std::span<const InternalOption> InternalOptionTable();

class InternalOptions {
 public:
  // All keys with their defaults.
  InternalOptions();

  // Reads both files below `home`; the local one wins. Bad value: error 2302; unknown key: one
  // WARN; missing file: INFO.
  // With `program` ("ospatrol-remoted"): one WARN for each of its options that is given another
  // value than the default and has no effect.
  static InternalOptions Load(const Home& home, Problems& problems, std::string_view program = {});

  // Reads the lines of one file on top of what is set; `shown` is its name in messages.
  void Apply(std::string_view text, std::string_view shown, Problems& problems,
             std::string_view program = {});

  // REQUIRES: `key` ("analysisd.debug") is in the table, else both throw Error.
  // `ossec.thread_stack_size` is the other spelling of `ospatrol.thread_stack_size`.
  int64_t Get(std::string_view key) const;

  // REQUIRES: `key` is in the table; `value` is in its range. Tests and command line tools.
  void Set(std::string_view key, int64_t value);

 private:
  std::map<std::string, int64_t, std::less<>> values_;
};

}  // namespace ospatrol::config
