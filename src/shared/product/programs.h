// Who runs as whom: the table of architecture section 3. The daemon skeleton applies a program's row at start
// and refuses to run when what it got differs (user, root directory, capabilities).
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "product/product.h"

namespace ospatrol {

struct Program {
  std::string_view name;           // as in ps, pid file and log
  std::string_view user;           // identity after start; "root" keeps uid 0
  bool chroot;                     // true: the prefix becomes "/"
  std::span<const int> keep_caps;  // Linux capability numbers kept after start; the rest leave the bounding set too
  // True: nothing this process starts can gain privileges. False for programs that run other programs.
  bool no_new_privileges;
};

namespace programs {

inline constexpr std::array<int, 0> kNoCapabilities{};
inline constexpr std::array<int, 1> kReadEverything{2};  // CAP_DAC_READ_SEARCH

inline constexpr Program kAnalysisd{"ospatrol-analysisd", product::kUser, true, kNoCapabilities, true};
inline constexpr Program kLogcollector{"ospatrol-logcollector", product::kUser, false, kReadEverything, true};

}  // namespace programs
}  // namespace ospatrol
