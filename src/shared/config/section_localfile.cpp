// <localfile> (configuration-and-operation 3.12): one thing that logcollector reads.
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

constexpr int kMostFrequency = 365 * 24 * 3600;
constexpr int kMostMultiLines = 65535;

constexpr std::string_view kMultiLine = "multi-line";
constexpr std::string_view kMultiLineForm = "multi-line: N";
constexpr std::string_view kFormats[] = {
    "syslog",         "generic",
    "json",           "command",
    "full_command",   "journald",
    "audit",          "modsec-audit",
    "apache",         "iis",
    "squid",          "nmapg",
    "snort-full",     "snort-fast",
    "mysql_log",      "mssql_log",
    "postgresql_log", "ossecalert",
    "ospatrolalert",  "djb-multilog",
    "syslog-pipe",    "multi-line_indented",
    kMultiLineForm,   "eventlog",
    "eventchannel",
};
constexpr std::array<std::string_view, 3> kEventLogs{"Application", "System", "Security"};

struct Draft {
  LocalFileSection entry;
  bool has_format = false;
};

// N of kMultiLineForm; blanks around the colon and the number are allowed, nothing else.
std::optional<int> MultiLineCount(std::string_view text) {
  if (!text.starts_with(kMultiLine)) return std::nullopt;
  text = base::Trim(text.substr(kMultiLine.size()));
  if (!text.starts_with(':')) return std::nullopt;
  text = base::Trim(text.substr(1));
  const auto count = base::AllDigits(text) ? base::ParseNumber<int>(text) : std::nullopt;
  if (!count || *count < 1 || *count > kMostMultiLines) return std::nullopt;
  return count;
}

void LogFormat(const Option& option, Draft& draft) {
  draft.has_format = true;
  const std::string_view text = option.trimmed();
  if (const auto count = MultiLineCount(text)) {
    draft.entry.multi_line_count = *count;
    draft.entry.log_format = fmt::format("{}:{}", kMultiLine, *count);
    return;
  }
  if (text != kMultiLineForm && std::ranges::find(kFormats, text) != std::end(kFormats)) {
    draft.entry.log_format = text;
    draft.entry.multi_line_count = 0;
    return;
  }
  const std::string hint = text.starts_with(kMultiLine)
                               ? std::string("expected multi-line: N with N from 1 to 65535")
                               : Suggest(text, kFormats);
  option.Error(
      msg::kInvalidValue,
      text.empty() ? std::string("is empty") : fmt::format("'{}' is no log format", Show(text)),
      hint);
}

void Location(const Option& option, Draft& draft) {
  const auto text = TextValue(option, "a file, a pattern of files, or journald's all");
  if (!text) return;
  draft.entry.location = *text;
  if (option.trimmed().size() == text->size()) return;
  option.Warn(msg::kLikelyMistake,
              fmt::format("blanks around '{}' are part of the name", Show(option.trimmed())),
              "remove them");
}

void Command(const Option& option, Draft& draft) {
  if (auto text = TextValue(option, "a shell command line")) {
    draft.entry.command = std::move(*text);
  }
}

void Alias(const Option& option, Draft& draft) { draft.entry.alias = option.raw(); }

void Frequency(const Option& option, Draft& draft) {
  const std::string_view text = option.trimmed();
  if (text == "hourly") {
    draft.entry.frequency = 3600;
  } else if (text == "daily") {
    draft.entry.frequency = 86400;
  } else if (const auto value = base::AllDigits(text) ? base::ParseNumber<int>(text) : std::nullopt;
             value && *value <= kMostFrequency) {
    draft.entry.frequency = *value;
  } else {
    option.Invalid(fmt::format("seconds (0 to {}), hourly or daily", kMostFrequency));
  }
}

void OnlyFutureEvents(const Option& option, Draft& draft) {
  draft.entry.only_future_events = option.raw() == "yes";
}

void Query(const Option& option, Draft& draft) { draft.entry.query = option.raw(); }

void ReadFrom(const Option& option, Draft& draft) {
  static constexpr std::array<std::string_view, 2> kWords{"end", "beginning"};
  if (const auto index = WordValue(option, kWords)) draft.entry.read_from_beginning = *index == 1;
}

void RunAs(const Option& option, Draft& draft) {
  if (option.trimmed().empty()) return option.Invalid("the name of a user");
  draft.entry.run_as = option.trimmed();
}

constexpr OptionRow<Draft> kOptions[] = {
    {"location", Location},   {"log_format", LogFormat, true},
    {"command", Command},     {"alias", Alias, true},
    {"frequency", Frequency}, {"only-future-events", OnlyFutureEvents},
    {"query", Query},         {"read_from", ReadFrom},
    {"run_as", RunAs},
};

bool RunsCommand(const LocalFileSection& entry) {
  return entry.log_format == "command" || entry.log_format == "full_command";
}

// Names of files, of journald identifiers and of Windows channels do not clash.
std::string_view NameSpace(const LocalFileSection& entry) {
  for (const std::string_view format : {"journald", "eventlog", "eventchannel"}) {
    if (entry.log_format == format) return format;
  }
  return "file";
}

class Acceptance {
 public:
  explicit Acceptance(const SectionContext& context) : context_(context) {}

  // True when logcollector can read the entry.
  bool Check(const Draft& draft) const {
    const LocalFileSection& entry = draft.entry;
    if (!IsComplete(draft)) return false;
    if (RunsCommand(entry) == entry.command.empty()) return WarnMismatch(entry);
    if (RunsCommand(entry)) return true;
    NoteEventLogName(entry);
    return !IsDuplicate(entry);
  }

 private:
  bool IsComplete(const Draft& draft) const {
    const LocalFileSection& entry = draft.entry;
    const bool has_source = !entry.location.empty() || !entry.command.empty() || Tried();
    if (!draft.has_format) {
      context_.problems.Error(
          msg::kNoLogFormat.id, context_.file, context_.section.line,
          fmt::format("<localfile>{} has no <log_format>",
                      entry.location.empty() ? "" : " of " + Show(entry.location)),
          "expected one, for example <log_format>syslog</log_format>");
    }
    if (!has_source) {
      context_.problems.Error(msg::kNoLocation.id, context_.file, context_.section.line,
                              "<localfile> has no <location>",
                              "expected <location>, or <command> with log_format command");
    }
    return !entry.log_format.empty() && (!entry.location.empty() || !entry.command.empty());
  }

  // An empty <location> or <command> has been reported already.
  bool Tried() const {
    return std::ranges::any_of(context_.section.children, [](const Element& element) {
      return element.name == "location" || element.name == "command";
    });
  }

  bool WarnMismatch(const LocalFileSection& entry) const {
    context_.problems.Warning(
        msg::kLikelyMistake.id, context_.file, context_.section.line,
        RunsCommand(entry)
            ? fmt::format("<localfile> with log_format {} has no <command>, it is ignored",
                          entry.log_format)
            : fmt::format("<localfile> with a <command> has log_format {}, it is ignored",
                          entry.log_format),
        RunsCommand(entry) ? "add <command>" : "expected log_format command or full_command");
    return false;
  }

  void NoteEventLogName(const LocalFileSection& entry) const {
    if (entry.log_format != "eventlog" ||
        std::ranges::find(kEventLogs, entry.location) != kEventLogs.end()) {
      return;
    }
    context_.problems.Info(msg::kEventLogName.id, context_.file, context_.section.line,
                           fmt::format("<localfile>: unusual event log '{}'", Show(entry.location)),
                           "expected Application, System or Security");
  }

  bool IsDuplicate(const LocalFileSection& entry) const {
    for (const LocalFileSection& other : context_.configuration.localfiles) {
      if (RunsCommand(other) || other.location != entry.location ||
          NameSpace(other) != NameSpace(entry)) {
        continue;
      }
      context_.problems.Warning(
          msg::kDuplicate.id, context_.file, context_.section.line,
          fmt::format("<localfile>: duplicated log file '{}', this entry is ignored",
                      Show(entry.location)),
          fmt::format("the first one is on line {}", other.origin.line));
      return true;
    }
    return false;
  }

  const SectionContext& context_;
};

}  // namespace

void ReadLocalFile(const SectionContext& context) {
  Draft draft;
  draft.entry.origin = {std::string(context.file), context.section.line};
  ReadOptions({context.section, context.file, context.problems}, kOptions, draft);
  if (Acceptance(context).Check(draft)) {
    context.configuration.localfiles.push_back(std::move(draft.entry));
  }
}

}  // namespace ospatrol::config
