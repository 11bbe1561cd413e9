// What manager and agent tell each other beside events, protocol version 1 (wire-protocol 4).
//
// A message that begins with "#!-" is a control message. From an agent everything else is an event;
// from a manager everything else is content of the file that it announced before.
// Views in results point into the message that was parsed.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::secure {

inline constexpr std::string_view kControlPrefix = "#!-";
inline constexpr size_t kMaxKeepAlive = 1023;  // bytes with the prefix
inline constexpr size_t kMaxUname = 510;
inline constexpr size_t kMaxFiller = 698;

// Exact texts, trailing spaces included.
inline constexpr std::string_view kStartupMessage = "#!-agent startup ";
inline constexpr std::string_view kAckMessage = "#!-agent ack ";
inline constexpr std::string_view kCloseFileMessage = "#!-close file ";
inline constexpr std::string_view kSyscheckRestartMessage = "#!-syscheck restart";
inline constexpr std::string_view kOfferV2Message = "#!-ospatrol offer v2\n";
inline constexpr std::string_view kMergedName = "merged.mg";

inline bool IsControl(std::string_view message) { return message.starts_with(kControlPrefix); }

// --- agent to manager ---

// A line "<md5> <name>" of a keep-alive; `md5` is "x" where the agent has no such file.
struct FileSum {
  std::string_view md5;
  std::string_view name;
};

struct KeepAlive {
  std::string_view first_line;      // without prefix and line feed: what agent-info keeps
  std::string_view uname;           // without " / <md5>"; product and version behind its " - "
  std::string_view agent_conf_md5;  // empty: the agent has no agent.conf
  std::vector<FileSum> files;       // one entry merged.mg; very old agents name each file
  bool offers_v2 = false;           // "ospatrol-caps:" names v2

  // The sum named for `name`; empty when there is none.
  std::string_view SumOf(std::string_view name) const;
};

// Takes the whole message, prefix included. Nothing for other messages and for one without a line
// feed (WARN "Invalid message from agent").
std::optional<KeepAlive> ParseKeepAlive(std::string_view message);

struct KeepAliveParts {
  std::string_view uname = {};           // cut to kMaxUname; line feeds become spaces
  std::string_view agent_conf_md5 = {};  // empty: none
  std::string_view merged_md5 = {};      // empty: "x"
  bool offers_v2 = false;
  std::string_view filler =
      {};  // RandomFiller(); cut so that the message stays within kMaxKeepAlive
};
std::string FormatKeepAlive(const KeepAliveParts& parts);
// 0 to kMaxFiller random characters, against the guessing of contents by length.
std::string RandomFiller();

enum class AgentMessage { kEvent, kStartup, kKeepAlive, kInvalid };
// kInvalid: a control message that no agent sends. kKeepAlive: ParseKeepAlive gives the parts, or
// nothing.
AgentMessage ClassifyFromAgent(std::string_view message);

// --- manager to agent ---

struct ManagerMessage {
  enum class Kind {
    kFileContent,  // text: the bytes; only while a file is open
    kAcknowledgement,
    kUpFile,  // md5 and name
    kCloseFile,
    kExecd,  // text: what goes to execd
    kSyscheckRestart,
    kOfferV2,
    kUnknown,  // a control message that we do not know, or a malformed one
  };
  Kind kind = Kind::kUnknown;
  std::string_view text;
  std::string_view md5;   // 32 lower-case hex digits
  std::string_view name;  // as sent: apply SharedNameFault (merged_file.h) before using it
};
ManagerMessage ParseFromManager(std::string_view message);
// May a receive counter advance on it (wire-protocol 2.9 item 8)? An agent's own packets sent back
// to it are not among them.
bool IsFromManager(const ManagerMessage& message, bool file_open);

std::string FormatUpFile(std::string_view md5, std::string_view name);
std::string FormatExecd(std::string_view text);

// Cuts the content of a file into messages of at most `limit` bytes of which none begins with
// "#!-", which the agent would take for a control message. Empty for empty content.
std::vector<std::string_view> FileChunks(std::string_view content, size_t limit);

}  // namespace ospatrol::secure
