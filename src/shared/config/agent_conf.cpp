#include "config/agent_conf.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "config/registry.h"
#include "config/show.h"
#include "log/messages.h"
#include "pattern/pattern.h"
#include "product/product.h"

namespace ospatrol::config {
namespace {

constexpr std::string_view kRoot = "agent_config";
constexpr std::string_view kVariable = "var";
constexpr std::string_view kNone = "-";
constexpr std::string_view kLocalFile = "localfile";
// What agents read of it; the other sections are accepted and have no effect (3.17).
constexpr std::array<std::string_view, 3> kRemoteSections{kLocalFile, "syscheck", "rootcheck"};

std::string FirstError(const Problems& problems) {
  for (const Problem& problem : problems.all()) {
    if (problem.kind == Problem::Kind::kError) return problem.Line();
  }
  return {};
}

// Faults of an agent.conf never stop an agent.
void AppendAsWarnings(const Problems& found, Problems& problems) {
  for (const Problem& problem : found.all()) {
    if (problem.kind == Problem::Kind::kInfo) {
      problems.Info(problem.id, problem.file, problem.line, problem.text, problem.remedy);
    } else {
      problems.Warning(problem.id, problem.file, problem.line, problem.text, problem.remedy);
    }
  }
}

class BlockReader {
 public:
  BlockReader(std::string_view file, const AgentFacts& facts, Problems& problems)
      : file_(file), facts_(facts), problems_(problems) {}

  // All attributes that name a condition must match.
  bool Applies(const Element& block) const {
    bool applies = true;
    for (const Attribute& attribute : block.attributes) {
      const std::string_view name = attribute.name;
      if (base::EqualsIgnoreCase(name, "name")) {
        applies = Matches(block, attribute, facts_.name) && applies;
      } else if (base::EqualsIgnoreCase(name, "os")) {
        applies = Matches(block, attribute, facts_.os) && applies;
      } else if (base::EqualsIgnoreCase(name, "profile")) {
        applies = Matches(block, attribute, facts_.profile) && applies;
      } else if (!base::EqualsIgnoreCase(name, "overwrite")) {
        problems_.Warning(msg::kInvalidAttribute.id, file_, block.line,
                          fmt::format("<{}>: unknown attribute '{}', ignored", kRoot, Show(name)),
                          "expected name, os, profile or overwrite");
      }
    }
    return applies;
  }

 private:
  bool Matches(const Element& block, const Attribute& attribute, std::string_view fact) const {
    pattern::CompileError error;
    const auto compiled =
        pattern::Pattern::Compile(pattern::Language::kOsMatch, attribute.value, &error);
    if (compiled != nullptr) return compiled->Matches(fact);
    problems_.Warning(msg::kInvalidAttribute.id, file_, block.line,
                      fmt::format("<{} {}>: '{}' is no pattern: {}; the block is skipped", kRoot,
                                  Show(attribute.name), Show(attribute.value), error.reason),
                      "correct the pattern");
    return false;
  }

  std::string_view file_;
  const AgentFacts& facts_;
  Problems& problems_;
};

bool RunsCommand(const LocalFileSection& entry) { return !entry.command.empty(); }

void RefuseCommands(size_t from, std::string_view file, Configuration& configuration,
                    Problems& problems) {
  auto& entries = configuration.localfiles;
  for (size_t i = from; i < entries.size();) {
    if (!RunsCommand(entries[i])) {
      ++i;
      continue;
    }
    problems.Warning(msg::kRemoteCommand.id, file, entries[i].origin.line,
                     fmt::format("<localfile> with command '{}': commands of the manager are not "
                                 "run on this agent",
                                 Show(entries[i].command)),
                     "set logcollector.remote_commands=1 in etc/local_internal_options.conf here");
    entries.erase(entries.begin() + static_cast<ptrdiff_t>(i));
  }
}

// What the administrator may expect of a section and agents will not do.
void SayWhatHasNoEffect(const Element& section, std::string_view file, Problems& problems) {
  if (section.name == kVariable) return;
  const auto say = [&](std::string text, std::string remedy) {
    problems.Info(msg::kNoEffect.id, file, section.line, std::move(text), std::move(remedy));
  };
  if (std::ranges::find(kRemoteSections, section.name) == kRemoteSections.end()) {
    return say(fmt::format("<{}> has no effect in agent.conf", section.name),
               fmt::format("agents read {} from it", fmt::join(kRemoteSections, ", ")));
  }
  if (section.children.empty()) say(fmt::format("<{}> is empty", section.name), "remove it");
}

// Roots and sections must have known names.
void CheckNames(const Document& document, Problems& problems) {
  for (const Element& root : document.roots) {
    if (root.name == kVariable) continue;
    if (root.name != kRoot) {
      problems.Error(msg::kInvalidElement.id, document.file, root.line,
                     fmt::format("<{}>: unknown root element", Show(root.name)),
                     fmt::format("expected <{}>", kRoot));
      continue;
    }
    for (const Element& section : root.children) {
      if (section.name == kVariable || FindSection(section.name) != nullptr) continue;
      problems.Error(msg::kInvalidElement.id, document.file, section.line,
                     fmt::format("<{}>: unknown section", Show(section.name)),
                     Suggest(section.name, SectionNames()));
    }
  }
}

}  // namespace

std::string HostDescription() {
  utsname host{};
  const std::string product = fmt::format("{} v{}", product::kName, product::kVersion);
  if (::uname(&host) != 0) return fmt::format("No system info available -  {}", product);
  return fmt::format("{} {} {} {} {} - {}", host.sysname, host.nodename, host.release, host.version,
                     host.machine, product);
}

std::string FormatAgentIdentity(std::string_view name, std::string_view id,
                                std::string_view profile) {
  return fmt::format("{}\n{}\n{}\n{}\n", name, kNone, id, profile.empty() ? kNone : profile);
}

std::optional<AgentFacts> LoadAgentFacts(const Home& home) {
  constexpr size_t kMost = 64 * 1024;
  const auto text = base::ReadFileIfPresent(home / paths::kAgentIdentity, kMost);
  if (!text) return std::nullopt;
  const auto lines = base::Split(*text, '\n');
  AgentFacts facts;
  facts.os = HostDescription();
  if (!lines.empty()) facts.name = lines[0];
  if (lines.size() > 3) facts.profile = lines[3];
  return facts;
}

std::optional<std::string> AgentConfFault(std::string_view text) {
  Problems problems;
  CheckNames(ParseDialect(text, "agent.conf", problems), problems);
  if (!problems.HasErrors()) return std::nullopt;
  return FirstError(problems);
}

void CheckAgentConf(const Document& document, Problems& problems) {
  CheckNames(document, problems);
  const AgentFacts nobody;
  const BlockReader blocks(document.file, nobody, problems);
  for (const Element& block : document.roots) {
    if (block.name != kRoot) continue;
    blocks.Applies(block);  // complains of its attributes
    Configuration configuration;
    for (const Element& section : block.children) {
      const SectionRow* row = FindSection(section.name);
      if (row == nullptr) continue;
      SayWhatHasNoEffect(section, document.file, problems);
      if (section.children.empty() || !Interprets(*row, Reader::kLogcollector)) continue;
      row->read({section, document.file, Reader::kLogcollector, configuration, problems});
      const auto& entries = configuration.localfiles;
      if (entries.empty() || !RunsCommand(entries.back())) continue;
      problems.Info(msg::kRemoteCommand.id, document.file, section.line,
                    fmt::format("<localfile> with command '{}': agents refuse it unless "
                                "logcollector.remote_commands=1 is set there",
                                Show(entries.back().command)),
                    "the setting belongs into etc/local_internal_options.conf of the agent");
      configuration.localfiles.clear();
    }
  }
}

void LoadAgentConf(const Home& home, Reader reader, bool may_run_commands,
                   Configuration& configuration, Problems& problems) {
  Problems found;
  try {
    const auto facts = LoadAgentFacts(home);
    const auto text =
        facts ? base::ReadFileIfPresent(home / paths::kAgentConf) : std::optional<std::string>();
    if (text) {
      const Document document = ParseDialect(*text, paths::kAgentConf, found);
      ReadAgentConf(document, *facts, reader, may_run_commands, configuration, found);
    }
  } catch (const Error& error) {
    found.Warning(msg::kAgentConfRead.id, paths::kAgentConf, 0, error.what(),
                  "check its owner and mode");
  }
  AppendAsWarnings(found, problems);
}

void ReadAgentConf(const Document& document, const AgentFacts& facts, Reader reader,
                   bool may_run_commands, Configuration& configuration, Problems& problems) {
  const BlockReader blocks(document.file, facts, problems);
  for (const Element& block : document.roots) {
    if (block.name != kRoot || !blocks.Applies(block)) continue;
    for (const Element& section : block.children) {
      const SectionRow* row = FindSection(section.name);
      // The others are accepted and have no effect (3.17).
      const bool remote = section.name == kLocalFile;
      if (row == nullptr || !remote || section.children.empty() || !Interprets(*row, reader)) {
        continue;
      }
      Problems found;
      const size_t before = configuration.localfiles.size();
      row->read({section, document.file, reader, configuration, found});
      if (!may_run_commands) RefuseCommands(before, document.file, configuration, found);
      AppendAsWarnings(found, problems);
    }
  }
}

}  // namespace ospatrol::config
