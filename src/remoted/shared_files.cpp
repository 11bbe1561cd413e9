#include "remoted/shared_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "config/dialect.h"
#include "config/problems.h"
#include "log/log.h"

namespace ospatrol::remoted {
namespace {

constexpr std::string_view kMerged = "merged.mg";
constexpr std::string_view kAgentConf = "agent.conf";
constexpr mode_t kMode = 0640;

int HexDigit(char c) {
  if (base::IsDigit(c)) return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

Md5 Md5FromHex(std::string_view hex) {
  Md5 bytes{};
  for (size_t i = 0; i < bytes.size() && 2 * i + 1 < hex.size(); ++i) {
    bytes[i] = static_cast<uint8_t>((HexDigit(hex[2 * i]) << 4) | HexDigit(hex[2 * i + 1]));
  }
  return bytes;
}

bool IsMd5Hex(std::string_view text) {
  return text.size() == 32 &&
         std::all_of(text.begin(), text.end(), [](char c) { return HexDigit(c) >= 0; });
}

SharedFiles::SharedFiles(const Home& home) : folder_(home / paths::kShared) {}

SharedFiles::Listing SharedFiles::List() {
  Listing listing;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(folder_.c_str()), ::closedir);
  if (!folder) {
    Complain({fmt::format("{}: {}", folder_.native(), base::ErrnoText(errno))});
    return built_;
  }
  std::vector<std::string> problems;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string name = entry->d_name;
    if (name.starts_with('.') || name == kMerged) continue;
    struct stat facts {};
    if (::fstatat(::dirfd(folder.get()), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(facts.st_mode)) {
      // Folders of groups may stand here; everything else is a mistake worth a line.
      if (!S_ISDIR(facts.st_mode)) problems.push_back(name + ": is not a regular file");
      continue;
    }
    listing[name] = {facts.st_ino, facts.st_size,
                     facts.st_mtim.tv_sec * int64_t{1'000'000'000} + facts.st_mtim.tv_nsec};
  }
  if (!problems.empty()) Complain(std::move(problems));
  return listing;
}

void SharedFiles::Complain(std::vector<std::string> problems) {
  for (const std::string& problem : problems) {
    if (std::find(complained_.begin(), complained_.end(), problem) != complained_.end()) continue;
    log::Write<msg::kSharedFileLeftOut>(problem);
    complained_.push_back(problem);
  }
}

std::vector<secure::SharedFile> SharedFiles::ReadAll(const Listing& listing) {
  std::vector<secure::SharedFile> files;
  std::vector<std::string> problems;
  for (const auto& [name, facts] : listing) {
    try {
      // One byte more than a shared file may have, so that Merge says that it is too large.
      if (static_cast<size_t>(facts.size) > secure::kMaxSharedFile) {
        problems.push_back(
            fmt::format("{}: {} bytes, more than {}", name, facts.size, secure::kMaxSharedFile));
        continue;
      }
      files.push_back({name, base::ReadFile(folder_ / name, secure::kMaxSharedFile)});
    } catch (const Error& error) {
      problems.push_back(error.what());
    }
  }
  Complain(std::move(problems));
  return files;
}

// An agent.conf that does not parse would leave agents without one at their next start: the last
// good one travels on.
void SharedFiles::KeepGoodAgentConf(std::vector<secure::SharedFile>& files) {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [](const auto& file) { return file.name == kAgentConf; });
  if (found == files.end()) {
    has_good_agent_conf_ = false;
    return;
  }
  config::Problems problems;
  config::ParseDialect(found->content, "etc/shared/agent.conf", problems);
  if (!problems.HasErrors()) {
    good_agent_conf_ = found->content;
    has_good_agent_conf_ = true;
    return;
  }
  log::Write<msg::kAgentConfRefused>(problems.all().front().Line());
  if (has_good_agent_conf_) {
    found->content = good_agent_conf_;
  } else {
    files.erase(found);
  }
}

void SharedFiles::Publish(std::vector<secure::SharedFile> files) {
  std::erase_if(files, [this](const secure::SharedFile& file) {
    const auto fault = secure::SharedFileFault(file);
    if (fault) Complain({fmt::format("{}: {}", file.name, *fault)});
    return fault.has_value();
  });
  secure::Merged merged = secure::Merge(files);
  Complain(std::move(merged.problems));
  auto bundle = std::make_shared<SharedBundle>();
  bundle->content = secure::v2::MakeFileContent(std::move(merged.text));
  bundle->md5 = base::Md5Hex(bundle->merged());
  bundle->md5_bytes = Md5FromHex(bundle->md5);
  bundle->files = std::move(files);
  try {
    base::WriteFileAtomically(folder_ / kMerged, bundle->merged(), kMode);
  } catch (const Error& error) {
    log::Write<msg::kMergedNotWritten>(std::string_view(error.what()));
  }
  bundle_ = std::move(bundle);
}

void SharedFiles::Build() {
  // What was sent before the last stop is the good one if the present one is broken.
  try {
    const auto old = base::ReadFileIfPresent(folder_ / kMerged, secure::kMaxMergedFile);
    if (old && !has_good_agent_conf_) {
      const secure::SplitFiles split = secure::Split(*old);
      for (const auto& file : split.files.value_or(std::vector<secure::SharedFile>{})) {
        if (file.name != kAgentConf) continue;
        good_agent_conf_ = file.content;
        has_good_agent_conf_ = true;
      }
    }
  } catch (const Error&) {
    // It is written anew below.
  }
  built_ = last_seen_ = List();
  auto files = ReadAll(built_);
  KeepGoodAgentConf(files);
  Publish(std::move(files));
}

bool SharedFiles::Check() {
  Listing now = List();
  const bool settled = now == last_seen_;
  last_seen_ = now;
  if (!settled || now == built_) return false;
  complained_.clear();
  built_ = std::move(now);
  const std::string before = bundle_->md5;
  auto files = ReadAll(built_);
  KeepGoodAgentConf(files);
  Publish(std::move(files));
  return bundle_->md5 != before;
}

}  // namespace ospatrol::remoted
