#include "config/agent_conf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "../temporary_directory.h"
#include "base/files.h"

namespace ospatrol::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const AgentFacts kFacts{"web01", "Linux web01 6.1.0 #1 SMP x86_64 - OSPatrol v0.1.0",
                        "webserver, lowmemory"};

std::string File(std::string_view location) {
  return "<localfile><log_format>syslog</log_format><location>" + std::string(location) +
         "</location></localfile>";
}

struct Read {
  std::vector<std::string> locations;
  Problems problems;
};

Read Apply(std::string_view text, bool may_run_commands = false) {
  Read read;
  Configuration configuration;
  const Document document = ParseDialect(text, "etc/shared/agent.conf", read.problems);
  ReadAgentConf(document, kFacts, Reader::kLogcollector, may_run_commands, configuration,
                read.problems);
  for (const auto& file : configuration.localfiles) {
    read.locations.push_back(file.command.empty() ? file.location : file.command);
  }
  return read;
}

TEST(AgentConf, BlocksApplyByNameSystemAndProfile) {
  const struct {
    std::string attributes;
    bool applies;
  } cases[] = {
      {"", true},
      {" name=\"web01\"", true},
      {" name=\"web\"", true},
      {" name=\"^eb\"", false},
      {" name=\"^web01$\"", true},
      {" name=\"db|web\"", true},
      {" name=\"db\"", false},
      {" os=\"Linux\"", true},
      {" os=\"Windows\"", false},
      {" profile=\"web\"", true},
      {" profile=\"lowmemory\"", true},
      {" profile=\"database\"", false},
      {" name=\"web01\" os=\"Windows\"", false},
      {" name=\"web01\" os=\"Linux\" profile=\"web\"", true},
      {" overwrite=\"yes\"", true},
  };
  for (const auto& one : cases) {
    const Read read =
        Apply("<agent_config" + one.attributes + ">" + File("/var/log/x") + "</agent_config>");
    EXPECT_EQ(read.locations.size(), one.applies ? 1u : 0u) << one.attributes;
    EXPECT_THAT(read.problems.all(), IsEmpty()) << one.attributes;
  }
}

TEST(AgentConf, AnUnknownAttributeIsNamedAndIgnored) {
  const Read read = Apply("\n<agent_config nam=\"db\">" + File("/var/log/x") + "</agent_config>");
  EXPECT_THAT(read.locations, ElementsAre("/var/log/x"));
  ASSERT_EQ(read.problems.all().size(), 1u);
  EXPECT_THAT(read.problems.all()[0].Line(), HasSubstr("etc/shared/agent.conf:2:"));
  EXPECT_FALSE(read.problems.HasErrors());
}

TEST(AgentConf, AFaultCostsItsSectionOnly) {
  const Read read = Apply("<agent_config>" + File("/a") +
                          "<localfile><log_format>nonsense</log_format><location>/b</location>"
                          "</localfile>" +
                          File("/c") + "<syscheck><frequency>1</frequency></syscheck>" +
                          "<client><server-ip>10.0.0.1</server-ip></client></agent_config>");
  EXPECT_THAT(read.locations, ElementsAre("/a", "/c"));
  EXPECT_FALSE(read.problems.HasErrors()) << "faults of an agent.conf never stop an agent";
  EXPECT_EQ(read.problems.all().size(), 1u);
}

TEST(AgentConf, CommandsAreRefusedUnlessTheHostAllowsThem) {
  const std::string text = "<agent_config>" + File("/a") +
                           "<localfile><log_format>command</log_format><command>df -P</command>"
                           "</localfile>" +
                           File("/b") + "</agent_config>";
  const Read refused = Apply(text);
  EXPECT_THAT(refused.locations, ElementsAre("/a", "/b"));
  ASSERT_EQ(refused.problems.all().size(), 1u);
  EXPECT_THAT(refused.problems.all()[0].Line(), HasSubstr("df -P"));
  EXPECT_THAT(Apply(text, true).locations, ElementsAre("/a", "df -P", "/b"));
}

TEST(AgentConf, WhatCannotBeUsedAtAllIsNamedWithItsLine) {
  EXPECT_EQ(AgentConfFault(""), std::nullopt);
  EXPECT_EQ(AgentConfFault("<agent_config>" + File("/a") + "</agent_config>"), std::nullopt);
  EXPECT_EQ(AgentConfFault("<agent_config></agent_config>\n<agent_config></agent_config>"),
            std::nullopt);
  const struct {
    std::string text, fault;
  } cases[] = {
      {"<agent_config>\n<localfile>\n</agent_config>", "agent.conf:"},
      {"<ospatrol_config>\n</ospatrol_config>", "agent.conf:1: <ospatrol_config>"},
      {"<agent_config>\n<localfil>\n<x>1</x></localfil></agent_config>",
       "agent.conf:2: <localfil>"},
  };
  for (const auto& one : cases) {
    const auto fault = AgentConfFault(one.text);
    ASSERT_TRUE(fault) << one.text;
    EXPECT_THAT(*fault, HasSubstr(one.fault));
  }
}

TEST(AgentConf, TheCheckSaysWhatAgentsWillNotDo) {
  const struct {
    std::string content;
    std::vector<std::string> remarks;
    bool good;
  } cases[] = {
      {File("/a") + "<syscheck><frequency>1</frequency></syscheck><rootcheck><x>1</x></rootcheck>",
       {},
       true},
      {"<client><server-ip>10.0.0.1</server-ip></client>",
       {"<client> has no effect in agent.conf; agents read localfile, syscheck, rootcheck from it"},
       true},
      {"<localfile></localfile>", {"<localfile> is empty"}, true},
      {"<localfile><log_format>command</log_format><command>df -P</command></localfile>" +
           File("/b"),
       {"command 'df -P': agents refuse it unless logcollector.remote_commands=1"},
       true},
      {"<localfile><log_format>nonsense</log_format><location>/b</location></localfile>",
       {"'nonsense' is no log format"},
       false},
  };
  for (const auto& one : cases) {
    Problems problems;
    CheckAgentConf(ParseDialect("<agent_config>" + one.content + "</agent_config>",
                                "etc/shared/agent.conf", problems),
                   problems);
    ASSERT_EQ(problems.all().size(), one.remarks.size()) << one.content;
    for (size_t i = 0; i < one.remarks.size(); ++i) {
      EXPECT_THAT(problems.all()[i].Line(), HasSubstr(one.remarks[i]));
    }
    EXPECT_EQ(problems.HasErrors(), !one.good) << one.content;
  }
}

TEST(AgentConf, IsReadOnAnAgentOnly) {
  TemporaryDirectory directory;
  const Home home(directory.path());
  base::MakeDirectories(home / "etc/shared", 0750);
  base::MakeDirectories(home / "queue/ospatrol", 0750);
  std::ofstream(home / paths::kAgentConf)
      << "<agent_config name=\"web01\">" << File("/a") << "</agent_config>";
  Problems problems;
  Configuration manager;
  LoadAgentConf(home, Reader::kLogcollector, false, manager, problems);
  EXPECT_THAT(manager.localfiles, IsEmpty());
  std::ofstream(home / paths::kAgentIdentity) << FormatAgentIdentity("web01", "001", "");
  Configuration agent;
  LoadAgentConf(home, Reader::kLogcollector, false, agent, problems);
  EXPECT_EQ(agent.localfiles.size(), 1u);
  EXPECT_THAT(problems.all(), IsEmpty());
  std::ofstream(home / paths::kAgentConf) << "<agent_config>";
  LoadAgentConf(home, Reader::kLogcollector, false, agent, problems);
  EXPECT_EQ(problems.all().size(), 1u);
  EXPECT_FALSE(problems.HasErrors());
}

TEST(AgentConf, TheIdentityOfAnAgentHasFourLines) {
  EXPECT_EQ(FormatAgentIdentity("web01", "001", "web, small"), "web01\n-\n001\nweb, small\n");
  EXPECT_EQ(FormatAgentIdentity("web01", "001", ""), "web01\n-\n001\n-\n");
}

}  // namespace
}  // namespace ospatrol::config
