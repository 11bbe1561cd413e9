// Unix sockets by path: bind, connect, buffer sizes. Everything is non-blocking and close-on-exec.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "base/fd.h"

namespace ospatrol::ipc {

// Unlinks an old socket at `path` and binds a new one of `type` (SOCK_DGRAM, SOCK_SEQPACKET) with
// `mode`. Changes the umask for that moment: call it before threads make files. Throws Error 1206
// with path and reason.
base::Fd BindUnixSocket(const std::filesystem::path& path, int type, mode_t mode);

// Closed (not IsOpen) when nobody listens there; errno says why.
base::Fd ConnectUnixSocket(const std::filesystem::path& path, int type);

// What a sender would find at a datagram queue now.
enum class QueueFill {
  kAbsent,  // nobody reads it
  kRoom,
  kFull,  // a sender has to wait
};
QueueFill LookAtQueue(const std::filesystem::path& path);

// Asks for a send / receive buffer of at least `bytes`; beyond the system's limit when permitted.
void GrowSendBuffer(int fd, int bytes);
void GrowReceiveBuffer(int fd, int bytes);

}  // namespace ospatrol::ipc
