// ospatrol-authd - gives new agents their key
//
// SYNOPSIS
//   ospatrol-authd [-Vhdtfin] [-u USER] [-g GROUP] [-D DIR] [-p PORT] [-c CIPHERS] [-v CA] [-x
//   CERT]
//                  [-k KEY] [-F SECONDS] [-a NETWORK]
//
// Listens on TCP port 1515. A host connects with TLS, names itself and, unless -n is given, the
// password of etc/authd.pass (without that file: one that is made at each start and written to the
// log); it gets a key, which is appended to etc/client.keys. ospatrol-remoted finds it by itself.
// With -v only hosts with a certificate of that authority are served.
//
// A name that is taken gets a number appended. With -F (or authd.force_after) an agent of the same
// name or address that was not heard for so many seconds makes room instead.
//
// Runs as user ospatrol in DIR; etc/client.keys belongs to that user from then on. SIGHUP reads
// password, certificate and options again.

#include <fmt/format.h>

#include <memory>

#include "authd/authd.h"
#include "base/error.h"
#include "base/text.h"
#include "daemon/daemon.h"
#include "product/programs.h"

namespace {

using namespace ospatrol;

std::filesystem::path Absolute(std::string_view path) {
  return std::filesystem::absolute(path).lexically_normal();
}

uint16_t Port(std::string_view text) {
  const auto port = base::ParseNumber<uint16_t>(text);
  if (!port || *port == 0) throw Error(fmt::format("-p {}: expected a port, 1 to 65535", text));
  return *port;
}

std::chrono::seconds Seconds(std::string_view text) {
  const auto seconds = base::ParseNumber<uint32_t>(text);
  if (!seconds) throw Error(fmt::format("-F {}: expected a number of seconds", text));
  return std::chrono::seconds(*seconds);
}

pattern::IpNetwork Network(std::string_view text) {
  const auto network = pattern::IpNetwork::Parse(text);
  if (!network) throw Error(fmt::format("-a {}: expected an address or address/length", text));
  return *network;
}

std::vector<daemon::Flag> OwnFlags(authd::Flags& flags) {
  using Options = daemon::Options;
  using Text = std::string_view;
  return {
      {'i', "source-address", "", "give agents their source address instead of 'any'",
       [&](Options&, Text) { flags.source_address = true; }},
      {'n', "no-password", "", "ask for no password",
       [&](Options&, Text) { flags.no_password = true; }},
      {'p', "port", "PORT", "port to listen on (default: 1515)",
       [&](Options&, Text value) { flags.port = Port(value); }},
      {'c', "ciphers", "LIST", "ciphers of TLS 1.2, as OpenSSL names them",
       [&](Options&, Text value) { flags.ciphers = value; }},
      {'v', "ca", "FILE", "hosts need a certificate of this authority (PEM)",
       [&](Options&, Text value) { flags.authorities = Absolute(value); }},
      {'x', "certificate", "FILE", "certificate (default: DIR/etc/sslmanager.cert)",
       [&](Options&, Text value) { flags.certificate = Absolute(value); }},
      {'k', "key", "FILE", "its private key (default: DIR/etc/sslmanager.key)",
       [&](Options&, Text value) { flags.key = Absolute(value); }},
      {'F', "force-after", "SECONDS", "replace agents not heard for so long",
       [&](Options&, Text value) { flags.force_after = Seconds(value); }},
      {'a', "allow", "NETWORK", "serve only these addresses; may be repeated",
       [&](Options&, Text value) { flags.allowed.Add(Network(value)); }},
  };
}

}  // namespace

int main(int argc, char** argv) {
  authd::Flags flags;
  const auto make = [&](daemon::Context& context) {
    return std::make_unique<authd::Authd>(context, flags);
  };
  return daemon::Main(argc, argv, programs::kAuthd, make, OwnFlags(flags));
}
