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

// --- ipc, queues, stores (9150-9199) ---
inline constexpr Message kQueueNotAccessible{
    1210, Level::kError, "Queue '{}' not accessible: '{}'.",
    "The program that reads the queue does not run, or the socket's mode keeps this program out."};

// --- engine, rules (9200-9299) ---

// --- analysisd (9300-9349) ---

// --- logcollector (9350-9399) ---

// --- control, tools (9400-9449) ---

}  // namespace ospatrol::msg
