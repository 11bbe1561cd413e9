// The socket to one manager: connected, so that the kernel hands us that manager's datagrams only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "secure/peer_address.h"

namespace ospatrol::agentd {

class UdpSocket {
 public:
  static constexpr size_t kLargest = 9000;  // bytes of a datagram that is received whole

  UdpSocket() = default;

  // `local_ip` may be empty. False: no route, wrong address family; errno says why.
  bool Connect(const secure::PeerAddress& manager, const std::string& local_ip);
  // Datagrams are cut into fragments where they must be (version 1 knows no other way), or refused
  // with kTooLarge and lost on narrow paths, which is how protocol 2 finds out what passes.
  void AllowFragments(bool allow);
  bool IsOpen() const { return fd_.IsOpen(); }
  int fd() const { return fd_.get(); }

  enum class Sent {
    kSent,
    kBusy,      // no room in the kernel: try again soon
    kTooLarge,  // for the path, as far as it is known
    kRefused,   // the host said of an earlier datagram that nobody listens
    kFailed,    // errno says why
  };
  Sent Send(std::string_view datagram);

  enum class Got { kDatagram, kNone, kRefused, kFailed };
  // `datagram` is valid until the next call.
  Got Receive(std::string_view& datagram);

 private:
  base::Fd fd_;
  bool v4_ = true;
  std::unique_ptr<char[]> space_;
};

}  // namespace ospatrol::agentd
