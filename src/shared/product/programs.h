// Who runs as whom: the table of architecture section 3. The daemon skeleton applies a program's
// row at start and refuses to run when what it got differs (user, root directory, capabilities).
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "product/product.h"

namespace ospatrol {

struct Program {
  std::string_view name;  // as in ps, pid file and log
  std::string_view user;  // identity after start; "root" keeps uid 0
  bool chroot;            // true: the prefix becomes "/"
  // Linux capability numbers kept after start; the rest leave the bounding set too. A program that
  // stays root and names none keeps them all: what it runs needs them.
  std::span<const int> keep_caps;
  // True: nothing this process starts can gain privileges. False where programs that it runs need
  // to (then there is no filter of system calls either, because they would inherit it).
  bool no_new_privileges;
  // True: may run other programs when its configuration asks for it (Context::AllowPrograms).
  bool may_run_programs = false;
  // Internal option that sets the debug level when there is no -d; empty: only -d does.
  std::string_view debug_option = {};
};

namespace programs {

inline constexpr std::array<int, 0> kNoCapabilities{};
inline constexpr std::array<int, 1> kReadEverything{2};  // CAP_DAC_READ_SEARCH

inline constexpr Program kAnalysisd{.name = "ospatrol-analysisd",
                                    .user = product::kUser,
                                    .chroot = true,
                                    .keep_caps = kNoCapabilities,
                                    .no_new_privileges = true,
                                    .debug_option = "analysisd.debug"};
inline constexpr Program kLogcollector{.name = "ospatrol-logcollector",
                                       .user = product::kUser,
                                       .chroot = false,
                                       .keep_caps = kReadEverything,
                                       .no_new_privileges = true,
                                       .may_run_programs = true,
                                       .debug_option = "logcollector.debug"};

// Binds its ports and makes its receive buffers before the drop.
inline constexpr Program kRemoted{.name = "ospatrol-remoted",
                                  .user = product::kRemoteUser,
                                  .chroot = true,
                                  .keep_caps = kNoCapabilities,
                                  .no_new_privileges = true,
                                  .debug_option = "remoted.debug"};
inline constexpr Program kAgentd{.name = "ospatrol-agentd",
                                 .user = product::kUser,
                                 .chroot = true,
                                 .keep_caps = kNoCapabilities,
                                 .no_new_privileges = true,
                                 .debug_option = "agent.debug"};
inline constexpr Program kAuthd{.name = "ospatrol-authd",
                                .user = product::kUser,
                                .chroot = true,
                                .keep_caps = kNoCapabilities,
                                .no_new_privileges = true,
                                .debug_option = "authd.debug"};
// Its scripts change firewalls, accounts and services: they need what root has.
inline constexpr Program kExecd{.name = "ospatrol-execd",
                                .user = "root",
                                .chroot = false,
                                .keep_caps = kNoCapabilities,
                                .no_new_privileges = false,
                                .may_run_programs = true};
inline constexpr Program kMonitord{.name = "ospatrol-monitord",
                                   .user = product::kUser,
                                   .chroot = true,
                                   .keep_caps = kNoCapabilities,
                                   .no_new_privileges = true};

}  // namespace programs
}  // namespace ospatrol
