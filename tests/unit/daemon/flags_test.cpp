#include "daemon/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "product/product.h"

namespace ospatrol::daemon {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

CommandLine Parse(std::vector<std::string> words, const std::vector<Flag>& own_flags = {}) {
  words.insert(words.begin(), "program");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return ParseCommandLine(static_cast<int>(words.size()), argv.data(), programs::kAnalysisd,
                          own_flags);
}

TEST(Flags, HaveTheDefaultsOfTheProgramsRow) {
  const CommandLine command = Parse({});
  EXPECT_FALSE(command.exit_status);
  EXPECT_EQ(command.options.prefix, product::kDefaultPrefix);
  EXPECT_EQ(command.options.configuration, command.options.prefix / "etc/ospatrol.conf");
  EXPECT_EQ(command.options.user, product::kUser);
  EXPECT_EQ(command.options.group, product::kGroup);
  EXPECT_EQ(command.options.debug, 0);
  EXPECT_FALSE(command.options.test || command.options.foreground);
}

TEST(Flags, TheConfigurationFollowsThePrefix) {
  EXPECT_EQ(Parse({"-D", "/srv/x/"}).options.configuration, "/srv/x/etc/ospatrol.conf");
  EXPECT_EQ(Parse({"-c", "/tmp/a.conf", "-D", "/srv/x"}).options.configuration, "/tmp/a.conf");
}

TEST(Flags, RelativePathsAreThoseOfTheCaller) {
  EXPECT_EQ(Parse({"-c", "x/../a.conf"}).options.configuration,
            std::filesystem::current_path() / "a.conf");
}

TEST(Flags, ShortAndLongFormsAreTheSame) {
  for (const auto& command : {Parse({"-ddtf", "-u", "joe", "-gstaff"}),
                              Parse({"--debug", "--debug", "--test", "--foreground", "--user=joe",
                                     "--group", "staff"})}) {
    EXPECT_EQ(command.options.debug, 2);
    EXPECT_TRUE(command.options.test && command.options.foreground);
    EXPECT_EQ(command.options.user, "joe");
    EXPECT_EQ(command.options.group, "staff");
  }
}

TEST(Flags, HelpAndVersionEndWithStatusZero) {
  const CommandLine help = Parse({"-h", "-x"});
  EXPECT_EQ(help.exit_status, 0);
  EXPECT_THAT(help.text, StartsWith("Usage: ospatrol-analysisd"));
  EXPECT_THAT(help.text, HasSubstr("-D, --directory DIR"));
  const CommandLine version = Parse({"--version"});
  EXPECT_EQ(version.exit_status, 0);
  EXPECT_THAT(version.text, StartsWith("\nOSPatrol v"));
}

TEST(Flags, MistakesPrintTheHelpAndEndWithStatusOne) {
  for (const auto& [words, complaint] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"-x"}, "'-x'"},
           {{"--nonsense"}, "'--nonsense'"},
           {{"-u"}, "flag '-u' needs an argument"},
           {{"stray"}, "unexpected argument 'stray'"}}) {
    const CommandLine command = Parse(words);
    EXPECT_EQ(command.exit_status, 1) << complaint;
    EXPECT_THAT(command.text, HasSubstr(complaint));
    EXPECT_THAT(command.text, HasSubstr("Usage:"));
  }
  EXPECT_THROW(Parse({"-D", ""}), Error);
}

TEST(Flags, AProgramCanGiveALetterAnotherMeaning) {
  std::string ciphers;
  const std::vector<Flag> own = {{'c', "ciphers", "LIST", "TLS ciphers",
                                  [&](Options&, std::string_view value) { ciphers = value; }}};
  const CommandLine command = Parse({"-c", "HIGH", "-d"}, own);
  EXPECT_EQ(ciphers, "HIGH");
  EXPECT_EQ(command.options.debug, 1);
  EXPECT_EQ(command.options.configuration, command.options.prefix / "etc/ospatrol.conf");
  EXPECT_THAT(Parse({"-h"}, own).text, HasSubstr("-c, --ciphers LIST"));
  EXPECT_EQ(Parse({"--config", "x"}, own).exit_status, 1);
}

}  // namespace
}  // namespace ospatrol::daemon
