// The attribute `maxsize`, which in spite of its name is a minimum.
#include <fmt/format.h>

#include "analysisd/condition_factories.h"

namespace ospatrol::analysisd {
namespace {

class MaxSizeCondition : public Condition {
 public:
  explicit MaxSizeCondition(int bytes) : bytes_(static_cast<size_t>(bytes)) {}

  bool Holds(const Event& event, ConditionContext&) const override {
    return event.log.size() >= bytes_;
  }
  std::string_view element() const override { return "maxsize"; }
  std::string Describe(const Event& event) const override {
    return fmt::format("maxsize: at least {} bytes against {}", bytes_, event.log.size());
  }

 private:
  size_t bytes_;
};

}  // namespace

std::unique_ptr<const Condition> MakeMaxSize(int bytes) {
  return std::make_unique<MaxSizeCondition>(bytes);
}

}  // namespace ospatrol::analysisd
