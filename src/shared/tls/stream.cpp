#include "tls/stream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/files.h"
#include "tls/fault.h"

namespace ospatrol::tls {

namespace {

bool IsAddress(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return inet_pton(AF_INET, name.c_str(), ignored.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), ignored.data()) == 1;
}

}  // namespace

void Stream::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

Stream::Stream(const Context& context, base::Fd socket, Side side, const std::string& name)
    : socket_(std::move(socket)), ssl_(SSL_new(context.get())), context_(context) {
  if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.get()) != 1) {
    throw Error("TLS connection: " + TakeFault());
  }
  const int flags = fcntl(socket_.get(), F_GETFL);
  if (flags >= 0) fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK);
  if (side == Side::kServer) {
    SSL_set_accept_state(ssl_.get());
    return;
  }
  SSL_set_connect_state(ssl_.get());
  if (!name.empty() && !IsAddress(name)) {
    // The macro of OpenSSL casts the old way.
    SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(name.c_str()));
  }
}

Stream::~Stream() = default;

Stream::Result Stream::Failed(int result) {
  const int system_error = errno;
  const int kind = SSL_get_error(ssl_.get(), result);
  switch (kind) {
    case SSL_ERROR_WANT_READ:
      return Result::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return Result::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Result::kClosed;
    default:
      break;
  }
  const long verification = SSL_get_verify_result(ssl_.get());
  if (ERR_peek_error() != 0) {
    fault_ = TakeFault();
  } else {
    fault_ = system_error == 0 ? "the peer closed the connection" : base::ErrnoText(system_error);
  }
  if (verification != X509_V_OK) {
    fault_ += std::string(": ") + X509_verify_cert_error_string(verification);
  }
  return Result::kFailed;
}

Stream::Result Stream::Handshake() {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_do_handshake(ssl_.get());
  return result == 1 ? Result::kDone : Failed(result);
}

Stream::Result Stream::Read(std::string& into) {
  std::array<char, 4096> buffer;
  ERR_clear_error();
  errno = 0;
  const int got = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
  if (got <= 0) return Failed(got);
  into.append(buffer.data(), static_cast<size_t>(got));
  return Result::kDone;
}

Stream::Result Stream::Write(std::string_view& from) {
  while (!from.empty()) {
    ERR_clear_error();
    errno = 0;
    const int written = SSL_write(ssl_.get(), from.data(), static_cast<int>(from.size()));
    if (written <= 0) return Failed(written);
    from.remove_prefix(static_cast<size_t>(written));
  }
  return Result::kDone;
}

Stream::Result Stream::Close() {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_shutdown(ssl_.get());
  if (result < 0) {
    const Result outcome = Failed(result);
    if (outcome == Result::kWantRead || outcome == Result::kWantWrite) return outcome;
  }
  shutdown(socket_.get(), SHUT_WR);
  return Result::kDone;
}

bool Stream::PeerIsCalled(const std::string& name) const {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      SSL_get1_peer_certificate(ssl_.get()), X509_free);
  if (!certificate) return false;
  if (IsAddress(name)) return X509_check_ip_asc(certificate.get(), name.c_str(), 0) == 1;
  std::string_view host = name;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty()) return false;
  const unsigned flags =
      X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
  return X509_check_host(certificate.get(), host.data(), host.size(), flags, nullptr) == 1;
}

}  // namespace ospatrol::tls
