// libraries: secure
// under test: shared/secure/keys.cpp shared/secure/key_text.cpp
// client.keys and import strings: each entry is safe as a file name and found again; the same lines
// give the same table.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "secure/keys_file.h"

namespace {

using namespace ospatrol::secure;

void CheckEntry(const KeyTable& table, const AgentKey& agent) {
  if (table.Find(agent.id) != &agent || !table.IsTaken(agent.id)) std::abort();
  for (const std::string_view step : {std::string_view(agent.id), std::string_view(agent.name)}) {
    if (step.empty() || step == "." || step == ".." || step.find('/') != step.npos ||
        ospatrol::base::HasControlBytes(step)) {
      std::abort();
    }
  }
  if (agent.rule.NeedsId()) return;
  PeerAddress peer;
  peer.ip = agent.rule.network.address;
  if (!Allows(agent, peer) || table.FindByAddress(peer) == nullptr) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<KeyProblem> problems;
  const KeyTable table = ParseKeys(text, problems);
  std::string written;
  for (const AgentKey& agent : table.entries()) {
    CheckEntry(table, agent);
    written += FormatKeyLine(agent) + "\n";
  }
  problems.clear();
  const KeyTable again = ParseKeys(written, problems);
  if (!problems.empty() || again.size() != table.size()) std::abort();
  if (const auto id = FreeId(table); !id || table.IsTaken(*id)) std::abort();
  if (table.IsTaken(SuggestedId(table))) std::abort();

  const ImportedKey imported = ImportString(text);
  if (!imported.agent) {
    if (imported.reason.empty()) std::abort();
    return 0;
  }
  if (IdFault(imported.agent->id) || NameFault(imported.agent->name)) std::abort();
  const ImportedKey back = ImportString(ExportString(*imported.agent));
  if (!back.agent || FormatKeyLine(*back.agent) != FormatKeyLine(*imported.agent)) std::abort();
  return 0;
}
