#include "config/configuration.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "../problem_lines.h"
#include "base/files.h"
#include "base/text.h"
#include "config/ar_conf.h"

namespace ospatrol::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Commands that rows about responses may name, and what keeps them free of warnings.
constexpr std::string_view kCommands =
    "<ospatrol_config><command><name>host-deny</name><executable>host-deny.sh</executable>"
    "<expect>srcip</expect><timeout_allowed>yes</timeout_allowed></command><command>"
    "<name>mail-test</name><executable>mail-test.sh</executable><expect/></command>"
    "<global><allow_list>192.0.2.1</allow_list></global></ospatrol_config>";

struct Loaded {
  Configuration configuration;
  Problems problems;
};

Loaded Load(std::string_view text, Reader reader = Reader::kAnalysisd) {
  const std::string path =
      fmt::format("{}configuration_test.{}.conf", ::testing::TempDir(), ::getpid());
  std::ofstream(path, std::ios::binary) << text;
  Loaded loaded;
  loaded.configuration = LoadConfiguration(path, "etc/ospatrol.conf", reader, loaded.problems);
  std::filesystem::remove(path);
  return loaded;
}

// A configuration without any problem.
Configuration Good(std::string_view text, Reader reader = Reader::kAnalysisd) {
  Loaded loaded = Load(text, reader);
  EXPECT_THAT(ProblemLines(loaded.problems), ElementsAre());
  return std::move(loaded.configuration);
}

char Letter(Problem::Kind kind) {
  return kind == Problem::Kind::kError ? 'E' : kind == Problem::Kind::kWarning ? 'W' : 'I';
}

const std::map<std::string_view, Reader> kReaders = {
    {"analysisd", Reader::kAnalysisd}, {"logcollector", Reader::kLogcollector},
    {"execd", Reader::kExecd},         {"maild", Reader::kMaild},
    {"remoted", Reader::kRemoted},     {"agentd", Reader::kAgentd},
};

// "E text", "W ~beginning"; the line number is not part of it.
void ExpectProblem(const Problem& problem, std::string_view expected, std::string_view row) {
  EXPECT_EQ(Letter(problem.kind), expected[0]) << row;
  EXPECT_GT(problem.id, 0) << row;
  const std::string line = problem.Line();
  const size_t text_at = line.find(": ") + 2;
  EXPECT_THAT(line, StartsWith("etc/ospatrol.conf:")) << row;
  expected.remove_prefix(2);
  if (expected.starts_with('~')) {
    EXPECT_THAT(line.substr(text_at), StartsWith(std::string(expected.substr(1)))) << row;
  } else {
    EXPECT_EQ(line.substr(text_at), expected) << row;
  }
}

TEST(Configuration, JudgesEveryOptionAsItsTableSays) {
  const std::string table = base::ReadFile(OSPATROL_TEST_DATA "/configuration-options.tsv");
  size_t rows = 0;
  for (const std::string_view row : base::Split(table, '\n')) {
    if (row.empty() || row.front() == '#') continue;
    ++rows;
    const auto columns = base::Split(row, '\t');
    ASSERT_EQ(columns.size(), 4U) << row;
    const std::string text = fmt::format("{}<ossec_config>\n<{}>{}</{}></ossec_config>", kCommands,
                                         columns[1], columns[2], columns[1]);
    const Loaded loaded = Load(text, kReaders.at(columns[0]));
    if (columns[3] == "-") {
      EXPECT_THAT(ProblemLines(loaded.problems), ElementsAre()) << row;
      continue;
    }
    EXPECT_EQ(loaded.problems.all().size(), 1U) << row;
    if (loaded.problems.all().empty()) continue;
    const Problem& problem = loaded.problems.all().front();
    EXPECT_TRUE(problem.line == 2 || problem.line == 0) << row;
    ExpectProblem(problem, columns[3], row);
  }
  EXPECT_GT(rows, 300U);
}

TEST(Configuration, KeepsTheCipherPolicyOfTheSecureListener) {
  const Configuration configuration = Good(
      "<ospatrol_config>"
      "<remote><connection>secure</connection><crypto_accept>AES</crypto_accept></remote>"
      "<remote><connection>syslog</connection><protocol>tcp</protocol>"
      "<allowed-ips>192.0.2.0/24</allowed-ips><denied-ips>192.0.2.7</denied-ips>"
      "<crypto_accept>any</crypto_accept></remote></ospatrol_config>",
      Reader::kRemoted);
  const RemoteSection& remote = configuration.remote;
  EXPECT_EQ(remote.crypto_accept, CryptoAccept::kAes);
  ASSERT_EQ(remote.listeners.size(), 2U);
  EXPECT_EQ(remote.Secure(), &remote.listeners[0]);
  EXPECT_EQ(remote.listeners[0].port, 1514);
  EXPECT_TRUE(remote.listeners[0].udp);
  EXPECT_EQ(remote.listeners[1].port, 514);
  EXPECT_TRUE(remote.listeners[1].tcp);
  EXPECT_FALSE(remote.listeners[1].udp);
  EXPECT_TRUE(remote.allowed.MatchesConfiguration("192.0.2.9"));
  EXPECT_TRUE(remote.denied.MatchesConfiguration("192.0.2.7"));
}

TEST(Configuration, AddsTheServersOfAllClientSectionsInOrder) {
  const Configuration configuration = Good(
      "<ospatrol_config><client><server-ip>192.0.2.1</server-ip>"
      "<server-hostname>manager.example</server-hostname><notify_time>60</notify_time>"
      "<port>2514</port></client>"
      "<client><server-ip>2001:db8::1</server-ip><notify_time>0</notify_time></client>"
      "</ospatrol_config>",
      Reader::kAgentd);
  const ClientSection& client = configuration.client;
  ASSERT_EQ(client.servers.size(), 3U);
  EXPECT_EQ(client.servers[0].name, "192.0.2.1");
  EXPECT_FALSE(client.servers[1].is_address);
  EXPECT_EQ(client.servers[2].name, "2001:db8::1");
  EXPECT_EQ(client.notify_time, 600);
  EXPECT_EQ(client.time_reconnect, 1800);
  EXPECT_EQ(client.port, 2514);
  EXPECT_EQ(client.crypto_method, ClientCipher::kAuto);
}

TEST(Configuration, TenFaultsGiveTenLines) {
  Loaded loaded;
  loaded.configuration =
      LoadConfiguration(OSPATROL_TEST_DATA "/ten-faults.conf", "etc/ospatrol.conf",
                        Reader::kAnalysisd, loaded.problems);
  EXPECT_EQ(loaded.problems.error_count(), 10U);
  EXPECT_THAT(
      ProblemLines(loaded.problems),
      ElementsAre(
          "etc/ospatrol.conf:3: <global><jsonout_output>: 'on' is not valid; expected yes or no, "
          "in "
          "lower case",
          "etc/ospatrol.conf:4: <global><email_to>: 'root' is no mail address; expected "
          "name@domain",
          "etc/ospatrol.conf:5: <global><smtp_port>: '70000' is not valid; expected a number from "
          "1 "
          "to 65535",
          "etc/ospatrol.conf:9: <alerts><log_alert_levl>: unknown option; did you mean "
          "'log_alert_level'?",
          "etc/ospatrol.conf:12: <alert>: unknown section; did you mean 'alerts'?",
          "etc/ospatrol.conf:18: <rules><rule_dir>: unknown attribute 'patern'; did you mean "
          "'pattern'?",
          "etc/ospatrol.conf:21: <command> is incomplete; expected <name>",
          "etc/ospatrol.conf:32: <active-response><location>: 'here' names no place; expected one "
          "or "
          "more of: server, local, defined-agent, all",
          "etc/ospatrol.conf:31: <active-response><command>: no command 'firewal-drop' is defined "
          "above; did you mean 'firewall-drop'?",
          "etc/ospatrol.conf:37: <agent_config>: unknown root element; expected <ospatrol_config> "
          "or "
          "<ossec_config>"));
}

TEST(Configuration, StopsAtASyntaxErrorAndNamesIt) {
  const Loaded loaded = Load("<ospatrol_config>\n<global>\n<logall>yes</logal>\n");
  EXPECT_THAT(ProblemLines(loaded.problems),
              ElementsAre("etc/ospatrol.conf:3: element <logall> of line 3 is closed by </logal>; "
                          "expected </logall>"));
  EXPECT_FALSE(loaded.configuration.global.logall);
}

TEST(Configuration, SaysThatTheFileIsMissing) {
  Problems problems;
  LoadConfiguration("/nonexistent/ospatrol.conf", "etc/ospatrol.conf", Reader::kTools, problems);
  ASSERT_EQ(problems.error_count(), 1U);
  EXPECT_EQ(problems.all()[0].id, 1239);
  EXPECT_THAT(problems.all()[0].Line(), StartsWith("etc/ospatrol.conf: the configuration file is"));
}

TEST(Configuration, AcceptsAnEmptyFileAndEmptyRoots) {
  const Configuration empty = Good("");
  EXPECT_EQ(empty.alerts.log_alert_level, 1);
  EXPECT_EQ(empty.alerts.email_alert_level, 7);
  EXPECT_EQ(empty.global.memory_size, 8192);
  Good("<ospatrol_config></ospatrol_config><ossec_config/>");
}

TEST(Configuration, SkipsVariablesAndWhatIsDeeper) {
  const Configuration configuration = Good(
      "<var name='A'>x</var><ospatrol_config><var name='B'>y</var><global><var name='C'/>"
      "<email_from>$A<deep><deeper>z</deeper></deep></email_from></global></ospatrol_config>");
  EXPECT_EQ(configuration.global.email_from, "");
  EXPECT_EQ(Good("<ossec_config><global><email_from>$A</email_from></global></ossec_config>")
                .global.email_from,
            "$A");
}

TEST(Configuration, MergesRepeatedGlobalSections) {
  const GlobalSection global =
      Good(
          "<ospatrol_config><global><smtp_server>one</smtp_server><email_to>a@b</email_to>"
          "<allow_list>192.0.2.0/24</allow_list><logall>yes</logall></global></ospatrol_config>"
          "<ossec_config><global><email_notification>yes</email_notification>"
          "<smtp_server>two</smtp_server><email_to>c@d</email_to><white_list>gw</white_list>"
          "</global></ossec_config>")
          .global;
  EXPECT_TRUE(global.email_notification);
  EXPECT_EQ(global.smtp_server, "two");
  EXPECT_THAT(global.email_to, ElementsAre("a@b", "c@d"));
  EXPECT_THAT(global.never_block_hosts, ElementsAre("gw"));
  EXPECT_TRUE(global.never_block.MatchesConfiguration("192.0.2.200"));
  EXPECT_FALSE(global.never_block.MatchesConfiguration("192.0.3.1"));
  EXPECT_TRUE(global.logall);
}

TEST(Configuration, StoresTheValuesOfGlobal) {
  const GlobalSection global =
      Good(
          "<ospatrol_config><global><smtp_port> 25 </smtp_port><memory_size>16</memory_size>"
          "<stats>0</stats><json_schema>both</json_schema><smtp_tls>required</smtp_tls>"
          "<smtp_password>a&amp;b&lt;&gt;&quot;&apos;&amp;lt;&nbsp;</smtp_password>"
          "<helo_server>a&amp;b</helo_server><email_maxperhour>1</email_maxperhour>"
          "<smtp_tls_verify>no</smtp_tls_verify></global></ospatrol_config>")
          .global;
  EXPECT_EQ(global.smtp_port, 25);
  EXPECT_EQ(global.memory_size, 2048);
  EXPECT_EQ(global.stats_level, 0);
  EXPECT_EQ(global.json_schema, JsonSchema::kBoth);
  EXPECT_EQ(global.smtp_tls, SmtpTls::kRequired);
  EXPECT_EQ(global.smtp_password, "a&b<>\"'&lt;&nbsp;");
  EXPECT_EQ(global.helo_server, "a&amp;b");
  EXPECT_EQ(global.email_maxperhour, 1);
  EXPECT_FALSE(global.smtp_tls_verify);
}

TEST(Configuration, AddsRulesSectionsUp) {
  Loaded loaded = Load(
      "<ospatrol_config><rules>\n<include>a.xml</include>\n<include>etc/b.xml</include>"
      "<decoder>/etc/d.xml</decoder><list>bad.cdb.txt</list></rules>\n"
      "<rules><rule_dir pattern='_r.xml$'>dir/</rule_dir><rule>a.xml</rule><rule>c.xml</rule>"
      "<decoder_dir>dd</decoder_dir><list>lists/x</list></rules></ospatrol_config>");
  EXPECT_FALSE(loaded.problems.HasErrors());
  EXPECT_THAT(ProblemLines(loaded.problems),
              ElementsAre("etc/ospatrol.conf:4: <rules><rule>: rules/a.xml is listed twice, this "
                          "entry is dropped; the first one is on line 2"));
  const RulesSection& rules = loaded.configuration.rules;
  ASSERT_EQ(rules.rules.size(), 4U);
  EXPECT_EQ(rules.rules[0].file->path, "rules/a.xml");
  EXPECT_EQ(rules.rules[0].file->origin.line, 2);
  EXPECT_EQ(rules.rules[1].file->path, "etc/b.xml");
  EXPECT_EQ(rules.rules[2].directory->path, "dir");
  EXPECT_EQ(rules.rules[2].directory->pattern, "_r.xml$");
  EXPECT_EQ(rules.rules[3].file->path, "rules/c.xml");
  ASSERT_EQ(rules.decoders.size(), 2U);
  EXPECT_EQ(rules.decoders[0].file->path, "etc/d.xml");
  EXPECT_EQ(rules.decoders[1].directory->pattern, ".xml$");
  ASSERT_EQ(rules.lists.size(), 2U);
  EXPECT_EQ(rules.lists[0].path, "rules/bad");
  EXPECT_EQ(rules.lists[1].path, "lists/x");
}

TEST(Configuration, GivesADirectoryOfEachEntryItsOwnPattern) {
  const RulesSection rules =
      Good(
          "<ospatrol_config><rules><rule_dir pattern='a'>d</rule_dir><rule_dir pattern='b'>d"
          "</rule_dir><rule_dir>d</rule_dir></rules></ospatrol_config>")
          .rules;
  ASSERT_EQ(rules.rules.size(), 3U);
  EXPECT_EQ(rules.rules[0].directory->pattern, "a");
  EXPECT_EQ(rules.rules[1].directory->pattern, "b");
  EXPECT_EQ(rules.rules[2].directory->pattern, ".xml$");
}

TEST(Configuration, StoresTheValuesOfLocalfiles) {
  const Configuration configuration = Good(
      "<ospatrol_config><localfile><location>/var/log/*.log</location>"
      "<log_format>multi-line : 7 </log_format><read_from>beginning</read_from></localfile>\n"
      "<localfile><log_format>full_command</log_format><command>df -P</command>"
      "<alias>disk</alias><frequency>hourly</frequency><run_as>nobody</run_as></localfile>"
      "<localfile><log_format>eventchannel</log_format><location>System</location>"
      "<query>*[x]</query><only-future-events>yes</only-future-events></localfile>"
      "</ospatrol_config>",
      Reader::kLogcollector);
  ASSERT_EQ(configuration.localfiles.size(), 3U);
  const LocalFileSection& lines = configuration.localfiles[0];
  EXPECT_EQ(lines.log_format, "multi-line:7");
  EXPECT_EQ(lines.multi_line_count, 7);
  EXPECT_EQ(lines.location, "/var/log/*.log");
  EXPECT_TRUE(lines.read_from_beginning);
  EXPECT_EQ(lines.frequency, 360);
  const LocalFileSection& command = configuration.localfiles[1];
  EXPECT_EQ(command.command, "df -P");
  EXPECT_EQ(command.alias, "disk");
  EXPECT_EQ(command.frequency, 3600);
  EXPECT_EQ(command.run_as, "nobody");
  EXPECT_EQ(command.origin.line, 2);
  EXPECT_EQ(configuration.localfiles[2].query, "*[x]");
  EXPECT_TRUE(configuration.localfiles[2].only_future_events);
}

TEST(Configuration, ReadsALogFileOnceButCommandsAsOftenAsGiven) {
  const std::string file =
      "<localfile><location>/x</location><log_format>syslog</log_format></localfile>\n";
  const std::string command =
      "<localfile><command>w</command><log_format>command</log_format></localfile>\n";
  const std::string journal =
      "<localfile><location>all</location><log_format>journald</log_format></localfile>\n";
  const Loaded loaded =
      Load("<ospatrol_config>\n" + file + command + journal + command + file + "</ospatrol_config>",
           Reader::kLogcollector);
  EXPECT_EQ(loaded.configuration.localfiles.size(), 4U);
  EXPECT_THAT(ProblemLines(loaded.problems),
              ElementsAre("etc/ospatrol.conf:6: <localfile>: duplicated log file '/x', this entry "
                          "is ignored; the first one is on line 2"));
}

TEST(Configuration, StoresCommandsAndResponses) {
  const Configuration configuration =
      Good(std::string(kCommands) +
           "<ospatrol_config><active-response><command>host-deny</command>"
           "<location>local,defined-agent</location><agent_id>007</agent_id><level>10</level>"
           "<rules_id>1,2</rules_id><rules_id>3</rules_id><rules_group>a|b</rules_group>"
           "<timeout>600</timeout><allow_hostnames>yes</allow_hostnames></active-response>"
           "<active-response><disabled>yes</disabled><command>host-deny</command>"
           "<location>all</location><level>1</level></active-response>"
           "<active-response><repeated_offenders>30,60</repeated_offenders></active-response>"
           "</ospatrol_config>");
  ASSERT_EQ(configuration.commands.size(), 2U);
  EXPECT_TRUE(configuration.commands[0].expect_srcip);
  EXPECT_FALSE(configuration.commands[0].expect_user);
  EXPECT_TRUE(configuration.commands[0].timeout_allowed);
  EXPECT_FALSE(configuration.commands[1].timeout_allowed);
  ASSERT_EQ(configuration.active_responses.size(), 1U);
  const ActiveResponseSection& response = configuration.active_responses[0];
  EXPECT_TRUE(response.on_origin && response.on_defined_agent);
  EXPECT_FALSE(response.on_server || response.on_all);
  EXPECT_EQ(response.agent_id, "007");
  EXPECT_TRUE(response.has_level);
  EXPECT_EQ(response.level, 10);
  EXPECT_THAT(response.rule_ids, ElementsAre(1, 2, 3));
  EXPECT_EQ(response.rules_group, "a|b");
  EXPECT_EQ(response.timeout, 600);
  EXPECT_TRUE(response.allow_hostnames);
}

TEST(Configuration, GivesExecdEverySectionWithWhatItNeeds) {
  const auto responses =
      Good(
          "<ossec_config><active-response><disabled>yes</disabled></active-response>"
          "<active-response><command>nowhere-defined</command><location>all</location>"
          "<repeated_offenders>30, 60</repeated_offenders></active-response></ossec_config>",
          Reader::kExecd)
          .active_responses;
  ASSERT_EQ(responses.size(), 2U);
  EXPECT_TRUE(responses[0].disabled);
  EXPECT_TRUE(responses[0].command.empty());
  EXPECT_EQ(responses[1].command, "nowhere-defined");
  EXPECT_TRUE(responses[1].on_all);
  EXPECT_THAT(responses[1].repeated_offenders, ElementsAre(30, 60));
}

TEST(Configuration, WarnsWhenNothingIsNeverBlocked) {
  const Loaded loaded = Load(
      "<ospatrol_config><command><name>c</name><executable>c.sh</executable><expect/>"
      "</command>\n<active-response><command>c</command><location>local</location>"
      "<level>7</level></active-response></ospatrol_config>");
  EXPECT_FALSE(loaded.problems.HasErrors());
  ASSERT_EQ(loaded.problems.all().size(), 1U);
  EXPECT_THAT(loaded.problems.all()[0].Line(),
              HasSubstr("etc/ospatrol.conf:2: <active-response> without any <global><allow_list>"));
}

TEST(Configuration, WantsCommandsBeforeTheirResponses) {
  const Loaded loaded = Load(
      "<ospatrol_config><global><allow_list>::1</allow_list></global>\n<active-response>\n"
      "<command>c</command><location>local</location><level>7</level></active-response>"
      "<command><name>c</name><executable>c.sh</executable><expect/></command>"
      "</ospatrol_config>");
  EXPECT_THAT(ProblemLines(loaded.problems),
              ElementsAre("etc/ospatrol.conf:3: <active-response><command>: no command 'c' is "
                          "defined above; add a <command> section with this name before this one"));
}

TEST(Configuration, KeepsTheFirstOfTwoCommandsWithOneName) {
  const std::string command =
      "<command><name>c</name><executable>one.sh</executable><expect/></command>\n";
  const Loaded loaded = Load("<ospatrol_config>\n" + command + command + "</ospatrol_config>");
  EXPECT_EQ(loaded.configuration.commands.size(), 1U);
  EXPECT_THAT(ProblemLines(loaded.problems),
              ElementsAre("etc/ospatrol.conf:3: <command> c is defined twice, this one is ignored; "
                          "the first one is on line 2"));
}

TEST(Configuration, ReadsOnlyTheSectionsOfTheProgram) {
  const std::string text =
      "<ospatrol_config><global><logall>maybe</logall></global><localfile><bad/></localfile>"
      "</ospatrol_config>";
  EXPECT_EQ(Load(text, Reader::kExecd).problems.error_count(), 0U);
  EXPECT_EQ(Load(text, Reader::kAnalysisd).problems.error_count(), 1U);
  EXPECT_EQ(Load(text, Reader::kTools).problems.error_count(), 1U);
  EXPECT_EQ(Load(text, Reader::kLogcollector).problems.error_count(), 3U);
}

size_t CountOf(std::string_view part, std::string_view text) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Configuration, LoadsTheShippedLocalFileWithoutAnyRemark) {
  for (const Reader reader : {Reader::kAnalysisd, Reader::kLogcollector, Reader::kTools,
                              Reader::kExecd, Reader::kMaild}) {
    Problems problems;
    const Configuration configuration = LoadConfiguration(
        OSPATROL_SOURCE_DIR "/etc/ospatrol-local.conf", "etc/ospatrol.conf", reader, problems);
    EXPECT_THAT(ProblemLines(problems), ElementsAre());
    if (reader == Reader::kAnalysisd) {
      const std::string text = base::ReadFile(OSPATROL_SOURCE_DIR "/etc/ospatrol-local.conf");
      EXPECT_GE(configuration.rules.rules.size(), 9U);
      EXPECT_EQ(configuration.rules.rules.size(), CountOf("<include>", text));
      EXPECT_TRUE(configuration.global.jsonout_output);
      EXPECT_TRUE(configuration.global.never_block.MatchesConfiguration("127.0.0.1"));
    }
    if (reader == Reader::kLogcollector) {
      EXPECT_EQ(configuration.localfiles.size(), 12U);
    }
  }
}

TEST(ArConf, ListsTheRestartLinesAndEveryResponse) {
  EXPECT_EQ(BuildArConf({}),
            "restart-ossec0 - restart-ossec.sh - 0\nrestart-ossec0 - restart-ossec.cmd - 0\n");
  const Configuration configuration =
      Good(std::string(kCommands) +
           "<ossec_config><active-response><command>host-deny</command><location>local</location>"
           "<level>10</level><timeout>600</timeout></active-response><active-response>"
           "<command>mail-test</command><location>server</location><level>1</level>"
           "</active-response><active-response><disabled>yes</disabled><command>mail-test</command>"
           "<location>server</location></active-response></ossec_config>");
  EXPECT_EQ(BuildArConf(configuration),
            "restart-ossec0 - restart-ossec.sh - 0\nrestart-ossec0 - restart-ossec.cmd - 0\n"
            "host-deny600 - host-deny.sh - 600\nmail-test0 - mail-test.sh - 0\n");
}

}  // namespace
}  // namespace ospatrol::config
