#include "analysisd/predecoder.h"

#include <algorithm>
#include <array>
#include <optional>

#include "analysisd/header_time.h"
#include "base/text.h"

namespace ospatrol::analysisd {
namespace {

// Bytes of host and program names.
constexpr std::array<bool, 256> kNameBytes = [] {
  std::array<bool, 256> bytes{};
  for (char c = 'a'; c <= 'z'; ++c) bytes[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) bytes[static_cast<unsigned char>(c)] = true;
  for (char c = '0'; c <= '9'; ++c) bytes[static_cast<unsigned char>(c)] = true;
  for (const char c : {'(', ')', '-', '.', '/', '@', '_'}) {
    bytes[static_cast<unsigned char>(c)] = true;
  }
  return bytes;
}();

// Reads a header from front to back. Nothing is consumed by a Take... that answers false or
// nothing.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::string_view rest() const { return text_; }
  void Skip(size_t count) { text_.remove_prefix(std::min(count, text_.size())); }

  bool Take(std::string_view expected) {
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(expected.size());
    return true;
  }

  std::string_view TakeName() {
    return TakeWhile([](char c) { return kNameBytes[static_cast<unsigned char>(c)]; });
  }
  std::string_view TakeDigits() { return TakeWhile(base::IsDigit); }
  std::string_view TakeAlnums() { return TakeWhile(base::IsAlnum); }
  std::string_view TakeWord() {
    return TakeWhile([](char c) { return c != ' '; });
  }

 private:
  template <typename Predicate>
  std::string_view TakeWhile(Predicate belongs) {
    const auto* end = std::find_if_not(text_.begin(), text_.end(), belongs);
    const std::string_view taken = text_.substr(0, static_cast<size_t>(end - text_.begin()));
    text_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view text_;
};

// "name: " or "name[123]: "; "name[123] " only where `loose`.
std::optional<std::string_view> TakeProgram(Reader& reader, bool loose) {
  Reader ahead = reader;
  const std::string_view name = ahead.TakeName();
  bool fits = ahead.Take(": ");
  if (!fits && ahead.Take("[") && !ahead.TakeDigits().empty()) {
    fits = ahead.Take("]: ") || (loose && ahead.Take("] "));
  }
  if (!fits) return std::nullopt;
  reader = ahead;
  return name;
}

// AIX: "facility|facility:severity " before the program.
std::optional<std::string_view> TakeAixProgram(Reader& reader) {
  Reader ahead = reader;
  ahead.TakeName();
  if (!ahead.Take("|") || ahead.rest().empty() || !base::IsLower(ahead.rest()[0])) {
    return std::nullopt;
  }
  ahead.TakeAlnums();
  if (!ahead.Take(":")) return std::nullopt;
  ahead.TakeAlnums();
  if (!ahead.Take(" ")) return std::nullopt;
  const auto program = TakeProgram(ahead, false);
  if (program) reader = ahead;
  return program;
}

// Solaris: "[ID 123456 kern.notice] " in front of the message.
std::string_view SkipMessageId(std::string_view log) {
  if (!log.starts_with("[ID ")) return log;
  const size_t end = log.find("] ");
  return end == std::string_view::npos ? log : log.substr(end + 2);
}

void SetProgram(Event& event, std::string_view program, std::string_view log) {
  if (!program.empty()) event.program_name = program;
  event.log = SkipMessageId(log);
}

// Host and program of syslog forms.
void SplitSyslog(Event& event, std::string_view text) {
  Reader reader(text);
  reader.Take(" ");
  event.log = reader.rest();
  const std::string_view name = reader.TakeName();
  if (reader.Take(": ")) {  // Solaris without host
    SetProgram(event, name, reader.rest());
    return;
  }
  if (!reader.Take(" ")) return;
  if (!name.empty()) event.hostname = name;
  event.log = reader.rest();
  auto program = TakeProgram(reader, true);
  if (!program) program = TakeAixProgram(reader);
  if (program) SetProgram(event, *program, reader.rest());
}

// macOS: "[Key value] [Key value] ...". Only the first of repeated groups counts: a message can
// hold brackets.
void SplitAsl(Event& event, std::string_view text) {
  event.log = text;
  bool message_seen = false;
  size_t open = text.find('[');
  while (open != std::string_view::npos) {
    Reader group(text.substr(open + 1));
    const bool sender = group.Take("Sender ");
    const bool message = !sender && group.Take("Message ");
    const bool host = !sender && !message && group.Take("Host ");
    if (!sender && !message && !host) {
      open = text.find('[', open + 1);
      continue;
    }
    const size_t end = group.rest().find(']');
    if (end == std::string_view::npos) return;
    const std::string_view value = group.rest().substr(0, end);
    if (host) {
      if (!value.empty()) event.hostname = value;
      return;
    }
    if (sender && !IsSet(event.program_name) && !value.empty()) event.program_name = value;
    if (message && !message_seen) event.log = value;
    message_seen |= message;
    open = text.find('[', static_cast<size_t>(group.rest().data() - text.data()) + end);
  }
}

// RFC 5424, 6.3: "-" or one or more "[id name="value" ...]", in which `\` protects a quote, a
// bracket and itself.
bool SkipStructuredData(Reader& reader) {
  if (reader.Take("-")) return true;
  bool any = false;
  while (reader.rest().starts_with("[")) {
    const std::string_view text = reader.rest();
    bool quoted = false;
    size_t i = 1;
    for (; i < text.size() && (quoted || text[i] != ']'); ++i) {
      if (quoted && text[i] == '\\') {
        ++i;
      } else if (text[i] == '"') {
        quoted = !quoted;
      }
    }
    if (i >= text.size()) return false;
    reader.Skip(i + 1);
    any = true;
  }
  return any;
}

// "[<PRI>]1 TIME HOST APP PROCID MSGID SD [MSG]"; "-" = unset.
bool SplitRfc5424(Event& event, std::string_view text) {
  Reader reader(text);
  if (reader.Take("<") && (reader.TakeDigits().empty() || !reader.Take(">"))) return false;
  if (!reader.Take("1 ")) return false;
  if (!reader.Take("- ")) {
    const size_t length = IsoTimeLength(reader.rest());
    reader.Skip(length);
    if (length == 0 || !reader.Take(" ")) return false;
  }
  std::array<std::string_view, 4> words;  // host, app, process id, message id
  for (std::string_view& word : words) {
    word = reader.TakeWord();
    if (word.empty() || !reader.Take(" ")) return false;
  }
  if (!SkipStructuredData(reader)) return false;
  if (!reader.Take(" ") && !reader.rest().empty()) return false;
  reader.Take("\xEF\xBB\xBF");
  if (words[0] != "-") event.hostname = words[0];
  if (words[1] != "-") event.program_name = words[1];
  event.log = reader.rest();
  return true;
}

// Forms that are recognised on request only: existing decoders see such texts whole.
bool SplitExtended(Event& event) {
  if (SplitRfc5424(event, event.full_log)) return true;
  const size_t length = IsoTimeLength(event.full_log);
  if (length == 0 || length >= event.full_log.size() || event.full_log[length] != ' ') return false;
  SplitSyslog(event, event.full_log.substr(length));
  return true;
}

void SplitHeader(Event& event, bool extended) {
  const HeaderTime header = RecognizeHeader(event.full_log);
  const std::string_view rest = event.full_log.substr(header.skip);
  switch (header.family) {
    case HeaderFamily::kNone:
      if (!extended || !SplitExtended(event)) event.log = event.full_log;
      break;
    case HeaderFamily::kSyslog:
      SplitSyslog(event, rest);
      break;
    case HeaderFamily::kAsl:
      SplitAsl(event, rest);
      break;
    case HeaderFamily::kTimeOnly:
      event.log = rest;
      break;
  }
}

}  // namespace

void Predecode(Event& event, const EngineOptions& options) {
  const bool header = event.kind != '3' && event.kind != '8' && event.kind != '9';
  if (header) SplitHeader(event, options.predecode_extended);
  if (event.location.starts_with('(')) {
    event.hostname = event.location;
  } else if (!IsSet(event.hostname)) {
    event.hostname = options.server_name;
  }
}

}  // namespace ospatrol::analysisd
