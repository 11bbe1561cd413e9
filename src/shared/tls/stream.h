// One TLS connection over a connected, non-blocking socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "tls/context.h"

struct ssl_st;

namespace ospatrol::tls {

// Not thread-safe. Each call does what can be done at once; kWantRead and kWantWrite say what to
// wait for before it is called again.
class Stream {
 public:
  enum class Side { kServer, kClient };
  enum class Result {
    kDone,
    kWantRead,
    kWantWrite,
    kClosed,  // the peer closed in order
    kFailed,  // fault() says why; only destruction is left
  };

  // Takes the socket and makes it non-blocking. `name`: what a client calls the server; sent to it
  // when it is no address. Throws Error when memory is out.
  Stream(const Context& context, base::Fd socket, Side side, const std::string& name = {});
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  Result Handshake();
  // Appends at least one byte to `into` and says kDone, or something else.
  Result Read(std::string& into);
  // Removes what was sent from the front of `from`; kDone when nothing is left.
  Result Write(std::string_view& from);
  // Tells the peer that nothing more comes, and ends the sending side of the socket. What the peer
  // still sends may be read.
  Result Close();

  int socket() const { return socket_.get(); }
  const std::string& fault() const { return fault_; }

  // After the hand-shake: does the certificate of the peer belong to `name`, a DNS name or a
  // numeric address? Names of type DNS and IP count, then the common names; "*" only as the whole
  // first label; an address matches an entry of type IP only.
  bool PeerIsCalled(const std::string& name) const;

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };

  Result Failed(int result);

  base::Fd socket_;
  std::unique_ptr<ssl_st, Free> ssl_;
  Context context_;
  std::string fault_;
};

}  // namespace ospatrol::tls
