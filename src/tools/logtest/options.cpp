#include "logtest/options.h"

#include <fmt/format.h>
#include <getopt.h>

#include <array>
#include <cstdio>

#include "product/install_prefix.h"
#include "product/paths.h"
#include "product/product.h"

namespace ospatrol::logtest {
namespace {

enum LongOnly : int { kJson = 256, kExplain, kTests, kIni, kDialect, kLint, kMutate };

constexpr std::array kLongOptions = {
    option{"version", no_argument, nullptr, 'V'},
    option{"help", no_argument, nullptr, 'h'},
    option{"debug", no_argument, nullptr, 'd'},
    option{"test", no_argument, nullptr, 't'},
    option{"directory", required_argument, nullptr, 'D'},
    option{"config", required_argument, nullptr, 'c'},
    option{"replay", required_argument, nullptr, 'r'},
    option{"json", no_argument, nullptr, kJson},
    option{"explain", no_argument, nullptr, kExplain},
    option{"tests", no_argument, nullptr, kTests},
    option{"lint", no_argument, nullptr, kLint},
    option{"mutate", no_argument, nullptr, kMutate},
    option{"ini", required_argument, nullptr, kIni},
    option{"dialect", required_argument, nullptr, kDialect},
    option{nullptr, 0, nullptr, 0},
};

void PrintHelp() {
  fmt::print(
      stderr,
      "ospatrol-logtest: shows how a log line is decoded and judged. One event per line of "
      "standard input.\n\n"
      "  -V            version and licence\n"
      "  -h            this help\n"
      "  -d            debug messages; repeat for more\n"
      "  -t            load configuration, decoders and rules, then exit: 0 good, 1 with messages\n"
      "  -a            print only alert records, as in alerts.log\n"
      "  -v            print each rule that is tried\n"
      "  -q            do not say which decoder files are read\n"
      "  -c FILE       configuration (default DIR/etc/ospatrol.conf)\n"
      "  -D DIR        the installation (default {})\n"
      "  -U RULE:LEVEL:DECODER   compare; the exit code says how the last line differs\n"
      "  -r FILE       judge recorded messages, 'SECONDS T:LOCATION:TEXT' a line, and print the "
      "alert records\n"
      "  -j            one JSON object per event with all phases, trace and timing\n"
      "  --json        one short JSON object per line of input, on standard output\n"
      "  --explain     the rules tried, and the condition that each one failed at\n"
      "  --tests FILE...   run rule test files; ends with 'N passed, N failed'\n"
      "  --mutate      with --tests: drop each condition of each rule in turn, tell what no test "
      "notices\n"
      "  --lint        check rules and decoders and exit: one line a problem, then 'N problems'; 0 "
      "none, else 1\n"
      "  --ini classic with --tests: of a repeated key only the last value counts\n",
      product::InstallPrefix().native());
}

bool Accept(int letter, const char* argument, Options& options) {
  switch (letter) {
    case 'd':
      ++options.debug;
      return true;
    case 't':
      options.test = true;
      return true;
    case 'a':
      options.alerts_only = true;
      return true;
    case 'v':
      options.trace = true;
      return true;
    case 'q':
      options.quiet = true;
      return true;
    case 'c':
      options.configuration = argument;
      return true;
    case 'D':
      options.prefix = argument;
      return true;
    case 'r':
      options.replay = argument;
      return true;
    case 'j':
      options.full_json = true;
      return true;
    case kJson:
      options.json = true;
      return true;
    case kExplain:
      options.explain = true;
      return true;
    case kTests:
      options.run_tests = true;
      return true;
    case kLint:
      options.lint = true;
      return true;
    case kMutate:
      options.mutate = true;
      return true;
    case 'U':
      options.unit_test = ParseExpectation(argument);
      if (!options.unit_test) {
        fmt::print(stderr, "ospatrol-logtest: -U '{}': expected RULE:LEVEL:DECODER\n", argument);
      }
      return options.unit_test.has_value();
    case kIni:
      options.classic_ini = std::string_view(argument) == "classic";
      if (!options.classic_ini) {
        fmt::print(stderr, "ospatrol-logtest: --ini '{}': expected classic\n", argument);
      }
      return options.classic_ini;
    case kDialect:
      if (std::string_view(argument) == "ossec") return true;
      fmt::print(stderr, "ospatrol-logtest: --dialect '{}': this version knows only ossec\n",
                 argument);
      return false;
    default:
      PrintHelp();
      return false;
  }
}

}  // namespace

std::optional<Expectation> ParseExpectation(const std::string& text) {
  const size_t first = text.find(':');
  const size_t second = first == std::string::npos ? first : text.find(':', first + 1);
  if (second == std::string::npos) return std::nullopt;
  return Expectation{text.substr(0, first), text.substr(first + 1, second - first - 1),
                     text.substr(second + 1)};
}

std::optional<Options> ParseOptions(int argc, char** argv, Leave& leave) {
  Options options;
  options.prefix = product::InstallPrefix();
  leave.status = 1;
  for (int letter; (letter = getopt_long(argc, argv, "VhdtavqjU:c:D:r:", kLongOptions.data(),
                                         nullptr)) != -1;) {
    if (letter == 'h') {
      PrintHelp();
      leave.status = 0;
      return std::nullopt;
    }
    if (letter == 'V') {
      fmt::print(stderr, "\n{} v{} - {}\n\n{}\n", product::kName, product::kVersion,
                 product::kAuthor, product::kLicense);
      leave.status = 0;
      return std::nullopt;
    }
    if (!Accept(letter, optarg, options)) return std::nullopt;
  }
  options.files.assign(argv + optind, argv + argc);
  if (options.run_tests != !options.files.empty()) {
    std::fputs(options.run_tests ? "ospatrol-logtest: --tests needs at least one file\n"
                                 : "ospatrol-logtest: file names are only taken with --tests\n",
               stderr);
    return std::nullopt;
  }
  if (options.mutate && !options.run_tests) {
    std::fputs("ospatrol-logtest: --mutate needs --tests and its files\n", stderr);
    return std::nullopt;
  }
  if (options.configuration.empty()) options.configuration = options.prefix / paths::kConfiguration;
  return options;
}

}  // namespace ospatrol::logtest
