// What ospatrol-authd is told by flags and internal options.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "config/problems.h"
#include "pattern/ip_list.h"
#include "product/paths.h"
#include "secure/enrolment.h"
#include "tls/context.h"

namespace ospatrol::authd {

// Flags. Paths are as the administrator wrote them.
struct Flags {
  uint16_t port = secure::kEnrolmentPort;
  bool source_address = false;  // -i
  bool no_password = false;     // -n
  std::string ciphers = tls::kDefaultCiphers;
  std::filesystem::path certificate;  // empty: etc/sslmanager.cert
  std::filesystem::path key;          // empty: etc/sslmanager.key
  std::filesystem::path authorities;  // empty: clients need no certificate
  std::optional<std::chrono::seconds> force_after;
  pattern::IpList allowed;  // empty: everyone
};

struct Settings {
  size_t threads = 8;
  size_t max_connections = 64;
  size_t max_agents = 65536;
  size_t attempts_per_minute = 30;  // of one address; 0 = no limit
  bool source_address = false;      // the entry gets the source address instead of "any"
  // An agent that was not heard for so long makes room for one of its name or address.
  std::optional<std::chrono::seconds> force_after;
};

// Flags win over internal options.
Settings LoadSettings(const Home& home, const Flags& flags, config::Problems& problems);

struct Password {
  std::optional<std::string> text;  // nothing: none is asked for
  bool from_file = false;
};
// The first line of etc/authd.pass; nothing in `text` when there is no such file, or with -n. A
// line of less than three characters is an error.
inline constexpr size_t kMinPassword = 3;
Password LoadPassword(const Home& home, bool no_password, config::Problems& problems);
// For a start without etc/authd.pass: 32 hex digits.
std::string RandomPassword();

}  // namespace ospatrol::authd
