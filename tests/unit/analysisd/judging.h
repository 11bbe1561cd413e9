// Shared by the tests of rules: an engine from decoders and rules given as text, and what it says
// of a line.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../problem_lines.h"
#include "analysisd/decoder_loader.h"
#include "analysisd/engine.h"
#include "analysisd/list_set.h"
#include "analysisd/memory_state.h"
#include "analysisd/rule_loader.h"
#include "analysisd/rule_set.h"
#include "config/dialect.h"

namespace ospatrol::analysisd {

inline constexpr std::string_view kTemplates = R"(
<group name="syslog,"><rule id="1" level="0" noalert="1"><category>syslog</category><description>s</description></rule></group>
<group name="firewall,"><rule id="2" level="0" noalert="1"><category>firewall</category><description>f</description></rule></group>
<group name="ids,"><rule id="3" level="0" noalert="1"><category>ids</category><description>i</description></rule></group>
<group name="web-log,"><rule id="4" level="0" noalert="1"><category>web-log</category><description>w</description></rule></group>
<group name="squid,"><rule id="5" level="0" noalert="1"><category>squid</category><description>q</description></rule></group>
<group name="windows,"><rule id="6" level="0" noalert="1"><category>windows</category><description>w</description></rule></group>
<group name="ossec,"><rule id="7" level="0" noalert="1"><category>ossec</category><description>o</description></rule></group>
)";

// Fields of a line "k: srcip=A dstip=B ..." with program name k; see kFieldDecoders.
inline constexpr std::string_view kFieldDecoders = R"(
<decoder name="plain"><prematch>^plain </prematch></decoder>
<decoder name="k"><program_name>^k$</program_name></decoder>
<decoder name="k-1"><parent>k</parent><regex>srcip=(\S+)</regex><order>srcip</order></decoder>
<decoder name="k-1"><parent>k</parent><regex>dstip=(\S+)</regex><order>dstip</order></decoder>
<decoder name="k-1"><parent>k</parent><regex>srcport=(\S+)</regex><order>srcport</order></decoder>
<decoder name="k-1"><parent>k</parent><regex>dstport=(\S+)</regex><order>dstport</order></decoder>
<decoder name="k-1"><parent>k</parent><regex>srcuser=(\S+)</regex><order>srcuser</order></decoder>
<decoder name="k-1"><parent>k</parent><regex>dstuser=(\S+)</regex><order>dstuser</order></decoder>
<decoder name="k-1"><parent>k</parent><regex>protocol=(\S+)</regex><order>protocol</order></decoder>
<decoder name="k-1"><parent>k</parent><regex>action=(\S+)</regex><order>action</order></decoder>
<decoder name="k-1"><parent>k</parent><regex>id=(\S+)</regex><order>id</order></decoder>
<decoder name="k-1"><parent>k</parent><regex>url=(\S+)</regex><order>url</order></decoder>
<decoder name="k-1"><parent>k</parent><regex>data=(\S+)</regex><order>data</order></decoder>
<decoder name="k-1"><parent>k</parent><regex>status=(\S+)</regex><order>status</order></decoder>
<decoder name="k-1"><parent>k</parent><regex>system=(\S+)</regex><order>system_name</order></decoder>
<decoder name="k-1"><parent>k</parent><regex>colour=(\S+)</regex><order>Colour</order></decoder>
<decoder name="f"><program_name>^f$</program_name><type>firewall</type></decoder>
<decoder name="f-1"><parent>f</parent><type>firewall</type><regex>(\S+) (\S+) (\S+) (\S+)</regex><order>action, srcip, dstip, protocol</order></decoder>
<decoder name="fts"><program_name>^fts$</program_name></decoder>
<decoder name="fts-1"><parent>fts</parent><regex>u=(\S+)</regex><order>user</order><fts>name, user</fts></decoder>
)";

inline EngineOptions JudgingOptions() {
  EngineOptions options;
  options.server_name = "manager";
  options.repeat_filter = false;
  return options;
}

struct Parts {
  std::string rules;  // behind kTemplates
  std::string decoders{kFieldDecoders};
  EngineOptions options = JudgingOptions();
  std::vector<std::pair<std::string, std::string>> lists = {};  // name, text
  bool templates = true;
};

// nullptr when there are errors; `problems` says which.
inline std::shared_ptr<const Ruleset> MakeRuleset(const Parts& parts, config::Problems& problems) {
  auto lists = std::make_unique<ListSet>();
  for (const auto& [name, text] : parts.lists) lists->Add(name, text);
  std::vector<config::Document> decoder_documents;
  decoder_documents.push_back(config::ParseDialect(parts.decoders, "etc/decoder.xml", problems));
  auto decoders = BuildDecoders(std::move(decoder_documents), parts.options, problems);
  std::vector<config::Document> documents;
  if (parts.templates) {
    documents.push_back(config::ParseDialect(kTemplates, "rules/rules_config.xml", problems));
  }
  documents.push_back(config::ParseDialect(parts.rules, "rules/local_rules.xml", problems));
  auto rules = BuildRules(std::move(documents), parts.options, *decoders, *lists, problems);
  if (problems.HasErrors()) return nullptr;
  return Ruleset::From(std::move(decoders), std::move(lists), std::move(rules), parts.options);
}

// An engine and what it says. Throws when the parts have errors.
class Judging {
 public:
  explicit Judging(const Parts& parts) {
    auto ruleset = MakeRuleset(parts, problems);
    if (ruleset == nullptr) throw std::runtime_error(ProblemText(problems));
    engine = std::make_unique<Engine>(std::move(ruleset), state);
  }
  explicit Judging(std::string_view rules) : Judging(Parts{.rules = std::string(rules)}) {}

  Verdict Judge(std::string_view line, base::Seconds time = 1000,
                std::string_view location = "/var/log/x", char kind = '1',
                Tracer* tracer = nullptr) {
    event.Reset();
    event.Assign(kind, location, line, time);
    engine->Decode(event);
    return engine->Judge(event, tracer);
  }

  // Id of the final rule, 0 = none.
  int Rule(std::string_view line, base::Seconds time = 1000,
           std::string_view location = "/var/log/x") {
    const Verdict verdict = Judge(line, time, location);
    return verdict.rule == nullptr ? 0 : verdict.rule->id;
  }

  // Ids for several lines, one blank between; one second apart.
  std::string Rules(const std::vector<std::string>& lines, base::Seconds time = 1000) {
    std::string ids;
    for (const std::string& line : lines) {
      if (!ids.empty()) ids += ' ';
      ids += std::to_string(Rule(line, time++));
    }
    return ids;
  }

  config::Problems problems;
  MemoryState state;
  std::unique_ptr<Engine> engine;
  Event event;
};

// "Feb  9 11:44:56 h PROGRAM[1]: TEXT"
inline std::string Syslog(std::string_view program, std::string_view text) {
  return fmt::format("Feb  9 11:44:56 h {}[1]: {}", program, text);
}

}  // namespace ospatrol::analysisd
