#include "remoted/agent_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include "base/files.h"

namespace ospatrol::remoted {
namespace {

constexpr std::string_view kTemporary = ".new";
constexpr mode_t kMode = 0644;

}  // namespace

AgentFiles::AgentFiles(const Home& home) : folder_(home / paths::kAgentInfo) {}

void AgentFiles::Write(const secure::AgentKey& agent, std::string_view content) {
  const std::filesystem::path file = folder_ / secure::AgentInfoFile(agent);
  const std::filesystem::path temporary = folder_ / kTemporary;
  base::Fd fd = base::OpenFile(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, kMode);
  const bool written = fd && base::WriteAll(fd.get(), content);
  fd.reset();
  if (!written || std::rename(temporary.c_str(), file.c_str()) != 0) {
    failed_.Write(file.native(), base::ErrnoText(errno));
  }
}

bool AgentFiles::Touch(const secure::AgentKey& agent) {
  const std::filesystem::path file = folder_ / secure::AgentInfoFile(agent);
  if (::utimensat(AT_FDCWD, file.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno != ENOENT) failed_.Write(file.native(), base::ErrnoText(errno));
  return false;
}

}  // namespace ospatrol::remoted
