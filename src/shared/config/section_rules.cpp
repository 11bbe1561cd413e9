// <rules> (configuration-and-operation 3.5). Several sections add up; exact duplicates are dropped.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/option.h"
#include "config/registry.h"
#include "config/show.h"
#include "log/messages.h"
#include "pattern/pattern.h"
#include "product/paths.h"

namespace ospatrol::config {
namespace {

using Entry = RulesSection::Entry;

constexpr std::string_view kDefaultPattern = ".xml$";
constexpr std::string_view kListExtension = ".cdb";
constexpr std::string_view kSupportedDialect = "ossec4";
constexpr std::string_view kOtherDialect = "wazuh4";

struct Draft {
  RulesSection& rules;
  Problems& problems;
};

Origin OriginOf(const Option& option) { return {std::string(option.file()), option.line()}; }

// Everything is below the prefix: "/rules/x.xml" means the same as "rules/x.xml".
std::string BelowPrefix(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

std::string RulePath(std::string_view name) {
  if (name.find('/') != std::string_view::npos) return BelowPrefix(name);
  return fmt::format("{}/{}", paths::kRules, name);
}

// Reports attributes that are unknown here, and a dialect that this version does not read.
void CheckAttributes(const Option& option, std::span<const std::string_view> known) {
  for (const Attribute& attribute : option.element().attributes) {
    const std::string name = base::ToLower(attribute.name);
    if (std::ranges::find(known, name) == known.end()) {
      option.Error(msg::kInvalidAttribute,
                   fmt::format("unknown attribute '{}'", Show(attribute.name)),
                   Suggest(name, known));
    } else if (name != "dialect" || attribute.value == kSupportedDialect) {
      continue;
    } else if (attribute.value == kOtherDialect) {
      option.Error(msg::kInvalidAttribute,
                   fmt::format("dialect {} is not supported in this version", kOtherDialect),
                   fmt::format("expected dialect=\"{}\"", kSupportedDialect));
    } else {
      option.Error(msg::kInvalidAttribute, fmt::format("'{}' is no dialect", Show(attribute.value)),
                   fmt::format("expected dialect=\"{}\"", kSupportedDialect));
    }
  }
}

void ReportDuplicate(const Option& option, const Draft& draft, std::string_view path,
                     const Origin& first) {
  draft.problems.Info(msg::kDuplicateRuleFile.id, option.file(), option.line(),
                      fmt::format("<rules><{}>: {} is listed twice, this entry is dropped",
                                  option.name(), Show(path)),
                      fmt::format("the first one is on line {}", first.line));
}

void AddFile(const Option& option, const Draft& draft, std::vector<Entry>& entries,
             std::string path) {
  static constexpr std::array<std::string_view, 1> kAttributes{"dialect"};
  CheckAttributes(option, kAttributes);
  for (const Entry& entry : entries) {
    if (entry.file && entry.file->path == path) {
      return ReportDuplicate(option, draft, path, entry.file->origin);
    }
  }
  entries.push_back({RulesSection::File{std::move(path), OriginOf(option)}, std::nullopt});
}

// The pattern of a directory; it must compile.
std::string DirectoryPattern(const Option& option) {
  const auto& attributes = option.element().attributes;
  const auto found = std::ranges::find_if(attributes, [](const Attribute& attribute) {
    return base::EqualsIgnoreCase(attribute.name, "pattern");
  });
  if (found == attributes.end()) return std::string(kDefaultPattern);
  pattern::CompileError error;
  if (pattern::Pattern::Compile(pattern::Language::kOsRegex, found->value, &error) == nullptr) {
    option.Error(msg::kBadPattern,
                 fmt::format("pattern '{}' does not compile: {}", Show(found->value), error.reason),
                 "expected a pattern such as \"_rules.xml$\" (a dot is a literal dot)");
  }
  return found->value;
}

void AddDirectory(const Option& option, const Draft& draft, std::vector<Entry>& entries) {
  static constexpr std::array<std::string_view, 2> kAttributes{"pattern", "dialect"};
  const auto name = TextValue(option, "a directory, relative to the installation");
  if (!name) return;
  CheckAttributes(option, kAttributes);
  RulesSection::Directory directory{BelowPrefix(*name), DirectoryPattern(option), OriginOf(option)};
  for (const Entry& entry : entries) {
    if (entry.directory && entry.directory->path == directory.path &&
        entry.directory->pattern == directory.pattern) {
      return ReportDuplicate(option, draft, directory.path, entry.directory->origin);
    }
  }
  entries.push_back({std::nullopt, std::move(directory)});
}

void Include(const Option& option, Draft& draft) {
  if (const auto name = TextValue(option, "a rule file, as in local_rules.xml")) {
    AddFile(option, draft, draft.rules.rules, RulePath(*name));
  }
}

void RuleDirectory(const Option& option, Draft& draft) {
  AddDirectory(option, draft, draft.rules.rules);
}

void Decoder(const Option& option, Draft& draft) {
  if (const auto name = TextValue(option, "a decoder file, as in etc/local_decoder.xml")) {
    AddFile(option, draft, draft.rules.decoders, BelowPrefix(*name));
  }
}

void DecoderDirectory(const Option& option, Draft& draft) {
  AddDirectory(option, draft, draft.rules.decoders);
}

void List(const Option& option, Draft& draft) {
  auto name = TextValue(option, "the name of a list, as in lists/bad_ips");
  if (!name) return;
  name->resize(std::min(name->find(kListExtension), name->size()));
  if (name->empty()) return option.Invalid("the name of a list before .cdb");
  std::string path = RulePath(*name);
  auto& lists = draft.rules.lists;
  const auto found = std::ranges::find(lists, path, &RulesSection::File::path);
  if (found != lists.end()) return ReportDuplicate(option, draft, path, found->origin);
  lists.push_back({std::move(path), OriginOf(option)});
}

constexpr OptionRow<Draft> kOptions[] = {
    {"include", Include},
    {"rule", Include},
    {"rule_dir", RuleDirectory},
    {"decoder", Decoder},
    {"decoder_dir", DecoderDirectory},
    {"list", List},
};

}  // namespace

void ReadRules(const SectionContext& context) {
  Draft draft{context.configuration.rules, context.problems};
  ReadOptions({context.section, context.file, context.problems}, kOptions, draft);
}

void RefuseRuleset(const SectionContext& context) {
  context.problems.Error(msg::kInvalidElement.id, context.file, context.section.line,
                         "<ruleset>: rule files of the Wazuh 4 dialect are not supported in this "
                         "version",
                         "list rule and decoder files in a <rules> section");
}

}  // namespace ospatrol::config
