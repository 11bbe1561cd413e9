// <active-response> (configuration-and-operation 3.13, outputs-and-response 5.2).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/option.h"
#include "config/registry.h"
#include "config/show.h"
#include "log/messages.h"
#include "pattern/pattern.h"

namespace ospatrol::config {
namespace {

constexpr size_t kMostOffenderTimes = 5;
constexpr int kMostOffenderMinutes = 10 * 365 * 24 * 60;
constexpr int kMostLevel = 20;
constexpr int kMostTimeout = 2'147'483'647;

struct Draft {
  ActiveResponseSection response;
  bool has_command = false, has_location = false, has_offenders = false;
  int timeout_line = 0, command_line = 0;
};

void Command(const Option& option, Draft& draft) {
  draft.has_command = true;
  draft.command_line = option.line();
  draft.response.command = option.raw();
}

// False when the text names no place at all.
bool ReadPlaces(std::string_view text, ActiveResponseSection& response) {
  const auto names = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(
        words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
  };
  response.on_server = names({"AS", "analysisd", "analysis-server", "server"});
  response.on_origin = names({"local"});
  response.on_defined_agent = names({"defined-agent"});
  response.on_all = names({"all", "any"});
  return response.on_server || response.on_origin || response.on_defined_agent || response.on_all;
}

void Location(const Option& option, Draft& draft) {
  draft.has_location = true;
  if (ReadPlaces(option.raw(), draft.response)) return;
  option.Error(msg::kResponseLocation, fmt::format("'{}' names no place", Show(option.raw())),
               "expected one or more of: server, local, defined-agent, all");
}

void LocationForExecd(const Option& option, Draft& draft) {
  ReadPlaces(option.raw(), draft.response);
}

void AgentId(const Option& option, Draft& draft) {
  if (!base::AllDigits(option.trimmed())) return option.Invalid("the id of an agent, as in 001");
  draft.response.agent_id = option.trimmed();
}

void Level(const Option& option, Draft& draft) {
  draft.response.has_level = true;
  if (const auto value = NumberValue(option, 0, kMostLevel)) {
    draft.response.level = static_cast<int>(*value);
  }
}

void RulesId(const Option& option, Draft& draft) {
  const std::vector<int> ids = IdListValue(option);
  draft.response.rule_ids.insert(draft.response.rule_ids.end(), ids.begin(), ids.end());
}

void RulesGroup(const Option& option, Draft& draft) {
  const auto text = TextValue(option, "a group, or groups separated by |");
  if (!text) return;
  pattern::CompileError error;
  if (pattern::Pattern::Compile(pattern::Language::kOsMatch, *text, &error) == nullptr) {
    return option.Error(msg::kBadPattern,
                        fmt::format("'{}' does not compile: {}", Show(*text), error.reason),
                        "expected words separated by |");
  }
  draft.response.rules_group = *text;
}

void Timeout(const Option& option, Draft& draft) {
  draft.timeout_line = option.line();
  if (const auto value = NumberValue(option, 0, kMostTimeout)) {
    draft.response.timeout = static_cast<int>(*value);
  }
}

void Disabled(const Option& option, Draft& draft) {
  if (const auto value = YesNoValue(option)) draft.response.disabled = *value;
}

void AllowHostnames(const Option& option, Draft& draft) {
  if (const auto value = YesNoValue(option)) draft.response.allow_hostnames = *value;
}

void RepeatedOffenders(const Option& option, Draft& draft) {
  draft.has_offenders = true;
  std::vector<int> minutes;
  for (const std::string_view piece : base::Split(option.raw(), ',')) {
    const std::string_view text = base::Trim(piece);
    const auto value = base::AllDigits(text) ? base::ParseNumber<int>(text) : std::nullopt;
    if (!value || *value > kMostOffenderMinutes || minutes.size() >= kMostOffenderTimes) {
      return option.Invalid("1 to 5 numbers of minutes separated by commas, as in 30,60,120");
    }
    minutes.push_back(*value);
  }
  draft.response.repeated_offenders = std::move(minutes);
}

constexpr OptionRow<Draft> kOptions[] = {
    {"command", Command},
    {"location", Location},
    {"agent_id", AgentId},
    {"level", Level},
    {"rules_id", RulesId},
    {"rules_group", RulesGroup},
    {"timeout", Timeout},
    {"disabled", Disabled},
    {"allow_hostnames", AllowHostnames},
    {"repeated_offenders", RepeatedOffenders},
};

// execd only wants to know whether it is switched off and for how long offenders are blocked; what
// else is wrong in the section is analysisd's business, and on an agent nobody's.
constexpr OptionRow<Draft> kExecdOptions[] = {
    {"command", Command},
    {"location", LocationForExecd},
    {"disabled", Disabled},
    {"repeated_offenders", RepeatedOffenders},
};

// The tests that need more than one option. Each fault is one line.
class Completeness {
 public:
  Completeness(const SectionContext& context, const Draft& draft)
      : context_(context), draft_(draft) {}

  // True when the response can be bound to rules.
  bool Check() const {
    if (draft_.response.disabled) return false;
    if (!HasBoth()) return false;
    const size_t errors = context_.problems.error_count();
    CheckAgent();
    CheckCommand();
    WarnWhenNeverFired();
    return context_.problems.error_count() == errors;
  }

 private:
  void Error(const log::Message& message, int line, std::string text, std::string remedy) const {
    context_.problems.Error(message.id, context_.file, line, std::move(text), std::move(remedy));
  }

  int line() const { return context_.section.line; }

  bool HasBoth() const {
    if (draft_.has_command && draft_.has_location) return true;
    if (draft_.has_offenders) return false;
    Error(
        msg::kResponseIncomplete, line(),
        fmt::format("<active-response> has no {}", draft_.has_command ? "<location>" : "<command>"),
        "expected both, or <disabled>yes, or <repeated_offenders>");
    return false;
  }

  void CheckAgent() const {
    if (!draft_.response.on_defined_agent || !draft_.response.agent_id.empty()) return;
    Error(msg::kResponseAgent, line(),
          "<active-response>: location defined-agent without <agent_id>",
          "expected <agent_id> with the id of the agent");
  }

  void CheckCommand() const {
    const auto& commands = context_.configuration.commands;
    const auto found = std::ranges::find(commands, draft_.response.command, &CommandSection::name);
    if (found == commands.end()) return UnknownCommand();
    if (draft_.response.timeout == 0 || found->timeout_allowed) return;
    Error(msg::kResponseTimeout, draft_.timeout_line,
          fmt::format("<active-response><timeout>: command {} does not allow a timeout",
                      Show(found->name)),
          fmt::format("add <timeout_allowed>yes</timeout_allowed> to the command on line {}, or "
                      "remove <timeout>",
                      found->origin.line));
  }

  void UnknownCommand() const {
    std::vector<std::string_view> names;
    for (const CommandSection& command : context_.configuration.commands) {
      names.push_back(command.name);
    }
    Error(msg::kResponseCommand, draft_.command_line,
          fmt::format("<active-response><command>: no command '{}' is defined above",
                      Show(draft_.response.command)),
          names.empty() ? "add a <command> section with this name before this one"
                        : Suggest(draft_.response.command, names));
  }

  void WarnWhenNeverFired() const {
    const ActiveResponseSection& response = draft_.response;
    if (response.has_level || !response.rule_ids.empty() || !response.rules_group.empty()) return;
    context_.problems.Warning(
        msg::kResponseNeverFires.id, context_.file, line(),
        fmt::format("<active-response> of {} is bound to no rule and never starts",
                    Show(response.command)),
        "add <level>, <rules_id> or <rules_group>");
  }

  const SectionContext& context_;
  const Draft& draft_;
};

}  // namespace

void ReadActiveResponse(const SectionContext& context) {
  Draft draft;
  draft.response.origin = {std::string(context.file), context.section.line};
  const SectionText text{context.section, context.file, context.problems};
  auto& responses = context.configuration.active_responses;
  if (context.reader == Reader::kExecd) {
    ReadOptions(text, kExecdOptions, draft, UnknownOptions::kIgnore);
    responses.push_back(std::move(draft.response));
    return;
  }
  ReadOptions(text, kOptions, draft);
  if (Completeness(context, draft).Check()) responses.push_back(std::move(draft.response));
}

void CheckActiveResponses(const Configuration& configuration, Problems& problems) {
  if (configuration.active_responses.empty()) return;
  const GlobalSection& global = configuration.global;
  if (!global.never_block.empty() || !global.never_block_hosts.empty()) return;
  const Origin& origin = configuration.active_responses.front().origin;
  problems.Warning(msg::kNoNeverBlock.id, origin.file, origin.line,
                   "<active-response> without any <global><allow_list>: every address may be "
                   "blocked, also yours",
                   "add <allow_list> with addresses that must never be blocked");
}

}  // namespace ospatrol::config
