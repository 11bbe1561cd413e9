// libraries: analysisd
// under test: analysisd/correlator.cpp analysisd/correlator_state.cpp analysisd/state_bytes.h
// The state that the engine saves at a stop, as a damaged disk may give it back: refused or taken,
// and then still sound.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysisd/decoder_set.h"
#include "analysisd/engine.h"
#include "analysisd/list_set.h"
#include "analysisd/memory_state.h"
#include "analysisd/rule_loader.h"
#include "config/dialect.h"

namespace {

using namespace ospatrol;             // NOLINT: a fuzz target
using namespace ospatrol::analysisd;  // NOLINT

constexpr std::string_view kRules = R"(<group name="base,">
<rule id="1" level="0" noalert="1"><category>syslog</category><description>syslog</description></rule>
<rule id="101" level="5" ignore="0"><match>x</match><description>one</description></rule>
<rule id="102" level="10" frequency="1" timeframe="100"><if_matched_sid>101</if_matched_sid><same_source_ip/><description>two</description></rule>
<rule id="103" level="9" frequency="2" timeframe="500"><if_matched_group>base</if_matched_group><different_url/><description>three</description></rule>
<rule id="104" level="8" frequency="1"><if_sid>101</if_sid><if_matched_regex>x\d</if_matched_regex><same_field>f</same_field><description>four</description></rule>
<rule id="105" level="4" ignore="60"><match>y</match><description>five</description></rule>
</group>)";

std::shared_ptr<const Ruleset> MakeRuleset() {
  config::Problems problems;
  auto decoders = std::make_unique<DecoderSet>();
  auto lists = std::make_unique<ListSet>();
  EngineOptions options;
  options.repeat_filter = false;
  std::vector<config::Document> documents;
  documents.push_back(config::ParseDialect(kRules, "rules.xml", problems));
  auto rules = BuildRules(std::move(documents), options, *decoders, *lists, problems);
  if (problems.HasErrors()) std::abort();
  return Ruleset::From(std::move(decoders), std::move(lists), std::move(rules), options);
}

void JudgeSome(Engine& engine) {
  Event event;
  for (int i = 0; i < 8; ++i) {
    event.Reset();
    event.Assign('1', "/x", i % 3 == 2 ? "y" : "x1", 1'000'000 + i * 20);
    engine.Decode(event);
    event.Set(Field::kSrcIp, i % 2 == 0 ? "10.0.0.1" : "10.0.0.2");
    event.Set(Field::kUrl, i % 2 == 0 ? "/a" : "/b");
    event.SetDynamic("f", "v");
    engine.Judge(event);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::shared_ptr<const Ruleset> ruleset = MakeRuleset();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  MemoryState state;
  Engine engine(ruleset, state);
  const std::string before = engine.Save();
  if (!engine.Restore(bytes)) {
    if (engine.Save() != before) std::abort();
    return 0;
  }
  // What was taken is written as it was understood, and understood again.
  const std::string taken = engine.Save();
  Engine again(ruleset, state);
  if (!again.Restore(taken) || again.Save() != taken) std::abort();
  JudgeSome(engine);
  return 0;
}
