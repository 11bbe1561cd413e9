// What manage_agents says and asks (wire-protocol 1.8). Scripts depend on the words.
#pragma once

#include <string>
#include <string_view>

#include "manage_agents/agent_registry.h"
#include "manage_agents/answers.h"

namespace ospatrol::manage_agents {

class Dialogue {
 public:
  struct Options {
    bool on_agent = false;  // else on a manager
    bool json = false;
  };

  Dialogue(AgentRegistry& registry, const Answers& answers, Options options)
      : registry_(registry), answers_(answers), options_(options) {}

  // The menu, until the person leaves; one action when the environment or a flag chose it. Returns
  // the exit status. Throws Error, Answers::TooLarge.
  int Run();

  // One each for the flags that ask nothing.
  int List() const;
  int Export(const std::string& id) const;
  int Bulk(const std::string& file);
  int Import(const std::string& text);

 private:
  enum class Outcome { kDone, kBack, kFailed };

  void Menu() const;
  Outcome Act(char choice);
  Outcome Add();
  Outcome Remove();
  Outcome ExtractKey();
  Outcome ImportKey();
  void PrintAgents() const;
  std::string Fault(const AgentRegistry::Added& added, const AgentRegistry::NewAgent& agent) const;
  int JsonCode(AgentRegistry::Added::Fault fault) const;
  Outcome Fail(int code, std::string_view json_text, std::string_view text) const;
  void Say(std::string_view text) const;
  void Succeed(std::string_view json_text, std::string_view text) const;
  bool BulkLine(std::string_view line);

  AgentRegistry& registry_;
  const Answers& answers_;
  Options options_;
  bool changed_ = false;
};

}  // namespace ospatrol::manage_agents
