// What all TLS connections of a program have in common: certificates, versions, ciphers.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

struct ssl_ctx_st;

namespace ospatrol::tls {

// Ciphers of TLS 1.2 when nothing else is configured; those of 1.3 are all good.
inline constexpr const char* kDefaultCiphers =
    "EECDH+AESGCM:EDH+AESGCM:EECDH+AES256:EDH+AES256:EECDH+AES128:EDH+AES128:HIGH:!kRSA:!ADH:!EXP:"
    "!MD5:!RC4:!3DES:!CAMELLIA:@STRENGTH";

struct Files {
  std::filesystem::path certificate;  // PEM, chain behind it; a client may have none
  std::filesystem::path key;          // PEM, without pass phrase
  std::filesystem::path authorities;  // PEM; the peer must have a certificate of one of them
};

// Immutable after it was made, cheap to copy, usable from many threads. A stream keeps it alive.
class Context {
 public:
  // TLS 1.2 or later. Empty `authorities`: clients need no certificate. Throws Error that names the
  // file: "Unable to read certificate file (not found): PATH".
  static Context Server(const Files& files, const std::string& ciphers = kDefaultCiphers);
  // Empty `authorities`: the server's certificate is not checked. Throws Error.
  static Context Client(const Files& files, const std::string& ciphers = kDefaultCiphers);

  ssl_ctx_st* get() const { return context_.get(); }

 private:
  explicit Context(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}

  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace ospatrol::tls
