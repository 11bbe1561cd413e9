// libraries: analysisd
// under test: analysisd/rule_loader.cpp analysisd/rule_draft.cpp analysisd/rule_compiler.cpp
// A file of rules, as a user writes it: loads or is refused with problems, and what loads judges
// events.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "analysisd/decoder_loader.h"
#include "analysisd/engine.h"
#include "analysisd/list_set.h"
#include "analysisd/memory_state.h"
#include "analysisd/rule_loader.h"
#include "config/dialect.h"

namespace {

using namespace ospatrol;             // NOLINT: a fuzz target
using namespace ospatrol::analysisd;  // NOLINT

constexpr std::string_view kDecoders = R"(
<decoder name="sshd"><program_name>^sshd</program_name></decoder>
<decoder name="sshd-1"><parent>sshd</parent><regex>for (\S+) from (\S+)</regex><order>user, srcip</order><fts>name, user</fts></decoder>
<decoder name="fw"><prematch>^fw </prematch><type>firewall</type><regex offset="after_prematch">(\S+) (\S+)</regex><order>action, url</order></decoder>
)";

std::unique_ptr<DecoderSet> MakeDecoders() {
  config::Problems problems;
  std::vector<config::Document> documents;
  documents.push_back(config::ParseDialect(kDecoders, "decoder.xml", problems));
  return BuildDecoders(std::move(documents), EngineOptions(), problems);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  EngineOptions options;
  options.overwrite_compat = size % 2 == 1;
  config::Problems problems;
  auto decoders = MakeDecoders();
  auto lists = std::make_unique<ListSet>();
  lists->Add("rules/bad", "10.:x\nroot:admin\n");
  std::vector<config::Document> documents;
  documents.push_back(config::ParseDialect(text, "rules/fuzz.xml", problems));
  auto rules = BuildRules(std::move(documents), options, *decoders, *lists, problems);
  if (problems.HasErrors()) return 0;

  MemoryState state;
  Engine engine(Ruleset::From(std::move(decoders), std::move(lists), std::move(rules), options),
                state);
  Event event;
  base::Seconds time = 1'700'000'000;
  for (const std::string_view line :
       {"Feb  9 11:44:56 h sshd[1]: Failed password for root from 10.1.2.3 port 22",
        "Feb  9 11:44:56 h sshd[1]: Failed password for root from 10.1.2.3 port 23",
        "Feb  9 11:44:56 h sshd[1]: Accepted password for bob from 2001:db8::7 port 22",
        "fw drop /index.html", "a line that nobody knows"}) {
    event.Reset();
    event.Assign('1', "/var/log/x", line, time++);
    engine.Decode(event);
    engine.Judge(event);
  }
  engine.Restore(engine.Save());
  return 0;
}
