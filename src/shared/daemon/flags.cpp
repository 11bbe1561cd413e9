#include "daemon/flags.h"

#include <fmt/format.h>
#include <getopt.h>

#include <algorithm>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "product/install_prefix.h"
#include "product/product.h"

namespace ospatrol::daemon {

namespace {

std::filesystem::path Absolute(std::string_view path) {
  if (path.empty()) throw Error("an empty path was given; -D and -c need one");
  return std::filesystem::absolute(path).lexically_normal();
}

// -V and -h have no effect on the options: they end the program.
std::vector<Flag> CommonFlags() {
  using Text = std::string_view;
  return {
      {'V', "version", "", "print the version and licence", nullptr},
      {'h', "help", "", "print this help", nullptr},
      {'d', "debug", "", "debug messages; twice for more",
       [](Options& options, Text) { ++options.debug; }},
      {'t', "test", "", "test the configuration, then exit",
       [](Options& options, Text) { options.test = true; }},
      {'f', "foreground", "", "stay in the foreground",
       [](Options& options, Text) { options.foreground = true; }},
      {'u', "user", "USER", "user to become",
       [](Options& options, Text value) { options.user = value; }},
      {'g', "group", "GROUP", "group to become",
       [](Options& options, Text value) { options.group = value; }},
      {'c', "config", "FILE", "configuration file (default: DIR/etc/ospatrol.conf)",
       [](Options& options, Text value) { options.configuration = Absolute(value); }},
      {'D', "directory", "DIR", "directory of the installation",
       [](Options& options, Text value) { options.prefix = Absolute(value); }},
  };
}

std::vector<Flag> AllFlags(const std::vector<Flag>& own_flags) {
  std::vector<Flag> flags = CommonFlags();
  for (const Flag& own : own_flags) {
    std::erase_if(flags, [&](const Flag& flag) { return flag.letter == own.letter; });
  }
  flags.insert(flags.end(), own_flags.begin(), own_flags.end());
  return flags;
}

std::string HelpText(const Program& program, const std::vector<Flag>& flags) {
  std::string text = fmt::format("Usage: {} [flags]\n", program.name);
  for (const Flag& flag : flags) {
    const std::string argument = flag.argument.empty() ? "" : fmt::format(" {}", flag.argument);
    const std::string left = fmt::format("-{}, --{}{}", flag.letter, flag.name, argument);
    fmt::format_to(std::back_inserter(text), "  {:<24} {}\n", left, flag.help);
  }
  return text + fmt::format("Default directory of the installation: {}\n",
                            product::InstallPrefix().native());
}

// getopt's two forms of the table; the names outlive the calls.
struct GetoptTable {
  explicit GetoptTable(const std::vector<Flag>& flags) {
    names.reserve(flags.size());
    for (const Flag& flag : flags) {
      letters += flag.letter;
      if (!flag.argument.empty()) letters += ':';
      names.emplace_back(flag.name);
      const int needs = flag.argument.empty() ? no_argument : required_argument;
      longs.push_back({names.back().c_str(), needs, nullptr, flag.letter});
    }
    longs.push_back({nullptr, 0, nullptr, 0});
  }

  std::string letters = ":";  // errors are reported by us
  std::vector<std::string> names;
  std::vector<option> longs;
};

CommandLine Exit(int status, std::string text) {
  CommandLine command;
  command.exit_status = status;
  command.text = std::move(text);
  return command;
}

CommandLine Mistake(const Program& program, std::string_view what, const std::vector<Flag>& flags) {
  return Exit(1, fmt::format("{}: {}\n{}", program.name, what, HelpText(program, flags)));
}

// What getopt stumbled over: "-x", or the whole word for an unknown long flag.
std::string Culprit(char** argv) {
  if (optopt == 0) return argv[optind - 1];
  return fmt::format("-{}", static_cast<char>(optopt));
}

}  // namespace

std::string VersionText() {
  return fmt::format("\n{} v{} - {}\n\n{}\n", product::kName, product::kVersion, product::kAuthor,
                     product::kLicense);
}

CommandLine ParseCommandLine(int argc, char** argv, const Program& program,
                             const std::vector<Flag>& own_flags) {
  const std::vector<Flag> flags = AllFlags(own_flags);
  const GetoptTable table(flags);
  CommandLine command;
  command.options.prefix = product::InstallPrefix();
  command.options.user = program.user;
  command.options.group = product::kGroup;

  optind = 0;  // also forgets an earlier command line
  for (int found; (found = getopt_long(argc, argv, table.letters.c_str(), table.longs.data(),
                                       nullptr)) != -1;) {
    if (found == '?') {
      return Mistake(program, fmt::format("unknown or misused flag '{}'", Culprit(argv)), flags);
    }
    if (found == ':') {
      return Mistake(program, fmt::format("flag '{}' needs an argument", Culprit(argv)), flags);
    }
    const auto flag =
        std::find_if(flags.begin(), flags.end(), [&](const Flag& f) { return f.letter == found; });
    if (flag->apply) {
      flag->apply(command.options, flag->argument.empty() ? "" : optarg);
    } else {
      return Exit(0, found == 'V' ? VersionText() : HelpText(program, flags));
    }
  }
  if (optind < argc) {
    return Mistake(program, fmt::format("unexpected argument '{}'", argv[optind]), flags);
  }
  if (command.options.configuration.empty()) {
    command.options.configuration = command.options.prefix / paths::kConfiguration;
  }
  return command;
}

}  // namespace ospatrol::daemon
