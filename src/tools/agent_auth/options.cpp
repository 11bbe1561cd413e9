#include "agent_auth/options.h"

#include <fmt/format.h>
#include <getopt.h>

#include "base/text.h"
#include "product/install_prefix.h"
#include "product/product.h"

namespace ospatrol::agent_auth {

namespace {

constexpr const char* kLetters = ":Vhdtm:p:A:P:c:v:x:k:g:D:";

std::string Help() {
  return fmt::format(
      "Usage: agent-auth -m MANAGER [flags]\n"
      "  -m MANAGER   address or name of the manager\n"
      "  -p PORT      its port (default: {})\n"
      "  -A NAME      name of this agent (default: that of the host)\n"
      "  -P FILE      the first line of FILE is the manager's password\n"
      "  -v FILE      check the manager's certificate and name with this authority (PEM)\n"
      "  -x FILE      certificate of this host (PEM)\n"
      "  -k FILE      its private key (PEM)\n"
      "  -c LIST      ciphers of TLS 1.2, as OpenSSL names them\n"
      "  -g GROUP     group of etc/client.keys\n"
      "  -D DIR       directory of the installation (default: {})\n"
      "  -t           check the flags and the files that they name, then exit\n"
      "  -d           debug messages\n"
      "  -V, -h       version; this help\n",
      secure::kEnrolmentPort, product::InstallPrefix().native());
}

CommandLine Exit(int status, std::string text) {
  CommandLine command;
  command.exit_status = status;
  command.text = std::move(text);
  return command;
}

CommandLine Mistake(std::string_view what) {
  return Exit(1, fmt::format("agent-auth: {}\n{}", what, Help()));
}

// False for a flag that is none of the plain ones.
bool ApplyText(Options& options, int letter, const char* value) {
  switch (letter) {
    case 'm':
      options.manager = value;
      return true;
    case 'A':
      options.name = value;
      return true;
    case 'P':
      options.password_file = value;
      return true;
    case 'c':
      options.ciphers = value;
      return true;
    case 'v':
      options.files.authorities = value;
      return true;
    case 'x':
      options.files.certificate = value;
      return true;
    case 'k':
      options.files.key = value;
      return true;
    case 'g':
      options.group = value;
      return true;
    case 'D':
      options.prefix = std::filesystem::absolute(value).lexically_normal();
      return true;
    default:
      return false;
  }
}

}  // namespace

CommandLine ParseCommandLine(int argc, char** argv) {
  CommandLine command;
  Options& options = command.options;
  options.prefix = product::InstallPrefix();
  optind = 0;
  static constexpr option kNoLongFlags[] = {{nullptr, 0, nullptr, 0}};
  for (int letter; (letter = getopt_long(argc, argv, kLetters, kNoLongFlags, nullptr)) != -1;) {
    if (letter == 'h') return Exit(0, Help());
    if (letter == 'V') {
      return Exit(0, fmt::format("\n{} v{} - {}\n\n{}\n", product::kName, product::kVersion,
                                 product::kAuthor, product::kLicense));
    }
    if (letter == ':') return Mistake(fmt::format("-{} needs a value", static_cast<char>(optopt)));
    if (letter == '?') {
      const std::string flag = optopt != 0 ? fmt::format("-{}", static_cast<char>(optopt))
                                           : std::string(argv[optind - 1]);  // a long one
      return Mistake(fmt::format("unknown flag '{}'", flag));
    }
    if (letter == 'd') {
      options.debug = true;
    } else if (letter == 't') {
      options.test = true;
    } else if (letter == 'p') {
      const auto port = base::ParseNumber<uint16_t>(optarg);
      if (!port || *port == 0) return Mistake(fmt::format("-p {}: expected 1 to 65535", optarg));
      options.port = *port;
    } else {
      ApplyText(options, letter, optarg);
    }
  }
  if (optind < argc) return Mistake(fmt::format("'{}' belongs to no flag", argv[optind]));
  if (options.manager.empty()) return Mistake("-m is missing: whose agent shall this host be?");
  if (options.files.certificate.empty() != options.files.key.empty()) {
    return Mistake("-x and -k belong together");
  }
  return command;
}

}  // namespace ospatrol::agent_auth
