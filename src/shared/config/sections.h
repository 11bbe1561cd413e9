// The sections of ospatrol.conf as plain structs with their defaults
// (configuration-and-operation 3.4-3.13). Code behind the reader never sees XML. One reader
// (section_<name>.cpp) and one struct a section; the registry of all section names and who owns
// them is in registry.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pattern/ip_list.h"

namespace ospatrol::config {

// Where a value was given: later checks (a missing rule file, an unknown command) can name the
// line.
struct Origin {
  std::string file;
  int line = 0;
};

enum class JsonSchema { kLegacy, kWazuh, kEcs, kBoth };
enum class SmtpTls { kDefault, kNone, kOpportunistic, kRequired };

// <global>
struct GlobalSection {
  bool email_notification = false;
  std::vector<std::string> email_to;
  std::string email_from, email_reply_to, email_idsname;
  std::string smtp_server, helo_server, smtp_user, smtp_password;
  int smtp_port = 0;  // 0 = automatic
  bool auth_smtp = false, secure_smtp = false, smtp_tls_verify = true;
  SmtpTls smtp_tls = SmtpTls::kDefault;
  int email_maxperhour = 12;
  bool logall = false, logall_json = false, jsonout_output = false;
  int stats_level = 4;
  int memory_size = 8192;
  pattern::IpList never_block;                 // white_list, allow_list: addresses
  std::vector<std::string> never_block_hosts;  // the same: host names
  std::string custom_alert_output;
  std::optional<JsonSchema> json_schema;
  std::string geoipdb;
};

// <rules>
struct RulesSection {
  struct File {
    std::string path;  // relative to the prefix: "rules/sshd_rules.xml"
    Origin origin;
  };
  struct Directory {
    std::string path;
    std::string pattern;  // os_regex searched in "<dir>/<file>"
    Origin origin;
  };
  struct Entry {  // configuration order is evaluation order
    std::optional<File> file;
    std::optional<Directory> directory;
  };
  std::vector<Entry> rules;
  std::vector<Entry> decoders;  // empty: etc/decoder.xml, then etc/local_decoder.xml
  std::vector<File> lists;      // source text, relative to the prefix, without ".cdb"
};

// <alerts>
struct AlertsSection {
  int log_alert_level = 1;
  int email_alert_level = 7;
};

// <localfile>
struct LocalFileSection {
  std::string location;
  std::string log_format;  // as in 3.12, blanks of "multi-line: N" removed
  int multi_line_count = 0;
  std::string command, alias;
  int frequency = 360;  // seconds
  bool only_future_events = false;
  std::string query;
  bool read_from_beginning = false;
  std::string run_as;  // empty = root
  Origin origin;
};

// <command>
struct CommandSection {
  std::string name, executable;
  bool expect_srcip = false, expect_user = false, expect_filename = false;
  bool timeout_allowed = false, native_timeout = false;
  Origin origin;
};

// <active-response>. For analysisd the list holds the responses that can be bound to rules (not
// disabled, with a defined command and a location), for execd every section, with only `command`,
// the places, `disabled` and `repeated_offenders` filled in.
struct ActiveResponseSection {
  std::string command;
  bool on_server = false, on_origin = false, on_defined_agent = false, on_all = false;
  std::string agent_id;
  bool has_level = false;  // <level> was given; 0 then means any level
  int level = 0;
  std::vector<int> rule_ids;
  std::string rules_group;  // os_match
  int timeout = 0;          // seconds; 0 = never undone
  bool disabled = false;
  bool allow_hostnames = false;
  std::vector<int> repeated_offenders;  // minutes
  Origin origin;
};

// <syscheck>, as far as analysisd reads it
struct SyscheckManagerSection {
  std::vector<std::string> ignore;  // path prefixes
  bool auto_ignore = true;
  bool alert_new_files = false;
};

// One listener of remoted.
struct RemoteListener {
  bool secure = true;  // agents; else plain syslog
  int port = 0;
  bool udp = true, tcp = false;
  std::string local_ip;  // empty: all addresses
  Origin origin;
};

enum class CryptoAccept { kAny, kAes, kBlowfish, kV2 };

// All <remote> sections
struct RemoteSection {
  std::vector<RemoteListener> listeners;
  pattern::IpList allowed, denied;  // of all syslog listeners; denied is checked first
  CryptoAccept crypto_accept = CryptoAccept::kAny;

  const RemoteListener* Secure() const;  // nullptr: none
};

enum class ClientCipher { kAuto, kAes, kBlowfish };
enum class ClientProtocol { kAuto, kV1, kV2 };

// All <client> sections
struct ClientSection {
  struct Server {
    std::string name;  // address or host name
    bool is_address = false;
  };
  std::vector<Server> servers;  // in the order in which they are tried
  int port = 1514;
  std::string local_ip;       // empty: any
  int notify_time = 600;      // seconds between keep-alives
  int time_reconnect = 1800;  // seconds without an answer
  std::string profile;        // as agent.conf compares it
  bool disable_active_response = false;
  ClientCipher crypto_method = ClientCipher::kAuto;
  ClientProtocol protocol = ClientProtocol::kAuto;
  int spool_size = 256;  // MiB
  bool spool_drop_oldest = false;
  bool repeat_unacknowledged = false;  // v1: events since the last acknowledged keep-alive again
  bool auto_restart = false;           // when agent.conf changed
  bool restore_shared_files = true;    // what somebody else changed in etc/shared
};

struct Configuration {
  GlobalSection global;
  RulesSection rules;
  AlertsSection alerts;
  SyscheckManagerSection syscheck;
  std::vector<LocalFileSection> localfiles;
  std::vector<CommandSection> commands;
  std::vector<ActiveResponseSection> active_responses;
  RemoteSection remote;
  ClientSection client;
};

}  // namespace ospatrol::config
