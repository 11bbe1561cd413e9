#include "authd/settings.h"

#include <fmt/format.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "config/internal_options.h"
#include "log/log.h"
#include "product/programs.h"

namespace ospatrol::authd {

namespace {
constexpr size_t kMaxPasswordFile = 4096;
constexpr size_t kRandomBytes = 16;
}  // namespace

Settings LoadSettings(const Home& home, const Flags& flags, config::Problems& problems) {
  const auto options = config::InternalOptions::Load(home, problems, programs::kAuthd.name);
  const auto size = [&](std::string_view key) { return static_cast<size_t>(options.Get(key)); };
  Settings settings;
  settings.threads = size("authd.worker_pool");
  settings.max_connections = size("authd.max_connections");
  settings.max_agents = size("remoted.max_agents");
  settings.attempts_per_minute = size("authd.rate_limit");
  settings.source_address = flags.source_address || options.Get("authd.use_source_ip") != 0;
  settings.force_after = flags.force_after;
  const std::chrono::seconds force(options.Get("authd.force_after"));
  if (!settings.force_after && force.count() > 0) settings.force_after = force;
  return settings;
}

Password LoadPassword(const Home& home, bool no_password, config::Problems& problems) {
  Password password;
  if (no_password) return password;
  std::optional<std::string> content;
  try {
    content = base::ReadFileIfPresent(home / paths::kAuthdPassword, kMaxPasswordFile);
  } catch (const Error& error) {
    problems.Error(msg::kAuthdPassword.id, paths::kAuthdPassword, 0, error.what());
    return password;
  }
  if (!content) return password;
  std::string line = content->substr(0, content->find('\n'));
  if (line.ends_with('\r')) line.pop_back();
  if (line.size() < kMinPassword) {
    problems.Error(
        msg::kAuthdPassword.id, paths::kAuthdPassword, 1, "the password is too short",
        fmt::format("expected at least {} characters in the first line, or no file", kMinPassword));
    return password;
  }
  password.text = std::move(line);
  password.from_file = true;
  return password;
}

std::string RandomPassword() { return base::ToHex(base::RandomBytes(kRandomBytes)); }

}  // namespace ospatrol::authd
