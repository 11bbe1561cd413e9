#include "logtest/first_seen_lines.h"

#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/sqlite.h"
#include "base/text.h"
#include "log/log.h"

namespace ospatrol::logtest {
namespace {

constexpr size_t kMaxText = size_t{1} << 30;

std::vector<std::string> FromDatabase(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  base::Database database = base::Database::ReadOnly(file);
  base::Statement query(database, "SELECT line FROM first_seen");
  while (query.Step()) lines.push_back(query.Text(0));
  return lines;
}

std::vector<std::string> FromText(const std::filesystem::path& file) {
  const std::string content = base::ReadFileIfPresent(file, kMaxText).value_or("");
  std::vector<std::string> lines;
  for (const std::string_view line : base::SplitWords(content, "\r\n")) lines.emplace_back(line);
  return lines;
}

}  // namespace

std::vector<std::string> ReadFirstSeenLines(const Home& home) {
  const std::filesystem::path database = home / paths::kFtsDatabase;
  std::error_code ignored;
  try {
    return std::filesystem::exists(database, ignored) ? FromDatabase(database)
                                                      : FromText(home / paths::kFtsQueue);
  } catch (const Error& error) {
    log::Write<msg::kFirstSeenUnreadable>(error.what());
    return {};
  }
}

}  // namespace ospatrol::logtest
