// ospatrol-makelists - compile the lists that rules look values up in
//
// Reads <rules><list> of the configuration. A list whose text is newer than its .cdb (or any, with
// -F) is compiled beside it. Runs in the prefix as root directory when started as root, and keeps
// root: lists belong to it. Exit status 0, or 1 when the configuration is wrong or a list could not
// be written.
#include <fmt/format.h>
#include <getopt.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include "analysisd/cdb.h"
#include "analysisd/list_set.h"
#include "base/error.h"
#include "base/files.h"
#include "config/configuration.h"
#include "log/log.h"
#include "product/install_prefix.h"
#include "product/paths.h"
#include "product/product.h"

namespace ospatrol {
namespace {

constexpr mode_t kListMode = 0640;

struct Options {
  std::filesystem::path prefix = product::InstallPrefix();
  std::optional<std::filesystem::path> configuration;
  std::string group{product::kGroup};
  bool force = false;
  bool test = false;
  int debug = 0;
};

void PrintHelp() {
  fmt::print(stderr,
             "usage: ospatrol-makelists [-VhdtF] [-u USER] [-g GROUP] [-c FILE] [-D DIR]\n"
             "  -V        version and licence\n"
             "  -h        this help\n"
             "  -d        debug; repeat for more\n"
             "  -t        test the configuration, then exit\n"
             "  -F        compile all lists and show each entry\n"
             "  -u USER   accepted for compatibility: lists are written as the caller\n"
             "  -g GROUP  group that compiled lists get (default {})\n"
             "  -c FILE   configuration (default DIR/{})\n"
             "  -D DIR    prefix of the installation (default {})\n",
             product::kGroup, paths::kConfiguration, product::InstallPrefix().native());
}

void PrintVersion() {
  fmt::print(stderr, "\n{} v{} - {}\n\n{}\n", product::kName, product::kVersion, product::kAuthor,
             product::kLicense);
}

// Nothing: exit with `status`.
std::optional<Options> ParseOptions(int argc, char** argv, int& status) {
  Options options;
  for (int flag; (flag = getopt(argc, argv, "VhdtFu:g:c:D:")) != -1;) {
    switch (flag) {
      case 'V':
        PrintVersion();
        status = 0;
        return std::nullopt;
      case 'd':
        ++options.debug;
        break;
      case 't':
        options.test = true;
        break;
      case 'F':
        options.force = true;
        break;
      case 'u':
        break;
      case 'g':
        options.group = optarg;
        break;
      case 'c':
        options.configuration = optarg;
        break;
      case 'D':
        options.prefix = optarg;
        break;
      default:
        PrintHelp();
        status = flag == 'h' ? 0 : 1;
        return std::nullopt;
    }
  }
  return options;
}

// Into the prefix, in the group of the product; what remains to be done needs root's files only.
void EnterPrefix(const Options& options) {
  const group* row = getgrnam(options.group.c_str());
  if (row == nullptr) throw log::Fatal<msg::kBadUserOrGroup>(product::kUser, options.group);
  if (setgid(row->gr_gid) != 0) {
    throw log::Fatal<msg::kSetgidFailed>(options.group, base::ErrnoText(errno));
  }
  if (chroot(options.prefix.c_str()) != 0 || chdir("/") != 0) {
    throw log::Fatal<msg::kChrootFailed>(options.prefix.native(), base::ErrnoText(errno));
  }
}

bool IsNewer(const std::filesystem::path& text, const std::filesystem::path& compiled) {
  struct stat a {
  }, b{};
  if (stat(text.c_str(), &a) != 0) return false;
  if (stat(compiled.c_str(), &b) != 0) return true;
  return std::pair(a.st_mtim.tv_sec, a.st_mtim.tv_nsec) >
         std::pair(b.st_mtim.tv_sec, b.st_mtim.tv_nsec);
}

void ShowEntries(std::string_view text) {
  std::string lines;
  analysisd::ForEachEntry(text, [&](std::string_view key, std::string_view value) {
    lines += fmt::format("  * adding - key: {} value: {}\n", key, value);
  });
  std::fwrite(lines.data(), 1, lines.size(), stderr);
}

// False: not written; the reason is told.
bool Compile(const Home& home, const std::string& name, bool force) {
  const std::string relative = name.substr(std::min(name.find_first_not_of('/'), name.size()));
  const std::filesystem::path text_file = home / relative;
  const std::filesystem::path compiled_file = home / (relative + ".cdb");
  std::error_code ignored;
  const bool wanted =
      force ? std::filesystem::exists(text_file, ignored) : IsNewer(text_file, compiled_file);
  if (!wanted) {
    fmt::print(" * File {}.cdb does not need to be compiled\n", name);
    return true;
  }
  fmt::print(" * File {}.cdb needs to be updated\n", name);
  std::fflush(stdout);
  try {
    const std::string text = base::ReadFile(text_file, size_t{1} << 30);
    if (force) ShowEntries(text);
    const std::optional<std::string> compiled = analysisd::CompileCdb(text);
    if (!compiled) throw Error(fmt::format("{}: more than 4 GiB", name));
    base::WriteFileAtomically(compiled_file, *compiled, kListMode);
    return true;
  } catch (const Error& error) {
    log::Write<msg::kListNotCompiled>(name, error.what());
    return false;
  }
}

int Main(int argc, char** argv) {
  int status = 0;
  const std::optional<Options> options = ParseOptions(argc, argv, status);
  if (!options) return status;
  log::Configure("ospatrol-testrule", {}, true);
  log::SetDebugLevel(options->debug);

  const std::filesystem::path file =
      options->configuration.value_or(Home(options->prefix) / paths::kConfiguration);
  config::Problems problems;
  const config::Configuration configuration =
      config::LoadConfiguration(file, file.native(), config::Reader::kTools, problems);
  problems.WriteToLog();
  if (problems.HasErrors()) {
    log::Write<msg::kConfigurationError>(file.native());
    return 1;
  }
  if (options->test) return 0;

  const bool root = geteuid() == 0;
  if (root) EnterPrefix(*options);
  const Home home(root ? std::filesystem::path("/") : options->prefix);
  for (const config::RulesSection::File& list : configuration.rules.lists) {
    if (!Compile(home, analysisd::ListSet::Normalise(list.path), options->force)) status = 1;
  }
  return status;
}

}  // namespace
}  // namespace ospatrol

int main(int argc, char** argv) {
  try {
    return ospatrol::Main(argc, argv);
  } catch (const ospatrol::Error& error) {
    ospatrol::log::WriteLine(error.id(), ospatrol::log::Level::kError, error.what());
  } catch (const std::exception& error) {
    ospatrol::log::WriteLine(9000, ospatrol::log::Level::kError, error.what());
  }
  return 1;
}
