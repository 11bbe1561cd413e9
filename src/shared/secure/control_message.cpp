#include "secure/control_message.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "base/text.h"
#include "secure/merged_file.h"

namespace ospatrol::secure {

namespace {

constexpr std::string_view kCapabilities = "ospatrol-caps:";
constexpr std::string_view kUpFile = "#!-up file ";
constexpr std::string_view kExecd = "#!-execd ";
constexpr std::string_view kSumSeparator = " / ";
constexpr size_t kMd5Digits = 32;
constexpr size_t kMaxSums = 256;

bool IsMd5(std::string_view text) {
  return text.size() == kMd5Digits && std::all_of(text.begin(), text.end(), [](char c) {
           return base::IsDigit(c) || (c >= 'a' && c <= 'f');
         });
}

std::string_view TakeLine(std::string_view& rest) {
  const size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return line;
}

// "Linux web01 ... - OSSEC HIDS v4.2.0 / <md5>"
void ReadFirstLine(std::string_view line, KeepAlive& keep_alive) {
  keep_alive.first_line = line;
  keep_alive.uname = line;
  const size_t separator = line.rfind(kSumSeparator);
  if (separator == std::string_view::npos) return;
  const std::string_view sum = line.substr(separator + kSumSeparator.size());
  if (!IsMd5(sum)) return;
  keep_alive.uname = line.substr(0, separator);
  keep_alive.agent_conf_md5 = sum;
}

// Sums stand in the lines up to the first that is none; the line of capabilities may follow an
// empty one.
void ReadSums(std::string_view rest, KeepAlive& keep_alive) {
  while (!rest.empty() && keep_alive.files.size() < kMaxSums) {
    std::string_view after = rest;
    const std::string_view line = TakeLine(after);
    const size_t space = line.find(' ');
    const std::string_view sum = line.substr(0, space);
    if (space == std::string_view::npos || space + 1 == line.size()) break;
    if (sum != "x" && !IsMd5(sum)) break;
    keep_alive.files.push_back({.md5 = sum, .name = line.substr(space + 1)});
    rest = after;
  }
  if (rest.starts_with('\n')) rest.remove_prefix(1);
  if (!rest.starts_with(kCapabilities)) return;
  const std::string_view line = TakeLine(rest).substr(kCapabilities.size());
  const auto words = base::SplitWords(line, " ,");
  keep_alive.offers_v2 = std::find(words.begin(), words.end(), "v2") != words.end();
}

ManagerMessage UpFile(std::string_view rest) {
  const std::string_view line = TakeLine(rest);
  const size_t space = line.find(' ');
  const std::string_view sum = line.substr(0, space);
  if (space == std::string_view::npos || space + 1 == line.size() || !IsMd5(sum)) return {};
  return {.kind = ManagerMessage::Kind::kUpFile,
          .text = {},
          .md5 = sum,
          .name = line.substr(space + 1)};
}

}  // namespace

std::string_view KeepAlive::SumOf(std::string_view name) const {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const FileSum& file) { return file.name == name; });
  return found == files.end() ? std::string_view() : found->md5;
}

std::optional<KeepAlive> ParseKeepAlive(std::string_view message) {
  if (ClassifyFromAgent(message) != AgentMessage::kKeepAlive) return std::nullopt;
  message.remove_prefix(kControlPrefix.size());
  if (message.find('\n') == std::string_view::npos) return std::nullopt;
  KeepAlive keep_alive;
  ReadFirstLine(TakeLine(message), keep_alive);
  ReadSums(message, keep_alive);
  return keep_alive;
}

std::string FormatKeepAlive(const KeepAliveParts& parts) {
  std::string uname(parts.uname.substr(0, kMaxUname));
  std::replace_if(
      uname.begin(), uname.end(), [](char c) { return c == '\n' || c == '\0'; }, ' ');
  std::string message = fmt::format("{}{}", kControlPrefix, uname);
  if (!parts.agent_conf_md5.empty())
    message += fmt::format("{}{}", kSumSeparator, parts.agent_conf_md5);
  message +=
      fmt::format("\n{} {}\n\n", parts.merged_md5.empty() ? "x" : parts.merged_md5, kMergedName);
  if (parts.offers_v2) message += fmt::format("{} v2\n", kCapabilities);
  message += parts.filler.substr(0, kMaxKeepAlive - message.size());
  return message;
}

std::string RandomFiller() {
  constexpr std::string_view kCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!@#$%^&*()_+-=;'[],./?";
  const std::string bytes = base::RandomBytes(2 + kMaxFiller);
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const size_t length = (byte(0) * 256U + byte(1)) % (kMaxFiller + 1);
  std::string filler;
  for (size_t i = 0; i < length; ++i) filler += kCharacters[byte(2 + i) % kCharacters.size()];
  return filler;
}

AgentMessage ClassifyFromAgent(std::string_view message) {
  if (!IsControl(message)) return AgentMessage::kEvent;
  if (message == kStartupMessage) return AgentMessage::kStartup;
  // What only managers send, come back.
  if (ParseFromManager(message).kind != ManagerMessage::Kind::kUnknown) {
    return AgentMessage::kInvalid;
  }
  return message.size() > kControlPrefix.size() ? AgentMessage::kKeepAlive : AgentMessage::kInvalid;
}

ManagerMessage ParseFromManager(std::string_view message) {
  using Kind = ManagerMessage::Kind;
  const auto of = [](Kind kind, std::string_view text = {}) {
    return ManagerMessage{.kind = kind, .text = text, .md5 = {}, .name = {}};
  };
  if (!IsControl(message)) return of(Kind::kFileContent, message);
  if (message == kAckMessage) return of(Kind::kAcknowledgement);
  if (message == kCloseFileMessage) return of(Kind::kCloseFile);
  if (message == kSyscheckRestartMessage) return of(Kind::kSyscheckRestart);
  if (message == kOfferV2Message) return of(Kind::kOfferV2);
  if (message.starts_with(kUpFile)) return UpFile(message.substr(kUpFile.size()));
  if (message.starts_with(kExecd) && message.size() > kExecd.size()) {
    return of(Kind::kExecd, message.substr(kExecd.size()));
  }
  return of(Kind::kUnknown);
}

bool IsFromManager(const ManagerMessage& message, bool file_open) {
  using Kind = ManagerMessage::Kind;
  if (message.kind == Kind::kFileContent) return file_open;
  return message.kind != Kind::kUnknown;
}

std::string FormatUpFile(std::string_view md5, std::string_view name) {
  return fmt::format("{}{} {}\n", kUpFile, md5, name);
}

std::string FormatExecd(std::string_view text) { return fmt::format("{}{}", kExecd, text); }

std::vector<std::string_view> FileChunks(std::string_view content, size_t limit) {
  std::vector<std::string_view> chunks;
  while (!content.empty()) {
    // Content that begins with the prefix goes in two pieces that are no prefix.
    size_t length = content.starts_with(kControlPrefix) ? 1 : std::min(limit, content.size());
    if (length > 1 && content.substr(length).starts_with(kControlPrefix)) --length;
    chunks.push_back(content.substr(0, length));
    content.remove_prefix(length);
  }
  return chunks;
}

}  // namespace ospatrol::secure
