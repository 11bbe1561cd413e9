// Names of the product: the one place where they stand.
#pragma once

#include <string_view>

namespace ospatrol::product {

inline constexpr std::string_view kName = "OSPatrol";
inline constexpr std::string_view kVersion = OSPATROL_VERSION;  // "1.2.3", from CMakeLists.txt
inline constexpr std::string_view kAuthor = "the OSPatrol authors";
inline constexpr std::string_view kLicense =
    "This program is free software, distributed under the Apache License 2.0.\n"
    "It comes without any warranty.";
inline constexpr std::string_view kDefaultPrefix = OSPATROL_PREFIX;

inline constexpr std::string_view kGroup = "ospatrol";
inline constexpr std::string_view kUser = "ospatrol";         // analysis, agent, most tools
inline constexpr std::string_view kMailUser = "ospatrolm";    // mail, syslog and database output
inline constexpr std::string_view kRemoteUser = "ospatrolr";  // network side of the manager

}  // namespace ospatrol::product
