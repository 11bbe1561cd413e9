// <check_diff>: the output of a command differs from the last one of this host (4.10).
#include "analysisd/condition_factories.h"
#include "analysisd/rule.h"

namespace ospatrol::analysisd {
namespace {

// The agent's name when the host name is an agent's "(name) ip->location".
std::string_view OutputHost(std::string_view hostname) {
  if (!hostname.starts_with('(')) return hostname;
  const size_t close = hostname.find(')');
  return close == std::string_view::npos ? hostname : hostname.substr(1, close - 1);
}

class CheckDiffCondition : public Condition {
 public:
  bool Holds(const Event& event, ConditionContext& context) const override {
    const std::string_view host = OutputHost(event.hostname);
    std::optional<std::string> last = context.state.LastOutput(host, context.rule.id);
    if (last && *last == event.log) return false;
    context.state.StoreOutput(host, context.rule.id, event.log);
    if (!last) return false;
    context.last_events.clear();
    context.last_events.emplace_back("Previous output:");
    context.last_events.push_back(std::move(*last));
    return true;
  }
  bool Stores() const override { return true; }
  std::string_view element() const override { return "check_diff"; }
  std::string Describe(const Event&) const override {
    return "check_diff: no earlier output, or the same";
  }
};

}  // namespace

std::unique_ptr<const Condition> MakeCheckDiff(const ConditionInput&) {
  return std::make_unique<CheckDiffCondition>();
}

}  // namespace ospatrol::analysisd
