#include "analysisd/output_store.h"

#include <algorithm>

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "log/log.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kMaxComponent = 200;
constexpr size_t kDigestPart = 8;

bool IsPlain(char c) { return base::IsAlnum(c) || c == '.' || c == '_' || c == '-'; }

}  // namespace

std::string PathComponent(std::string_view name) {
  const bool plain = !name.empty() && name.size() <= kMaxComponent && name.front() != '.' &&
                     std::all_of(name.begin(), name.end(), IsPlain);
  if (plain) return std::string(name);
  std::string component(name.substr(0, kMaxComponent));
  std::replace_if(
      component.begin(), component.end(), [](char c) { return !IsPlain(c); }, '_');
  if (component.starts_with('.')) component.front() = '_';
  return component + '-' + base::Sha256Hex(name).substr(0, kDigestPart);
}

std::filesystem::path OutputStore::PathOf(const Key& key) const {
  return directory_ / PathComponent(key.first) / std::to_string(key.second) / "last-entry";
}

std::optional<std::string> OutputStore::Last(std::string_view host, int rule_id) const {
  const Key key(host, rule_id);
  if (const auto found = changed_.find(key); found != changed_.end()) return found->second;
  try {
    std::optional<std::string> content = base::ReadFileIfPresent(PathOf(key));
    if (content && content->ends_with('\0')) content->pop_back();
    return content;
  } catch (const Error& error) {
    thread_local log::Limited<msg::kStoreUnreadable> message;
    message.Write(error.what());
    return std::nullopt;
  }
}

void OutputStore::Store(std::string_view host, int rule_id, std::string_view output) {
  changed_.insert_or_assign(Key(host, rule_id), std::string(output));
}

void OutputStore::Commit() {
  while (!changed_.empty()) {
    const auto first = changed_.begin();
    const std::filesystem::path path = PathOf(first->first);
    base::MakeDirectories(path.parent_path(), 0770);
    base::WriteFileAtomically(path, first->second + '\0', 0640);
    changed_.erase(first);
  }
}

}  // namespace ospatrol::analysisd
