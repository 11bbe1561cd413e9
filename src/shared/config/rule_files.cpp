#include "config/rule_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "config/show.h"
#include "log/messages.h"
#include "pattern/pattern.h"

namespace ospatrol::config {
namespace {

namespace fs = std::filesystem;

class Expansion {
 public:
  Expansion(const Home& home, Problems& problems) : home_(home), problems_(problems) {}

  void Add(const RulesSection::Entry& entry) {
    if (entry.file) files_.push_back(*entry.file);
    if (entry.directory) AddDirectory(*entry.directory);
  }

  std::vector<RulesSection::File> Take() { return std::move(files_); }

 private:
  void AddDirectory(const RulesSection::Directory& directory) {
    pattern::CompileError compile_error;
    const auto pattern =
        pattern::Pattern::Compile(pattern::Language::kOsRegex, directory.pattern, &compile_error);
    if (pattern == nullptr) {
      problems_.Error(msg::kBadPattern.id, directory.origin.file, directory.origin.line,
                      fmt::format("<rules>: pattern '{}' does not compile: {}",
                                  Show(directory.pattern), compile_error.reason),
                      "expected a pattern such as \"_rules.xml$\"");
      return;
    }
    std::vector<std::string> found = FilesOf(directory);
    std::ranges::sort(found);
    for (std::string& name : found) {
      std::string path = fmt::format("{}/{}", directory.path, name);
      if (!pattern->Matches(path) || IsListed(path, name)) continue;
      files_.push_back({std::move(path), directory.origin});
    }
  }

  std::vector<std::string> FilesOf(const RulesSection::Directory& directory) {
    std::vector<std::string> names;
    std::error_code error;
    fs::directory_iterator entry(home_ / directory.path, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      std::error_code ignored;
      if (entry->is_regular_file(ignored)) names.push_back(entry->path().filename().string());
    }
    if (error) {
      problems_.Error(msg::kRulesDirectory.id, directory.origin.file, directory.origin.line,
                      fmt::format("<rules>: directory '{}' cannot be read: {}",
                                  Show(directory.path), error.message()),
                      "expected a directory relative to the installation");
    }
    return names;
  }

  // The same path, or a bare name, which stands for rules/NAME.
  bool IsListed(std::string_view path, std::string_view name) const {
    const std::string in_rules = fmt::format("{}/{}", paths::kRules, name);
    return std::ranges::any_of(files_, [&](const RulesSection::File& file) {
      return file.path == path || file.path == name || file.path == in_rules;
    });
  }

  const Home& home_;
  Problems& problems_;
  std::vector<RulesSection::File> files_;
};

std::vector<RulesSection::File> DefaultDecoders(const Home& home) {
  std::vector<RulesSection::File> files{{std::string(paths::kDecoders), {}}};
  std::error_code error;
  if (fs::exists(home / paths::kLocalDecoders, error)) {
    files.push_back({std::string(paths::kLocalDecoders), {}});
  }
  return files;
}

}  // namespace

std::vector<RulesSection::File> ExpandRuleFiles(const Home& home, const RulesSection& section,
                                                RuleFileKind kind, Problems& problems) {
  const bool decoders = kind == RuleFileKind::kDecoders;
  Expansion expansion(home, problems);
  for (const RulesSection::Entry& entry : decoders ? section.decoders : section.rules) {
    expansion.Add(entry);
  }
  std::vector<RulesSection::File> files = expansion.Take();
  if (decoders && files.empty()) return DefaultDecoders(home);
  return files;
}

Document ReadRuleFile(const Home& home, const RulesSection::File& file, Problems& problems) {
  const fs::path path = home / file.path;
  std::error_code error;
  if (!file.origin.file.empty() && !fs::exists(path, error)) {
    const std::string reason = error ? error.message() : "no such file";
    problems.Error(msg::kCannotOpenFile.id, file.origin.file, file.origin.line,
                   fmt::format("<rules> names '{}', which cannot be read: {}", file.path, reason),
                   "correct the name or remove the line");
    Document nothing;
    nothing.file = file.path;
    return nothing;
  }
  return ReadDialect(path, file.path, problems);
}

}  // namespace ospatrol::config
