// <command> (configuration-and-operation 3.13): a script that an active response may start.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/option.h"
#include "config/registry.h"
#include "config/show.h"
#include "log/messages.h"

namespace ospatrol::config {
namespace {

struct Draft {
  CommandSection command;
  bool has_name = false, has_executable = false, has_expect = false;
};

// Names and executables become words of a line of ar.conf and of the response messages.
bool IsWord(std::string_view text) {
  return !text.empty() &&
         std::ranges::none_of(text, [](char c) { return (c >= 0 && c <= ' ') || c == '\x7F'; });
}

void Name(const Option& option, Draft& draft) {
  draft.has_name = true;
  draft.command.name = option.raw();
  if (!IsWord(option.raw())) {
    option.Invalid("a name without blanks, best of letters, digits, _ and -");
  }
}

void Executable(const Option& option, Draft& draft) {
  draft.has_executable = true;
  if (!IsWord(option.raw()) || option.raw().find('/') != std::string::npos) {
    return option.Invalid("the name of a file in active-response/bin, without / and blanks");
  }
  draft.command.executable = option.raw();
}

void Expect(const Option& option, Draft& draft) {
  static constexpr std::array<std::string_view, 4> kWords{"srcip", "user", "username", "filename"};
  draft.has_expect = true;
  for (const std::string_view word : base::SplitWords(option.raw(), ", \t\r\n\v\f")) {
    const std::string lower = base::ToLower(word);
    if (lower == "srcip") {
      draft.command.expect_srcip = true;
    } else if (lower == "user" || lower == "username") {
      draft.command.expect_user = true;
    } else if (lower == "filename") {
      draft.command.expect_filename = true;
    } else {
      option.Warn(msg::kLikelyMistake, fmt::format("unknown word '{}' is ignored", Show(word)),
                  Suggest(lower, kWords));
    }
  }
}

void TimeoutAllowed(const Option& option, Draft& draft) {
  if (const auto value = YesNoValue(option)) draft.command.timeout_allowed = *value;
}

void NativeTimeout(const Option& option, Draft& draft) {
  if (const auto value = YesNoValue(option)) draft.command.native_timeout = *value;
}

constexpr OptionRow<Draft> kOptions[] = {
    {"name", Name},
    {"executable", Executable},
    {"expect", Expect},
    {"timeout_allowed", TimeoutAllowed},
    {"native_timeout", NativeTimeout},
};

}  // namespace

void ReadCommand(const SectionContext& context) {
  Draft draft;
  draft.command.origin = {std::string(context.file), context.section.line};
  ReadOptions({context.section, context.file, context.problems}, kOptions, draft);
  const std::pair<bool, std::string_view> required[] = {
      {draft.has_name, "<name>"},
      {draft.has_executable, "<executable>"},
      {draft.has_expect, "<expect> (it may be empty)"},
  };
  for (const auto& [given, name] : required) {
    if (given) continue;
    context.problems.Error(
        msg::kCommandIncomplete.id, context.file, context.section.line,
        fmt::format("<command>{} is incomplete", draft.has_name ? " " + draft.command.name : ""),
        fmt::format("expected {}", name));
  }
  if (draft.command.name.empty()) return;
  // An incomplete one stays in the list, so that responses do not report it as unknown again.
  auto& commands = context.configuration.commands;
  const auto earlier = std::ranges::find(commands, draft.command.name, &CommandSection::name);
  if (earlier == commands.end()) {
    commands.push_back(std::move(draft.command));
    return;
  }
  context.problems.Warning(
      msg::kDuplicate.id, context.file, context.section.line,
      fmt::format("<command> {} is defined twice, this one is ignored", draft.command.name),
      fmt::format("the first one is on line {}", earlier->origin.line));
}

}  // namespace ospatrol::config
