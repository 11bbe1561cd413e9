#include "secure/merged_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "secure/control_message.h"

namespace ospatrol::secure {

namespace {

void AppendEntry(std::string& text, const SharedFile& file) {
  text += fmt::format("!{} {}\n", file.content.size(), file.name);
  text += file.content;
}

// Reads entry after entry; the first that is cut ends it all.
class Splitter {
 public:
  explicit Splitter(std::string_view text) : rest_(text) {}

  SplitFiles Run() {
    bool whole = true;
    while (whole && !rest_.empty()) {
      const std::string_view line = TakeLine();
      if (line.starts_with('!')) whole = Entry(line.substr(1));
    }
    SplitFiles result;
    if (whole) result.files = std::move(files_);
    result.problems = std::move(problems_);
    return result;
  }

 private:
  std::string_view TakeLine() {
    const size_t end = rest_.find('\n');
    const std::string_view line = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    return line;
  }

  // `header` is "size name". False when the content is cut.
  bool Entry(std::string_view header) {
    const size_t space = header.find(' ');
    const auto size = base::ParseNumber<uint64_t>(header.substr(0, space));
    // Its content is read as lines then, up to the next header.
    if (!size || space == std::string_view::npos) {
      problems_.push_back(
          fmt::format("'!{}': expected '!SIZE NAME'; skipped", header.substr(0, kMaxSharedName)));
      return true;
    }
    const std::string_view name = header.substr(space + 1);
    if (*size > rest_.size()) {
      problems_.push_back(fmt::format("'{}': {} bytes announced, {} there; all of it is refused",
                                      name.substr(0, kMaxSharedName), *size, rest_.size()));
      return false;
    }
    Keep(name, rest_.substr(0, *size));
    rest_.remove_prefix(*size);
    return true;
  }

  void Keep(std::string_view name, std::string_view content) {
    if (const auto fault = SharedNameFault(name)) {
      problems_.push_back(
          fmt::format("'{}': {}; left out", name.substr(0, kMaxSharedName), *fault));
      return;
    }
    if (content.size() > kMaxSharedFile) {
      problems_.push_back(fmt::format("'{}': {} bytes; at most {} are allowed; left out", name,
                                      content.size(), kMaxSharedFile));
      return;
    }
    const auto [known, is_new] = places_.emplace(name, files_.size());
    if (is_new) {
      files_.push_back({.name = std::string(name), .content = std::string(content)});
    } else {
      files_[known->second].content = content;
      problems_.push_back(fmt::format("'{}': stands there twice; the last counts", name));
    }
  }

  std::string_view rest_;
  std::vector<SharedFile> files_;
  std::vector<std::string> problems_;
  std::unordered_map<std::string_view, size_t> places_;
};

}  // namespace

std::optional<std::string> SharedNameFault(std::string_view name) {
  if (name.empty()) return "the name is empty";
  if (name.size() > kMaxSharedName) return "the name is too long";
  if (name.front() == '.') return "the name begins with '.'";
  if (name.find('/') != std::string_view::npos) return "the name has a '/'";
  if (base::HasControlBytes(name)) return "the name has control characters";
  if (name == kMergedName) return "the name is that of the merged file";
  return std::nullopt;
}

std::optional<std::string> SharedFileFault(const SharedFile& file) {
  if (auto fault = SharedNameFault(file.name)) return fault;
  if (file.content.size() > kMaxSharedFile) {
    return fmt::format("it has {} bytes; at most {} are allowed", file.content.size(),
                       kMaxSharedFile);
  }
  if (file.content.find('\0') != std::string::npos) return "it has a NUL byte";
  return std::nullopt;
}

Merged Merge(std::vector<SharedFile> files) {
  std::sort(files.begin(), files.end(),
            [](const SharedFile& a, const SharedFile& b) { return a.name < b.name; });
  Merged merged;
  for (const SharedFile& file : files) {
    auto fault = SharedFileFault(file);
    if (!fault && merged.text.size() + file.content.size() + kMaxSharedName > kMaxMergedFile) {
      fault = fmt::format("all files together would have more than {} bytes", kMaxMergedFile);
    }
    if (fault) {
      merged.problems.push_back(fmt::format("{}: {}", file.name, *fault));
    } else {
      AppendEntry(merged.text, file);
    }
  }
  return merged;
}

std::string Concatenate(std::span<const SharedFile> files) {
  std::string text;
  for (const SharedFile& file : files) AppendEntry(text, file);
  return text;
}

SplitFiles Split(std::string_view merged) { return Splitter(merged).Run(); }

}  // namespace ospatrol::secure
