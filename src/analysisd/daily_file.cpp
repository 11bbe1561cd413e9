#include "analysisd/daily_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/files.h"
#include "log/log.h"

namespace ospatrol::analysisd {
namespace {

constexpr mode_t kDirectoryMode = 0770;  // 0750 with the umask of daemons

bool IsSameFile(const std::filesystem::path& a, const std::filesystem::path& b) {
  struct stat facts_a {
  }, facts_b{};
  return ::lstat(a.c_str(), &facts_a) == 0 && ::lstat(b.c_str(), &facts_b) == 0 &&
         facts_a.st_dev == facts_b.st_dev && facts_a.st_ino == facts_b.st_ino;
}

bool LinksAreImpossible(int error) {
  return error == EPERM || error == EOPNOTSUPP || error == ENOSYS || error == EMLINK ||
         error == EXDEV;
}

[[noreturn]] void Fail(const std::filesystem::path& path, std::string_view action, int error) {
  throw Error(fmt::format("{}: cannot {}: {}", path.native(), action, base::ErrnoText(error)));
}

}  // namespace

void DailyFile::Open(const Day& day) {
  const std::string relative = PathOf(day);
  const std::filesystem::path target = home_ / relative;
  base::MakeDirectories(target.parent_path(), kDirectoryMode);
  std::optional<GroupFile> opened = GroupFile::Open(target, names_.record_end);
  if (!opened) Fail(target, "open", errno);
  if (!names_.link.empty()) Link(relative);
  const std::filesystem::path old = home_ / PathOf(day_);
  if (file_ && old != target && file_->Size() == 0) ::unlink(old.c_str());
  file_ = std::move(opened);
  day_ = day;
}

// The new link is made under another name and renamed, so that the current file can be found at any
// time.
void DailyFile::Link(const std::string& target) {
  const std::filesystem::path file = home_ / target;
  const std::filesystem::path current = home_ / names_.tree / names_.link;
  // rename() of one link of a file over another does nothing.
  if (IsSameFile(file, current)) return;
  const std::filesystem::path fresh = current.native() + ".new";
  if (::unlink(fresh.c_str()) != 0 && errno != ENOENT) Fail(fresh, "remove", errno);
  if (::link(file.c_str(), fresh.c_str()) != 0) {
    const int error = errno;
    if (!LinksAreImpossible(error)) Fail(fresh, "make the link", error);
    const std::string from_tree = target.substr(names_.tree.size() + 1);
    if (::symlink(from_tree.c_str(), fresh.c_str()) != 0) Fail(fresh, "make the link", errno);
    log::Write<msg::kNoHardLinks>(current.native(), base::ErrnoText(error));
  }
  if (::rename(fresh.c_str(), current.c_str()) != 0) {
    const int error = errno;
    ::unlink(fresh.c_str());
    Fail(current, "replace", error);
  }
}

bool DailyFile::Append(std::string_view group) {
  try {
    ReopenIfGone();
  } catch (const Error& error) {
    failure_ = error.what();
    return false;
  }
  if (file_->Append(group)) return true;
  failure_ = base::ErrnoText(errno);
  return false;
}

void DailyFile::ReopenIfGone() {
  const std::filesystem::path dated = path();
  if (file_->IsAt(dated)) return;
  // What is still there under the other name gets its own name back, if that is free.
  const std::filesystem::path current = home_ / names_.tree / names_.link;
  const bool linked = !names_.link.empty() && file_->IsAt(current);
  if (linked && ::link(current.c_str(), dated.c_str()) == 0) return;
  Open(day_);
}

}  // namespace ospatrol::analysisd
