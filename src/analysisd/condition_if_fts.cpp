// <if_fts>: the first event of this kind (4.11). Asking stores the answer, so the place in the
// order matters.
#include "analysisd/condition_factories.h"
#include "analysisd/first_seen.h"

namespace ospatrol::analysisd {
namespace {

class IfFtsCondition : public Condition {
 public:
  bool Holds(const Event& event, ConditionContext& context) const override {
    return context.first_seen.Test(event, context.state);
  }
  bool Stores() const override { return true; }
  std::string_view element() const override { return "if_fts"; }
  std::string Describe(const Event&) const override {
    return "if_fts: seen before, or the decoder has no <fts>";
  }
};

}  // namespace

std::unique_ptr<const Condition> MakeIfFts(const ConditionInput&) {
  return std::make_unique<IfFtsCondition>();
}

}  // namespace ospatrol::analysisd
