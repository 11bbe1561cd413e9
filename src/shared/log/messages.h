// Every message that a program writes to ospatrol.log: number, level, text, and what to do.
// docs/messages.md is generated from this table by packaging/messages.py (`--check` compares them).
// Reference messages keep their number (configuration-and-operation 3.19); ours are 9000-9999:
//   9000-9049 daemon skeleton     9050-9149 configuration   9150-9199 ipc, queues, stores
//   9200-9299 engine, rules       9300-9349 analysisd       9350-9399 logcollector
//   9400-9449 control, tools           9450-9499 remoted      9500-9549 agentd
//   9550-9599 agent keys, authd        9600-9649 execd        9650-9699 monitord
//   9700-9729 secure channel
// Find a message by its number here; write it with log::Write<msg::kName>(arguments...).
#pragma once

#include "log/message.h"

namespace ospatrol::msg {

using log::Level;
using log::Message;

// --- system errors (reference numbers) ---
inline constexpr Message kCannotOpenFile{
    1103, Level::kError, "Could not open file '{}' due to: {}.",
    "The file is missing or its owner and mode keep this program out. Check both."};
inline constexpr Message kChrootFailed{
    1132, Level::kError, "Unable to chroot to directory '{}': {}.",
    "The program must be started as root and the prefix must exist."};
inline constexpr Message kSetgidFailed{1130, Level::kError, "Unable to switch to group '{}': {}.",
                                       "The program must be started as root."};
inline constexpr Message kSetuidFailed{1131, Level::kError, "Unable to switch to user '{}': {}.",
                                       "The program must be started as root."};
inline constexpr Message kBadUserOrGroup{
    1203, Level::kError, "Invalid user '{}' or group '{}' given.",
    "Create the user and group (packaging/files.tsv), or correct -u and -g."};
inline constexpr Message kPidFile{1212, Level::kError, "Unable to create PID file '{}': {}.",
                                  "Check the owner and mode of var/run."};
inline constexpr Message kConfigurationError{
    1202, Level::kError, "Configuration error at '{}'. Exiting.",
    "The lines before this one say what is wrong and where."};

// --- daemon skeleton ---
inline constexpr Message kStarted{0, Level::kInfo, "Started (pid: {}).", "The program is ready."};
inline constexpr Message kSignal{1225, Level::kInfo,
                                 "SIGNAL [({})-({})] Received. Exit Cleaning...",
                                 "The program ends in order."};
inline constexpr Message kForkFailed{1101, Level::kError, "Could not fork due to: {}.",
                                     "The machine is out of processes or memory."};
inline constexpr Message kSetsidFailed{1112, Level::kError, "Could not start a session due to: {}.",
                                       "The machine is out of processes."};
inline constexpr Message kChdirFailed{1133, Level::kError, "Unable to chdir to directory '{}': {}.",
                                      "The directory must exist and be reachable."};
inline constexpr Message kUnexpected{
    9000, Level::kError, "Unexpected failure: {}",
    "This should not happen: report it together with the lines before it."};
inline constexpr Message kNotConfined{
    9001, Level::kError, "This process is not confined as required: {}.",
    "The program ends rather than run with more rights than its row of programs.h gives it. "
    "A container or service manager may have taken CAP_SETPCAP, CAP_SETUID or CAP_SYS_CHROOT."};
inline constexpr Message kNotRoot{9002, Level::kError,
                                  "Must be started as root: user '{}' needs to be entered.",
                                  "Start it with ospatrol-control or as root. With -f it runs "
                                  "without root and without protection, for development."};
inline constexpr Message kUnprotected{
    9003, Level::kWarn, "Not started as root: running as uid {} without chroot.",
    "Meant for development. Start the program as root in production."};
inline constexpr Message kReloadRefused{
    9004, Level::kError, "The new configuration has errors; the old one stays in force.",
    "The lines before this one say what is wrong. Correct it and send SIGHUP again."};
inline constexpr Message kReloaded{9005, Level::kInfo, "Configuration read again.",
                                   "SIGHUP (reload) was obeyed."};
inline constexpr Message kNoPrefix{9006, Level::kError, "'{}' is not a directory.",
                                   "-D must name the directory in which the product is installed."};
inline constexpr Message kConfigurationOutside{
    9007, Level::kWarn, "'{}' is outside '{}': it cannot be read again after the start.",
    "A chrooted program reloads only files below its prefix. Move the file there."};
inline constexpr Message kResolverGone{
    9008, Level::kError, "The resolver process has ended: host names stay unknown until a restart.",
    "Something killed the child process that looks up names. Restart the program."};
inline constexpr Message kAlreadyRuns{
    9010, Level::kError, "Another process of this program already runs for '{}'.",
    "Stop it first (ospatrol-control stop): two would lose events."};
inline constexpr Message kSeccompFailed{9009, Level::kError,
                                        "The filter of system calls could not be loaded: {}.",
                                        "The kernel must be built with seccomp filters."};

// --- configuration (9050-9149) ---
// The texts are built where the fault is found: "FILE:LINE: <section><option>: what; what was
// expected".
inline constexpr Message kXmlSyntax{1226, Level::kError, "{}:{}: {}",
                                    "The file is not well-formed. The line says where and what."};
inline constexpr Message kXmlVariable{
    1227, Level::kError, "{}:{}: {}",
    "A $NAME is used before its <var name=\"NAME\">, or a <var> is incomplete."};
inline constexpr Message kInvalidElement{
    1230, Level::kError, "{}:{}: {}",
    "No section or option has this name here. The line names the nearest one."};
inline constexpr Message kInvalidValue{1235, Level::kError, "{}:{}: {}",
                                       "The line says which values the option takes."};
inline constexpr Message kConfigurationMissing{
    1239, Level::kError, "{}: {}", "The configuration file does not exist or cannot be read."};
inline constexpr Message kInvalidAttribute{1243, Level::kError, "{}:{}: {}",
                                           "The element has no such attribute."};
inline constexpr Message kCommandIncomplete{1280, Level::kError, "{}:{}: {}",
                                            "A <command> needs <name>, <executable> and <expect>."};
inline constexpr Message kResponseIncomplete{
    1281, Level::kError, "{}:{}: {}", "An <active-response> needs <command> and <location>."};
inline constexpr Message kResponseLocation{
    1302, Level::kError, "{}:{}: {}",
    "The location of a response is one or more of server, local, defined-agent, all."};
inline constexpr Message kResponseCommand{
    1303, Level::kError, "{}:{}: {}",
    "The <command> must be defined, before the <active-response> that names it."};
inline constexpr Message kResponseAgent{1304, Level::kError, "{}:{}: {}",
                                        "Location defined-agent needs an <agent_id>."};
inline constexpr Message kResponseTimeout{
    1305, Level::kError, "{}:{}: {}",
    "Set <timeout_allowed>yes in the command, or remove <timeout>."};
inline constexpr Message kBadPattern{1450, Level::kError, "{}:{}: {}",
                                     "The pattern does not compile. The line says why."};
inline constexpr Message kMailAddress{1502, Level::kError, "{}:{}: {}",
                                      "A mail address has the form name@domain."};
inline constexpr Message kRulesDirectory{1219, Level::kError, "{}:{}: {}",
                                         "The directory must exist and be readable."};
inline constexpr Message kNoRemoteConnection{1201, Level::kError, "{}:{}: {}",
                                             "A <remote> needs <connection>: secure or syslog."};
inline constexpr Message kNoServer{1215, Level::kError, "{}: {}",
                                   "An agent needs <server-ip> or <server-hostname>."};
inline constexpr Message kNoAllowedIps{
    1501, Level::kWarn, "{}:{}: {}",
    "A syslog listener takes messages only from addresses named by <allowed-ips>."};
inline constexpr Message kDuplicateSecure{
    9061, Level::kError, "{}:{}: {}", "All agents use one listener; remove the second <remote>."};
inline constexpr Message kReconnectTime{
    9062, Level::kInfo, "{}:{}: {}",
    "A manager counts as lost after <time-reconnect>, which must be above <notify_time>."};
inline constexpr Message kNoLogFormat{1901, Level::kError, "{}:{}: {}",
                                      "A <localfile> needs a <log_format>."};
inline constexpr Message kNoLocation{1902, Level::kError, "{}:{}: {}",
                                     "A <localfile> needs a <location> or a <command>."};
inline constexpr Message kEventLogName{
    1907, Level::kInfo, "{}:{}: {}",
    "Windows has the event logs Application, System and Security; others need eventchannel."};
inline constexpr Message kOptionsLine{1119, Level::kWarn, "{}:{}: {}",
                                      "Lines of this file are section.key=value, or comments."};
inline constexpr Message kInternalOption{2302, Level::kError, "{}:{}: {}",
                                         "The line says which numbers the internal option takes."};
inline constexpr Message kEmptySection{9050, Level::kWarn, "{}:{}: {}",
                                       "A section without options is treated as absent."};
inline constexpr Message kNoEffect{9051, Level::kWarn, "{}:{}: {}",
                                   "Accepted for compatibility. Remove the option."};
inline constexpr Message kNotBuilt{9052, Level::kWarn, "{}:{}: {}",
                                   "This build lacks the feature; the option is ignored."};
inline constexpr Message kLikelyMistake{
    9053, Level::kWarn, "{}:{}: {}",
    "The value is accepted, but is probably not what was meant. The line says what it means."};
inline constexpr Message kNoNeverBlock{
    9054, Level::kWarn, "{}:{}: {}",
    "List addresses that active response must never block with <allow_list>."};
inline constexpr Message kDuplicate{9055, Level::kWarn, "{}:{}: {}",
                                    "The same thing is configured twice; the first one counts."};
inline constexpr Message kDuplicateRuleFile{9056, Level::kInfo, "{}:{}: {}",
                                            "A file of <rules> is listed twice and read once."};
inline constexpr Message kUnknownInternalOption{
    9057, Level::kWarn, "{}:{}: {}", "No internal option has this name; the line is ignored."};
inline constexpr Message kNoInternalOptions{9058, Level::kInfo, "{}: {}",
                                            "Built-in defaults are used for all internal options."};
inline constexpr Message kResponseNeverFires{
    9059, Level::kWarn, "{}:{}: {}",
    "Give <level>, <rules_id> or <rules_group>, or the response is never started."};
inline constexpr Message kMailIncomplete{
    9060, Level::kWarn, "{}:{}: {}",
    "E-mail is on, but sender, recipient or server is missing: no mail will be sent."};

// --- ipc, queues, stores (9150-9199) ---
inline constexpr Message kQueueNotAccessible{
    1210, Level::kError, "Queue '{}' not accessible: '{}'.",
    "The program that reads the queue does not run, or the socket's mode keeps this program out."};
inline constexpr Message kCursorDamaged{
    9150, Level::kWarn, "'{}' is not a cursor; alerts are sent from the beginning of '{}' on.",
    "Somebody edited or damaged it. Alerts of today may be sent twice, older ones not at all."};
inline constexpr Message kCursorNotWritten{
    9151, Level::kError, "Cannot keep the position in the alert log: {}.",
    "Check space, owner and mode of queue/cursor. After a restart alerts may be sent twice."};
inline constexpr Message kCursorLost{
    9152, Level::kWarn, "Alert {} is not in '{}' any more; alerts are sent from byte {} of it on.",
    "The file was emptied, replaced or cut. Some of its alerts may be sent twice."};
inline constexpr Message kAlertsLeftOut{
    9153, Level::kWarn, "Alerts of '{}' to '{}' are left out: older than {} days.",
    "The program was stopped for long. See outputs.max_replay_days."};
inline constexpr Message kAlertDayMissing{
    9154, Level::kWarn, "'{}' is gone: what was not yet sent of it is left out.",
    "Somebody removed the file before it was read to its end."};
inline constexpr Message kAlertRecordBroken{
    9155, Level::kWarn, "'{}': {} bytes from {} on are no whole record: left out.",
    "analysisd or the machine was stopped while it wrote, or somebody else writes to the file."};
inline constexpr Message kAlertLogUnreadable{
    9156, Level::kError, "Cannot read '{}': {}.",
    "Check its owner and mode, and the disk. It is tried again."};
inline constexpr Message kAlertClockBack{
    9157, Level::kWarn, "Alerts are written to '{}' again, an older file; sent from byte {} on.",
    "The clock was set back. Alerts that were sent already may be sent again."};

// --- engine, rules (9200-9299) ---
inline constexpr Message kTextTooLong{1104, Level::kError, "{}:{}: {}",
                                      "Shorten the text, or split the decoder or rule in two."};
inline constexpr Message kSyscheckMessage{
    1755, Level::kError, "Syscheck message of '{}' is not 'SUM NAME': '{}'.",
    "An agent of another product or a forger sends it. The message is discarded."};
inline constexpr Message kDecoderParent{
    2101, Level::kError, "{}:{}: {}",
    "<parent> must name a decoder without parent that was loaded before."};
inline constexpr Message kDecoderSiblingPrematch{
    2102, Level::kError, "{}:{}: {}",
    "A decoder that continues one of the same name cannot have a <prematch>."};
inline constexpr Message kDecoderSiblingFts{
    2103, Level::kError, "{}:{}: {}",
    "A decoder that continues one of the same name cannot have <fts>."};
inline constexpr Message kDecoderSiblingKind{
    2104, Level::kError, "{}:{}: {}",
    "Decoders of one name and parent must all use <regex>, or all <pcre2>."};
inline constexpr Message kDecoderOrder{2107, Level::kError, "{}:{}: {}",
                                       "<order> and <fts> need a <regex> or <pcre2>, and a "
                                       "pattern needs an <order>."};
inline constexpr Message kDecoderUntested{
    2108, Level::kError, "{}:{}: {}",
    "A decoder without <parent> needs a <program_name> or a <prematch>."};
inline constexpr Message kDecoderOffsetTwice{
    2109, Level::kError, "{}:{}: {}",
    "Pieces of one pattern are joined: only the first one can have an offset."};
inline constexpr Message kDecoderPlugin{2110, Level::kError, "{}:{}: {}",
                                        "No plugin decoder has this name."};
inline constexpr Message kDecoderPluginMix{
    2111, Level::kError, "{}:{}: {}",
    "A plugin extracts the fields itself: remove the pattern and the <order>."};
inline constexpr Message kDecoderOffset{2120, Level::kError, "{}:{}: {}",
                                        "The offset has nothing that it could be after."};
inline constexpr Message kDecoderAttribute{2121, Level::kError, "{}:{}: {}",
                                           "A pattern of a decoder has one attribute: offset."};
inline constexpr Message kRelayedRuleUnknown{
    9200, Level::kWarn, "Relayed alert names rule {}, which is not loaded; dropped (from '{}').",
    "Both managers need the same rules. Add the rule here, or stop relaying it."};
inline constexpr Message kTooManyJsonFields{
    9201, Level::kError, "JSON event of '{}' has {} fields; only the first {} are kept.",
    "Rules can't see the other fields. Make the sender leave out what no rule needs."};
inline constexpr Message kHostInfoMessage{
    9202, Level::kError, "Host information of '{}' is not 'Host: ADDRESS, PORTS': '{}'.",
    "The output of nmap is not in its grepable form. The message is discarded."};
inline constexpr Message kGeoIpUnusable{
    9203, Level::kError, "{}:{}: {}",
    "<geoipdb> must name a MaxMind database that this program can read."};
inline constexpr Message kDecoderBothForms{
    9204, Level::kWarn, "{}:{}: {}",
    "A decoder has one element in both forms; the one without _pcre2 wins."};
inline constexpr Message kRulesFile{
    1220, Level::kError, "{}:{}: {}",
    "A file of rules cannot be loaded. The line says why; correct it and start again."};
inline constexpr Message kRuleList{1221, Level::kError, "{}:{}: {}",
                                   "A rule names a list that cannot be read. Create the list, or "
                                   "remove the condition."};
inline constexpr Message kRuleAddress{1237, Level::kError, "{}:{}: {}",
                                      "Addresses are [!] address [/length], IPv4 or IPv6, or any."};
inline constexpr Message kRuleTime{1240, Level::kError, "{}:{}: {}",
                                   "A span of time is h:mm - h:mm, each with am or pm if wanted."};
inline constexpr Message kRuleWeekday{
    1241, Level::kError, "{}:{}: {}",
    "Days are names, weekdays or weekends, separated by commas or blanks."};
inline constexpr Message kRuleCategory{
    1273, Level::kError, "{}:{}: {}",
    "Categories are syslog, firewall, ids, web-log, squid, windows and ossec."};
inline constexpr Message kCompiledRule{
    1274, Level::kWarn, "{}:{}: {}",
    "Only the built-in functions exist; a rule that names another one never matches."};
inline constexpr Message kRuleDoubtful{
    9210, Level::kWarn, "{}:{}: {}",
    "The rule is loaded, but is probably not what was meant. The line says why."};
inline constexpr Message kRuleReplaced{
    9211, Level::kInfo, "{}:{}: {}",
    "A rule with overwrite=\"yes\" has a result that differs from OSSEC's."};
inline constexpr Message kListUnreadable{
    9212, Level::kWarn, "{}:{}: {}",
    "The list is configured, but neither its text nor its .cdb can be read."};
inline constexpr Message kListReloaded{9213, Level::kInfo, "List '{}' changed and was read again.",
                                       "Its new content is in use."};
inline constexpr Message kListNotReloaded{
    9214, Level::kWarn, "List '{}' cannot be read, its old content stays in use: {}.",
    "Create the list again, or run ospatrol-makelists."};
inline constexpr Message kStatisticsNotKept{
    9215, Level::kWarn, "Cannot write statistics to '{}': {}.",
    "Check owner, mode and space of stats. Averages are learned anew for the hours that are lost."};
inline constexpr Message kListNotCompiled{
    9216, Level::kError, "List '{}' was not compiled: {}.",
    "The old .cdb, if there is one, stays as it was. Correct the cause and run it again."};
inline constexpr Message kSearchGivenUp{
    9217, Level::kWarn,
    "{} searches were given up because they would have taken too long; one of them for {}: '{}'.",
    "The pattern counts as not matching such a text. Write it with fewer repetitions inside each "
    "other, or anchor it."};
inline constexpr Message kResponsesNotBound{
    9218, Level::kWarn,
    "{}:{}: <active-response>: accepted, but no alert starts a response in this version.",
    "Responses are started by agent_control -b, and taken back after their <timeout>."};

// --- analysisd (9300-9349) ---
inline constexpr Message kMessageFormat{
    1106, Level::kError, "Message from '{}' is not of the form KIND:LOCATION:TEXT: '{}'.",
    "Its sender is not one of our programs, or is broken. The message was dropped."};
inline constexpr Message kMessageTooShort{
    1222, Level::kError, "Message of {} bytes from '{}': too short.",
    "Its sender is not one of our programs, or is broken. The message was dropped."};
inline constexpr Message kMessageCut{
    9300, Level::kWarn, "Message from '{}' cut at {} bytes.",
    "Its sender writes longer events than any program here reads."};
inline constexpr Message kBadFrame{
    9301, Level::kError, "Connection of '{}' closed, bad frame: {}.",
    "The sender is of another version or broken. It connects again and sends what was not taken."};
inline constexpr Message kConnectionRefused{
    9302, Level::kError, "Connection of '{}' refused: {}.",
    "Too many senders, or this program is out of descriptors. Senders try again."};
inline constexpr Message kOutputFailed{
    9303, Level::kError, "Cannot write '{}': {}. {} records wait; senders wait too.",
    "Make room on the disk or repair its cause. It is tried every second and nothing is lost."};
inline constexpr Message kOutputWorksAgain{9304, Level::kInfo,
                                           "Writing works again: {} records that had waited are "
                                           "written.",
                                           "Nothing was lost."};
inline constexpr Message kStoreFailed{
    9305, Level::kError, "Cannot store state: {}. Senders wait.",
    "Make room on the disk or repair its cause. It is tried every second and nothing is lost."};
inline constexpr Message kDayChangeFailed{
    9306, Level::kError, "Cannot begin the files of a new day: {}. Yesterday's are used on.",
    "Check owner, mode and space of logs. It is tried every second."};
inline constexpr Message kOutputGone{
    9317, Level::kError, "A file was deleted and cannot be made again: {}.",
    "Repair the directory. It is tried every second; alerts wait for it."};
inline constexpr Message kQueueShort{
    9318, Level::kWarn, "net.unix.max_dgram_qlen is {}: '{}' holds only so many events.",
    "sysctl -w net.unix.max_dgram_qlen=512, then restart. Until then programs that write to the "
    "datagram queue wait often, and lose events if they do not wait."};
inline constexpr Message kIdleConnections{
    9319, Level::kWarn,
    "'{}' had {} connections: the one of uid {} that was idle longest is closed.",
    "Some program opens connections and does not use them. Those that do use them are served."};
inline constexpr Message kNoHardLinks{9307, Level::kInfo,
                                      "'{}' is a symbolic link: no hard links here ({}).",
                                      "The file system has none. Readers notice no difference."};
inline constexpr Message kTornRecord{
    9308, Level::kWarn, "'{}' ended in an incomplete record of {} bytes: removed.",
    "The program or the machine was stopped while it wrote. Senders send the event again."};
inline constexpr Message kCorrelationStateRefused{
    9309, Level::kWarn, "'{}' cannot be used: {}. Counting begins anew.",
    "Rules that count events forget what came before the restart."};
inline constexpr Message kCorrelationStateNotSaved{
    9310, Level::kWarn, "Cannot save '{}': {}.",
    "Rules that count events will forget what came before the restart."};
inline constexpr Message kAnalysisStateFailed{9311, Level::kWarn, "Cannot write '{}': {}.",
                                              "Check the owner and mode of var/run."};
inline constexpr Message kResponsesNeedRestart{
    9312, Level::kWarn, "The responses differ from those in '{}'.",
    "That file is written at start only: restart ospatrol-analysisd."};
inline constexpr Message kStateImported{9313, Level::kInfo, "{} lines taken over from '{}'.",
                                        "The text file is not read again."};
inline constexpr Message kStoppedUnwritten{
    9314, Level::kError, "Stopped with {} records unwritten: {}.",
    "Programs that use the stream send these events again; those of the datagram queue are lost."};
inline constexpr Message kQueueReadFailed{9315, Level::kError, "Cannot read '{}': {}.",
                                          "Restart ospatrol-analysisd if this does not end."};
inline constexpr Message kStoreUnreadable{
    9316, Level::kError, "Cannot read state: {}.",
    "Integrity messages that need it are dropped, nothing counts as new. Check disk and owner of "
    "queue."};
inline constexpr Message kFirstSeenFull{
    9320, Level::kWarn,
    "First-time-seen lines have reached {}: the one used longest ago is forgotten.",
    "What it stood for counts as seen for the first time again. Raise analysisd.fts_max_lines."};
inline constexpr Message kFirstSeenUnreadable{
    9321, Level::kWarn, "Cannot read what was seen before: {}. Everything counts as new.",
    "Run ospatrol-logtest as root, or as a user who may read queue/fts."};
inline constexpr Message kMaintenanceOn{0, Level::kInfo,
                                        "Syscheck maintenance mode enabled for '{}'.",
                                        "Changes of its files are accepted silently."};
inline constexpr Message kMaintenanceOff{0, Level::kInfo,
                                         "Syscheck maintenance mode disabled for '{}'.",
                                         "Changes of its files raise alerts again."};
inline constexpr Message kMaintenanceEnded{
    0, Level::kInfo, "Syscheck maintenance mode ended for '{}' after baseline scan.",
    "Changes of its files raise alerts again."};
inline constexpr Message kMaintenanceStillOn{
    0, Level::kWarn,
    "Syscheck maintenance mode still enabled for '{}' for {} hours; FIM changes are silently "
    "accepted.",
    "End it with agent_control -M disable."};

// --- agent channel (reference numbers), remoted and agentd ---
inline constexpr Message kPacketMalformed{
    1403, Level::kError, "Incorrectly formatted message from '{}'.",
    "Not a packet of this protocol, or a damaged one. It was dropped and nothing was answered."};
inline constexpr Message kPacketWrongKey{
    1404, Level::kError, "Authentication error. Wrong key from '{}'.",
    "Both sides have different keys for this agent: export it again, or enrol the agent anew."};
inline constexpr Message kPacketChecksum{1406, Level::kError,
                                         "Checksum mismatch on message from '{}'.",
                                         "A damaged or forged packet. It was dropped."};
inline constexpr Message kPacketDuplicate{
    1407, Level::kError, "Duplicated counter for '{}'.",
    "A packet came twice, or the agent's counters were lost. Delete queue/rids/ID on the side that "
    "complains if it does not end."};
inline constexpr Message kPacketInflate{2202, Level::kError,
                                        "Error uncompressing string. Message from '{}'.",
                                        "A damaged or forged packet. It was dropped."};
inline constexpr Message kUnknownAgent{
    1408, Level::kError, "Invalid ID {} for the source ip: '{}'.",
    "etc/client.keys has no such id, or the id may not send from this address."};
inline constexpr Message kSourceNotAllowed{
    1213, Level::kWarn, "Message from '{}' not allowed.",
    "For agents: no entry of etc/client.keys has this address. For syslog: see allowed-ips."};

// --- secure channel (9700-9729) ---
inline constexpr Message kKeyLine{
    1401, Level::kError, "Error reading authentication key: '{}'. ({}:{}: {})",
    "The line is skipped, the others work. A key line is 'ID NAME ADDRESS KEY'."};
inline constexpr Message kChannelStateDamaged{
    9700, Level::kWarn, "'{}' was damaged ({}); it is kept as '{}' and a new one is started.",
    "Agents connect again by themselves. Check the disk."};
inline constexpr Message kChannelStateNotWritten{
    9701, Level::kError, "The state of the agent channel is not written: {}",
    "Check space and owner of queue/rids. Counters and positions of the last moments are lost "
    "when the program is killed now."};
inline constexpr Message kSenderCounterNotWritten{
    9702, Level::kError, "'{}' cannot be written: {}.",
    "Check space and owner of queue/rids. Counting goes on in memory."};
inline constexpr Message kNoBlowfish{
    9703, Level::kWarn, "Blowfish is not available: {}.",
    "Agents and managers that use Blowfish are not understood; AES works. Install OpenSSL's legacy "
    "provider (legacy.so), or exclude Blowfish with crypto_accept or crypto_method."};
inline constexpr Message kCounterFilesNotMade{
    9704, Level::kWarn, "'{}' cannot be written: {}.",
    "Deleting the file of an agent there, to reset its counters, will have no effect for it."};

// --- remoted (9450-9499) ---
inline constexpr Message kKeysFileChanged{1409, Level::kInfo,
                                          "Authentication file changed. Updating.",
                                          "Agents that did not change are not affected."};
inline constexpr Message kKeysFileRead{1410, Level::kInfo,
                                       "Reading authentication keys file: {} agents.",
                                       "So many entries of etc/client.keys are in use."};
inline constexpr Message kCannotBindPort{
    1206, Level::kError, "Unable to Bind port '{}': {}.",
    "Another program uses it, or the address is not one of this machine."};
inline constexpr Message kResponseRefused{
    1310, Level::kWarn, "Invalid active response (execd) message: {}.",
    "Something else was written to queue/alerts/ar (remoted) or execq (execd). It was dropped."};
inline constexpr Message kRelayAgentUnknown{
    1320, Level::kError, "Agent '{}' not found.",
    "A request names an agent that etc/client.keys does not have. It was dropped."};
inline constexpr Message kNoKeysYet{1751, Level::kInfo,
                                    "etc/client.keys is missing or has no agent yet.",
                                    "Agents are accepted as soon as they are added."};
inline constexpr Message kFaultsRepeated{
    9450, Level::kWarn, "{} more messages from '{}' like the one before with number {}.",
    "They came since that line, which is written once a minute."};
inline constexpr Message kFaultsOfOthers{
    9451, Level::kWarn, "{} messages of further sources with the fault of number {}.",
    "More sources sent bad packets than are told apart; their addresses may be forged."};
inline constexpr Message kAnalysisConnected{9452, Level::kInfo, "Connected to '{}'.",
                                            "Events are handed over and answered for."};
inline constexpr Message kAnalysisWithoutAnswers{
    9453, Level::kWarn, "'{}' does not exist; sending to '{}', which acknowledges nothing.",
    "ospatrol-analysisd is of another version. Events may be lost when it is killed."};
inline constexpr Message kAnalysisGone{
    9454, Level::kWarn, "No connection to '{}': {}. Events wait.",
    "Start ospatrol-analysisd. Agents of version 2 keep their events meanwhile; of version 1 only "
    "what fits into memory is kept."};
inline constexpr Message kSharedFileLeftOut{
    9455, Level::kWarn, "Not sent to agents: etc/shared/{}.",
    "Shared files are regular files of at most 1 MiB without NUL bytes."};
inline constexpr Message kAgentConfRefused{
    9456, Level::kError, "{}. Agents keep the version before.",
    "Correct etc/shared/agent.conf; verify-agent-conf checks it."};
inline constexpr Message kMergedNotWritten{9457, Level::kError,
                                           "{}. Agents get the shared files nevertheless.",
                                           "etc/shared must be writable for group ospatrol."};
inline constexpr Message kAgentInfoFailed{
    9458, Level::kWarn, "Cannot write '{}': {}.",
    "Tools show a wrong state of the agent. Check owner and space of queue/agent-info."};
inline constexpr Message kSharedFilesChanged{
    9459, Level::kInfo, "The shared files changed: merged.mg is {} ({} bytes).",
    "Agents that have another version get it."};
inline constexpr Message kEventsDropped{
    9460, Level::kWarn,
    "{} events of agents and syslog senders dropped: analysisd does not keep up.",
    "Agents of version 2 keep and repeat theirs; these came by protocols that cannot. See "
    "analysisd's load."};
inline constexpr Message kKernelDropped{
    9461, Level::kWarn, "{} packets dropped by the kernel on port {}: the receive buffer was full.",
    "A burst was larger than the buffer or the machine too busy. Raise remoted.receive_buffer."};
inline constexpr Message kSmallReceiveBuffer{
    9462, Level::kWarn, "The receive buffer of port {} is {} KiB instead of {} KiB.",
    "Raise net.core.rmem_max, or let the program start with CAP_NET_ADMIN; bursts may be lost."};
inline constexpr Message kEventLocation{
    9463, Level::kWarn, "Event of agent '{}' has a location that is not allowed; dropped.",
    "The location has an arrow, control bytes or '..': it could be taken for another agent's."};
inline constexpr Message kCipherRefused{
    9464, Level::kWarn, "Rejected {} message from '{}' (policy: {}).",
    "crypto_accept of <remote>, or etc/v2-only, does not allow it."};
inline constexpr Message kKeepAliveInvalid{9465, Level::kWarn,
                                           "Invalid message from agent id: '{}'.",
                                           "A keep-alive without line feed. It was acknowledged."};
inline constexpr Message kSessionPacketRefused{
    9466, Level::kWarn, "Packet of version 2 from '{}' refused: {}.",
    "Damaged, forged, or sealed with another key. It was dropped."};
inline constexpr Message kKeyShared{
    9467, Level::kWarn, "Two hosts use the key of agent '{}' ({}).",
    "Give each host a key of its own. They take the connection from each other."};
inline constexpr Message kRequestNotDelivered{
    9468, Level::kWarn, "Request for agent '{}' was not delivered: {}.",
    "The agent was not heard, or did not answer, within a minute."};
inline constexpr Message kFileRefused{
    9469, Level::kWarn, "Agent '{}' did not take '{}': {}.",
    "It keeps the version before. The text is what the agent said."};
inline constexpr Message kSyslogFraming{9470, Level::kWarn, "Syslog connection of '{}' closed: {}.",
                                        "The sender changed its framing or sends no syslog."};
inline constexpr Message kSyslogTooMany{
    9471, Level::kWarn, "Syslog TCP worker pool full, dropping connection from '{}'.",
    "Raise remoted.syslog_tcp_max_tasks."};
inline constexpr Message kSocketFailed{9472, Level::kError, "Cannot read from port {}: {}.",
                                       "It is tried again. Restart the program if it stays."};
inline constexpr Message kListening{9473, Level::kInfo,
                                    "Listening for {} on port {} ({}, receive buffer {} KiB).",
                                    "The listener is ready."};
inline constexpr Message kNeedsRestart{
    9474, Level::kWarn, "The listeners of <remote> changed; restart ospatrol-remoted for them.",
    "Ports and addresses are bound before the program gives up root."};
inline constexpr Message kKeysUnreadable{9475, Level::kError,
                                         "{}. The agents known before stay in use.",
                                         "etc/client.keys must be readable for group ospatrol."};
inline constexpr Message kTooManyAgents{
    9476, Level::kWarn, "{} agents in etc/client.keys, more than remoted.max_agents ({}).",
    "All of them are served. Raise the option to end this line."};
inline constexpr Message kCountersReset{9477, Level::kInfo,
                                        "Counters of agent '{}' start anew: {}.",
                                        "Its next packet is accepted whatever its counter is."};
inline constexpr Message kOverloadDropped{
    9478, Level::kWarn, "{} packets of agents that send most dropped unread: overload.",
    "More came than this machine can open; every agent got the same share."};

// --- logcollector (9350-9399) ---
inline constexpr Message kReadFailed{1115, Level::kError,
                                     "Could not read from file '{}' due to: {}.",
                                     "The file is opened again at the next look."};
inline constexpr Message kNoGlobMatch{1121, Level::kInfo, "No file matches '{}' yet.",
                                      "Files that match later are read from their beginning."};
inline constexpr Message kFileNotAvailable{
    1904, Level::kInfo, "File not available, waiting for it: '{}'.",
    "The file is read from its beginning when it appears. Correct <location> if it never will."};
inline constexpr Message kNoFileConfigured{1905, Level::kInfo, "No file configured to monitor.",
                                           "Add a <localfile> section."};
inline constexpr Message kBadDatePattern{
    1906, Level::kError, "The date pattern '{}' gives no usable file name.",
    "The name that strftime makes of <location> must have 1 to 4095 bytes."};
inline constexpr Message kAnalyzingFile{1950, Level::kInfo, "Analyzing file: '{}'.",
                                        "The file is being read."};
inline constexpr Message kVariableFile{1952, Level::kInfo, "Monitoring variable log file: '{}'.",
                                       "The name that the date pattern gives now."};
inline constexpr Message kDuplicateLogFile{
    0, Level::kWarn, "Duplicated log file given: '{}'.",
    "Two <localfile> sections name the file; the first one counts."};
inline constexpr Message kLargeMessage{
    0, Level::kWarn, "Large message size(length={}): '{}...'",
    "A line was longer than an event may be. The event has its beginning."};
inline constexpr Message kProcessLocked{0, Level::kWarn,
                                        "Process locked. Waiting for permission...",
                                        "The receiver can take no more events for now."};
inline constexpr Message kProcessUnlocked{0, Level::kInfo, "Lock free. Continuing...",
                                          "The receiver takes events again."};
inline constexpr Message kCollectorStateFailed{
    9350, Level::kError, "Cannot keep read positions: {}.",
    "Check the disk, and the owner of queue/logcollector. Reading goes on; a restart may repeat "
    "lines."};
inline constexpr Message kFormatNotSupported{
    9351, Level::kWarn, "{}:{}: {}", "The <localfile> is skipped. Use one of the formats listed."};
inline constexpr Message kNotALogFile{9352, Level::kWarn,
                                      "'{}' is neither a regular file nor a FIFO: not read.",
                                      "Correct <location>."};
inline constexpr Message kBacklogSkipped{
    9353, Level::kWarn,
    "'{}': {} bytes not read (offset {} to {}): more than {} MiB had been written in the meantime.",
    "The collector was stopped for long. Read the lines from the file itself if they matter."};
inline constexpr Message kReceiverGone{
    9354, Level::kWarn, "No connection to '{}' or '{}': {}. Reading waits; positions are kept.",
    "Start ospatrol-analysisd (on an agent: ospatrol-agentd)."};
inline constexpr Message kReceiverConnected{9355, Level::kInfo, "Connected to '{}'.",
                                            "Events are being sent."};
inline constexpr Message kWithoutAnswers{
    9356, Level::kWarn, "'{}' does not exist; sending to '{}', which acknowledges nothing.",
    "The receiver is of another version. Lines may be lost or repeated when it is killed."};
inline constexpr Message kNoFileNotices{9357, Level::kWarn,
                                        "inotify on '{}': {}. Changes are found by polling.",
                                        "Raise fs.inotify.max_user_watches."};
inline constexpr Message kLinesLost{9358, Level::kError, "'{}': {} lines lost: {}.",
                                    "The text says why they could not be sent again."};
inline constexpr Message kSameFile{
    9359, Level::kWarn, "'{}' is the same file as '{}': read once.",
    "Two locations lead to one file, by a link or a pattern that also matches rotated files."};
inline constexpr Message kOldFileGone{
    9361, Level::kWarn, "'{}': the file that had been read up to byte {} is gone, {}.",
    "It was rotated while the collector was down, and then compressed, removed or renamed to "
    "where it was not looked for. Read the rest from it yourself if it still exists."};
inline constexpr Message kOldFileUnpacked{
    9362, Level::kInfo, "'{}': the rest of the rotated file is read from '{}', from byte {} on.",
    "It was rotated and compressed while the collector was down."};
inline constexpr Message kStateFileFailed{9360, Level::kWarn, "Cannot write '{}': {}.",
                                          "Check the owner and mode of var/run."};

// --- agentd (9500-9549) ---
inline constexpr Message kReceiveProblem{
    1214, Level::kWarn, "Problem receiving message from '{}'.",
    "A packet that did not come from this manager, or is damaged. The line before says which."};
inline constexpr Message kCannotConnect{
    1216, Level::kError, "Unable to connect to '{}': {}.",
    "There is no route to the manager. It is tried again; events are kept in the spool."};
inline constexpr Message kCannotSend{
    1218, Level::kError, "Unable to send message to '{}': {}.",
    "The manager's host refuses packets, or the network is down. Events are kept in the spool."};
inline constexpr Message kNoResponseQueue{
    1301, Level::kError, "Unable to connect to active response queue '{}': {}.",
    "ospatrol-execd does not run: the response of the manager was not carried out."};
inline constexpr Message kWaitingForServer{
    4101, Level::kWarn, "Waiting for server reply (not started). Tried: '{}'.",
    "The manager does not answer: is it running, is its port reachable, is the key of this agent "
    "the same at both ends? Events are kept in the spool meanwhile."};
inline constexpr Message kServerConnected{4102, Level::kInfo, "Connected to server {}, port {}.",
                                          "The manager has answered."};
inline constexpr Message kServerNameUnknown{
    4104, Level::kError, "Invalid hostname: '{}'.",
    "The name of a manager cannot be looked up now. It is tried again before each connection."};
inline constexpr Message kNoAgentKey{
    4109, Level::kError, "Unable to start without auth keys. Exiting.",
    "etc/client.keys has no key: enrol this host with agent-auth, or import a key with "
    "manage_agents."};
inline constexpr Message kServerLine{0, Level::kInfo, "Server {}: {}",
                                     "The managers of this agent, in the order they are tried."};
inline constexpr Message kNextServer{0, Level::kInfo, "Trying next server in the line: '{}'.",
                                     "The one before did not answer."};
inline constexpr Message kServerUnavailable{
    0, Level::kWarn, "Server '{}' unavailable: {}. Events are kept in the spool.",
    "The manager answers nothing any more. It, or the next one, is tried until one answers."};
inline constexpr Message kServerResponded{0, Level::kInfo, "Server '{}' responded. {} events wait.",
                                          "The connection is there again; what waited is sent."};
inline constexpr Message kUnknownFromServer{
    0, Level::kWarn, "Unknown message received from server '{}'.",
    "The manager is of another version, or this is not a manager. The message was ignored."};
inline constexpr Message kMessageSize{
    0, Level::kWarn, "Incorrect message size: {}",
    "An event is longer than the manager's protocol carries; its beginning was sent."};
inline constexpr Message kSpoolUnusable{
    9500, Level::kError, "The spool '{}' cannot be used: {}.",
    "Check that the directory exists, belongs to ospatrol and that the disk is not full."};
inline constexpr Message kSpoolDamaged{
    9501, Level::kWarn, "'{}' is not valid from byte {} on; what was behind is lost.",
    "The machine stopped while it was written, or the disk is damaged. Other events are not "
    "affected."};
inline constexpr Message kSpoolFull{
    9502, Level::kWarn, "The spool is full ({} MiB, {} events): {}.",
    "The manager has been away for long, or is too slow. Raise <spool_size>, or repair the "
    "connection. Local readers wait at their positions, unless <spool_full> is drop_oldest."};
inline constexpr Message kSpoolHasRoom{9503, Level::kInfo, "The spool has room again.",
                                       "Local events are taken again."};
inline constexpr Message kSpoolFailed{
    9504, Level::kError, "Cannot write to the spool: {}. Local readers wait.",
    "Make room on the disk or repair its cause. It is tried every second."};
inline constexpr Message kSpoolSetBack{
    9505, Level::kWarn,
    "The manager has events of this spool that it does not know: the disk was set back. It "
    "continues under a new id.",
    "The machine crashed or was restored from a snapshot. Nothing is lost; a few events may come "
    "twice."};
inline constexpr Message kDispatcherEvent{
    9506, Level::kError, "Event from '{}' is not of the form KIND:LOCATION:TEXT, dropped: '{}'.",
    "Its sender is not one of our programs, or is broken."};
inline constexpr Message kLocalFrame{
    9507, Level::kError, "Connection of '{}' closed, bad frame: {}.",
    "The sender is of another version or broken. It connects again and sends what was not taken."};
inline constexpr Message kLocalRefused{
    9508, Level::kError, "Connection of '{}' refused: {}.",
    "Too many senders, or this program is out of descriptors. Senders try again."};
inline constexpr Message kLocalReadFailed{9509, Level::kError, "Cannot read '{}': {}.",
                                          "Restart ospatrol-agentd if this does not end."};
inline constexpr Message kFirstServerBack{
    9510, Level::kInfo, "Server '{}' answers again: going back to it.",
    "It stands in front of the present one in the configuration."};
inline constexpr Message kCipherFallback{
    9511, Level::kInfo, "No answer from '{}' with {}: {} is tried.",
    "<crypto_method> is auto, and managers before OSSEC 4.0 understand Blowfish only."};
inline constexpr Message kOldCounter{
    9529, Level::kError,
    "Duplicated counter for '{}': the manager's counters are behind those seen before.",
    "The manager was reinstalled or restored. A manager of ours repairs that by itself; for others "
    "stop the agent, delete queue/rids/state.db and start it again."};
inline constexpr Message kSharedReceived{9513, Level::kInfo,
                                         "Shared files received from '{}': {} files, sum {}.",
                                         "They are in etc/shared."};
inline constexpr Message kSharedRefused{
    9514, Level::kWarn, "Shared files from '{}' refused: {}. The previous ones stay.",
    "Correct the file at the manager; it is sent again when it changes."};
inline constexpr Message kSharedTransfer{
    9515, Level::kWarn, "Transfer of '{}' from '{}' failed: {}.",
    "A packet was lost or damaged. The manager sends it again after the next keep-alive."};
inline constexpr Message kSharedNotWritten{9516, Level::kError, "Cannot write '{}': {}.",
                                           "Check owner, mode and space of etc/shared."};
inline constexpr Message kTampered{
    9517, Level::kWarn, "Local change: {}",
    "A file that the manager controls, or ospatrol.conf, was changed on this host by somebody "
    "else. An event tells the manager."};
inline constexpr Message kTamperUnwatched{9518, Level::kWarn,
                                          "Changes in '{}' are found every minute only: {}.",
                                          "Raise fs.inotify.max_user_watches."};
inline constexpr Message kResponseNotPassed{
    9519, Level::kWarn, "Response of the manager not passed on: {}.",
    "Responses are disabled here (disable-active-response), or ospatrol-execd does not take them."};
inline constexpr Message kScanNotRequested{9520, Level::kError, "Cannot write '{}': {}.",
                                           "Check the owner and mode of var/run."};
inline constexpr Message kAgentConfRestart{9521, Level::kInfo,
                                           "agent.conf has changed: the agent is restarted.",
                                           "<auto_restart> is yes."};
inline constexpr Message kAgentConfChanged{9522, Level::kInfo,
                                           "agent.conf has changed: restart the agent to use it.",
                                           "With <auto_restart>yes that happens by itself."};
inline constexpr Message kSessionEstablished{
    9523, Level::kInfo, "Session with '{}', port {}: protocol 2, {}.",
    "Events are encrypted, acknowledged and kept until the manager has stored them."};
inline constexpr Message kSessionClosed{9524, Level::kWarn,
                                        "The manager '{}' closed the session: {}.",
                                        "It stops, or the key of this agent was removed there."};
inline constexpr Message kNoDowngrade{
    9525, Level::kWarn,
    "'{}' does not answer with protocol 2, which it demands: protocol 1 is not tried.",
    "Somebody may be interfering. If the manager was really replaced by an older one, stop the "
    "agent, delete queue/rids/state.db and start it again."};
inline constexpr Message kChannelStateFailed{
    9526, Level::kError, "queue/rids/state.db cannot be written: a session begins without.",
    "Make room on the disk or repair its cause."};
inline constexpr Message kServersNeedRestart{
    9527, Level::kWarn, "Host names of managers are looked up after a restart only.",
    "The configuration had none at start, so the program that looks them up does not run."};
inline constexpr Message kAgentConfRead{
    9528, Level::kWarn, "{}:{}: {}",
    "agent.conf of the manager has a fault here; the rest of it is used."};
inline constexpr Message kRemoteCommand{
    9530, Level::kWarn, "{}:{}: {}",
    "The manager asked for a command to be run here; the administrator of this host must allow "
    "that."};

// --- agent keys, authd (9550-9599) ---
inline constexpr Message kAuthdRandomPassword{
    0, Level::kInfo, "Accepting connections. Random password chosen for agent authentication: {}",
    "There is no etc/authd.pass: give this password to agent-auth -P, or write the file."};
inline constexpr Message kAuthdFilePassword{
    0, Level::kInfo, "Accepting connections. Using password specified on file: {}",
    "New agents need this password."};
inline constexpr Message kAuthdNoPassword{0, Level::kInfo,
                                          "Accepting connections. No password required.",
                                          "Everyone who reaches the port gets a key (-n)."};
inline constexpr Message kAuthdBadPassword{
    0, Level::kError, "Invalid password provided by {}. Closing connection.",
    "The host has another password than etc/authd.pass, or guesses."};
inline constexpr Message kAuthdBadRequest{0, Level::kError,
                                          "Invalid request for new agent from: {}",
                                          "The peer does not speak the enrolment protocol."};
inline constexpr Message kAuthdPassword{9550, Level::kError, "{}:{}: {}",
                                        "The first line of etc/authd.pass is the password."};
inline constexpr Message kAuthdHandshake{
    9551, Level::kWarn, "TLS hand-shake with {} failed: {}.",
    "The peer speaks no TLS 1.2, or has no certificate of the authority given with -v."};
inline constexpr Message kAuthdBadName{9552, Level::kError, "Agent name '{}' of {} refused: {}.",
                                       "Give the host another name with agent-auth -A."};
inline constexpr Message kAuthdAddressTaken{
    9553, Level::kError, "Enrolment of {} refused: agent {} has this address.",
    "Remove that agent with manage_agents, or let old agents make room with authd.force_after."};
inline constexpr Message kAuthdFailed{9554, Level::kError, "Agent '{}' not added: {}.",
                                      "The text says why. etc/client.keys is as before."};
inline constexpr Message kAuthdTimeOut{9555, Level::kWarn,
                                       "Connection of {} closed: no request within 30 seconds.",
                                       "The peer is slow, or scans ports."};
inline constexpr Message kAuthdBusy{
    9556, Level::kWarn, "Unable to queue auth connection of {}: {} are being served.",
    "The host may try again. Raise authd.max_connections for large roll-outs."};
inline constexpr Message kAuthdTooOften{
    9557, Level::kWarn, "Connection of {} closed: it tried more than {} times within a minute.",
    "Raise authd.rate_limit when many hosts share this address."};
inline constexpr Message kAuthdNotAllowed{9558, Level::kWarn,
                                          "Connection of {} closed: the address is not allowed.",
                                          "-a of ospatrol-authd names who is."};
inline constexpr Message kAuthdAdded{9559, Level::kInfo,
                                     "Agent key generated for '{}' (id {}, requested by {}).",
                                     "ospatrol-remoted takes the new agent by itself."};
inline constexpr Message kAuthdReplaced{
    9560, Level::kInfo, "Agent {} makes room for '{}' (requested by {}).",
    "It was not heard for authd.force_after seconds; what was known of it is in backup/agents."};
inline constexpr Message kAuthdAcceptFailed{9561, Level::kError, "Cannot accept connections: {}.",
                                            "The machine is out of descriptors or memory."};

// --- control, tools (9400-9449) ---

// --- execd (9600-9649) ---
inline constexpr Message kResponsesDisabled{
    1350, Level::kInfo, "Active response disabled. Exiting.",
    "The configuration has an <active-response> with nothing but <disabled>yes."};
inline constexpr Message kResponseUnknown{
    1311, Level::kError, "Invalid command name '{}' provided: {}.",
    "Define the response on the manager, and install its script in active-response/bin."};
inline constexpr Message kResponseLine{
    1313, Level::kError, "Invalid active response in '{}': {}; the line is skipped.",
    "analysisd writes the file on the manager; lines are NAME - EXECUTABLE - SECONDS."};
inline constexpr Message kResponseSender{
    9600, Level::kWarn, "A request of user id {} was refused.",
    "Only root and the users of analysisd, agentd and remoted may ask for responses."};
inline constexpr Message kResponseScript{
    9601, Level::kError, "Cannot run active-response/bin/{}: {}.",
    "The script must be an executable file of root that nobody else may write."};
inline constexpr Message kResponseFailed{9602, Level::kWarn, "{} {} ended with {}{}",
                                         "The script says that it could not do its work."};
inline constexpr Message kResponseOverdue{9603, Level::kWarn,
                                          "{} runs longer than {} s and is ended.",
                                          "Correct the script, or raise execd.max_runtime."};

// --- monitord (9650-9699) ---
inline constexpr Message kWatchedAgentsNotSaved{
    9650, Level::kError, "Cannot remember which agents are connected: {}.",
    "Check space, owner and mode of queue/ospatrol. After a restart their changes are told again."};

}  // namespace ospatrol::msg
