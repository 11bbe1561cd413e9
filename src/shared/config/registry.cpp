#include "config/registry.h"

#include <algorithm>
#include <array>

namespace ospatrol::config {
namespace {

constexpr unsigned Bit(Reader reader) { return 1U << static_cast<unsigned>(reader); }

constexpr unsigned kNobody = 0;
constexpr unsigned kEngine = Bit(Reader::kAnalysisd) | Bit(Reader::kTools);

constexpr SectionRow kSections[] = {
    {"global", "analysisd, maild, monitord", ReadGlobal, kEngine | Bit(Reader::kMaild)},
    {"rules", "analysisd, dbd", ReadRules, kEngine},
    {"alerts", "analysisd", ReadAlerts, kEngine},
    {"syscheck", "syscheckd, analysisd", ReadSyscheckManager, kEngine},
    {"localfile", "logcollector", ReadLocalFile, Bit(Reader::kLogcollector)},
    {"command", "analysisd", ReadCommand, Bit(Reader::kAnalysisd)},
    {"active-response", "analysisd, execd", ReadActiveResponse,
     Bit(Reader::kAnalysisd) | Bit(Reader::kExecd)},
    {"ruleset", "analysisd, dbd", RefuseRuleset, kEngine},
    {"rule_test", "analysisd", nullptr, kNobody},
    {"rootcheck", "syscheckd", nullptr, kNobody},
    {"sca", "syscheckd", nullptr, kNobody},
    {"email_alerts", "maild", nullptr, kNobody},
    {"database_output", "dbd", nullptr, kNobody},
    {"syslog_output", "csyslogd", nullptr, kNobody},
    {"output", "outputd", nullptr, kNobody},
    {"reports", "monitord", nullptr, kNobody},
    {"agentless", "agentlessd", nullptr, kNobody},
    {"remote", "remoted", ReadRemote, Bit(Reader::kRemoted)},
    {"client", "agentd", ReadClient, Bit(Reader::kAgentd)},
    {"labels", "agentd", nullptr, kNobody},
};

constexpr auto kNames = [] {
  std::array<std::string_view, std::size(kSections)> names;
  std::ranges::transform(kSections, names.begin(), &SectionRow::name);
  return names;
}();

}  // namespace

const SectionRow* FindSection(std::string_view name) {
  const auto* found = std::ranges::find(kSections, name, &SectionRow::name);
  return found == std::end(kSections) ? nullptr : found;
}

std::span<const std::string_view> SectionNames() { return kNames; }

bool Interprets(const SectionRow& row, Reader reader) {
  return row.read != nullptr && (row.readers & Bit(reader)) != 0;
}

}  // namespace ospatrol::config
