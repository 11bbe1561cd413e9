// Every message that a program writes to ospatrol.log: number, level, text, and what to do.
// docs/messages.md is generated from this table (`ospatrol-messages`, a test compares them).
// Reference messages keep their number (configuration-and-operation 3.19); ours are 9000-9999:
//   9000-9049 daemon skeleton   9050-9149 configuration   9150-9199 ipc, queues, stores   9200-9299
//   engine, rules 9300-9349 analysisd          9350-9399 logcollector    9400-9449 control, tools
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

// --- engine, rules (9200-9299) ---

// --- analysisd (9300-9349) ---

// --- logcollector (9350-9399) ---

// --- control, tools (9400-9449) ---

}  // namespace ospatrol::msg
