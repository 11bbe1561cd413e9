#include "tls/context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "tls/fault.h"

namespace ospatrol::tls {

namespace {

using SharedContext = std::shared_ptr<SSL_CTX>;

SharedContext New(const SSL_METHOD* method, const std::string& ciphers) {
  SharedContext context(SSL_CTX_new(method), SSL_CTX_free);
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) {
    throw Error(fmt::format("TLS cannot be set up: {}", TakeFault()));
  }
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_dh_auto(context.get(), 1);
  if (SSL_CTX_set_cipher_list(context.get(), ciphers.c_str()) != 1) {
    throw Error(
        fmt::format("'{}' names no TLS cipher that OpenSSL knows: {}", ciphers, TakeFault()));
  }
  return context;
}

[[noreturn]] void Unreadable(std::string_view what, const std::filesystem::path& file) {
  if (access(file.c_str(), F_OK) != 0) {
    throw Error(fmt::format("Unable to read {} file (not found): {}", what, file.native()));
  }
  if (access(file.c_str(), R_OK) != 0) {
    throw Error(fmt::format("Unable to read {} file ({}): {}", what, base::ErrnoText(errno),
                            file.native()));
  }
  throw Error(fmt::format("Unable to read {} file ({}): {}", what, TakeFault(), file.native()));
}

void UseIdentity(SSL_CTX* context, const Files& files) {
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) {
    Unreadable("certificate", files.certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    Unreadable("private key", files.key);
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    throw Error(fmt::format("The private key of {} is not that of the certificate {}",
                            files.key.native(), files.certificate.native()));
  }
}

void UseAuthorities(SSL_CTX* context, const std::filesystem::path& file) {
  if (SSL_CTX_load_verify_file(context, file.c_str()) != 1) Unreadable("CA certificate", file);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

}  // namespace

Context Context::Server(const Files& files, const std::string& ciphers) {
  const SharedContext context = New(TLS_server_method(), ciphers);
  UseIdentity(context.get(), files);
  if (!files.authorities.empty()) {
    UseAuthorities(context.get(), files.authorities);
    STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(files.authorities.c_str());
    if (names == nullptr) Unreadable("CA certificate", files.authorities);
    SSL_CTX_set_client_CA_list(context.get(), names);
  }
  return Context(context);
}

Context Context::Client(const Files& files, const std::string& ciphers) {
  const SharedContext context = New(TLS_client_method(), ciphers);
  if (!files.certificate.empty()) UseIdentity(context.get(), files);
  if (!files.authorities.empty()) UseAuthorities(context.get(), files.authorities);
  return Context(context);
}

}  // namespace ospatrol::tls
