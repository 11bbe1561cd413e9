// <srcip>, <dstip>: ordered lists of networks (2.9).
#include <fmt/format.h>

#include <utility>

#include "analysisd/condition_factories.h"
#include "analysisd/condition_pattern.h"
#include "base/text.h"
#include "log/messages.h"
#include "pattern/ip_list.h"

namespace ospatrol::analysisd {
namespace {

class AddressCondition : public Condition {
 public:
  AddressCondition(std::string_view element, Field field, pattern::IpList list, std::string text,
                   bool negated)
      : element_(element),
        field_(field),
        list_(std::move(list)),
        text_(std::move(text)),
        negated_(negated) {}

  bool Holds(const Event& event, ConditionContext&) const override {
    const std::string_view address = event.Get(field_);
    if (!IsSet(address)) return false;
    if (!negated_) return list_.MatchesRule(address);
    return pattern::ParseAddress(address).has_value() && !list_.MatchesRule(address);
  }
  std::string_view element() const override { return element_; }
  std::string Describe(const Event& event) const override {
    return fmt::format("{} {}{} against {}", element_, negated_ ? "not " : "", Shown(text_),
                       Shown(event.Get(field_)));
  }

 private:
  std::string_view element_;
  Field field_;
  pattern::IpList list_;
  std::string text_;
  bool negated_;
};

std::unique_ptr<const Condition> Make(const ConditionInput& input, Field field) {
  pattern::IpList list;
  std::string text;
  bool valid = true;
  for (const config::Element* element : input.elements) {
    const auto network = pattern::IpNetwork::Parse(base::Trim(element->content));
    if (!network) {
      input.scope.Error(msg::kRuleAddress.id, element->line,
                        fmt::format("<{}>: '{}' is no address", input.name(),
                                    base::EscapeControls(element->content)),
                        "expected [!] address [/length], IPv4 or IPv6, or any");
      valid = false;
      continue;
    }
    list.Add(*network);
    if (!text.empty()) text += ' ';
    text += element->content;
  }
  if (!valid) return nullptr;
  return std::make_unique<AddressCondition>(input.name(), field, std::move(list), std::move(text),
                                            ReadNegate(input));
}

}  // namespace

std::unique_ptr<const Condition> MakeSourceAddress(const ConditionInput& input) {
  return Make(input, Field::kSrcIp);
}

std::unique_ptr<const Condition> MakeDestinationAddress(const ConditionInput& input) {
  return Make(input, Field::kDstIp);
}

}  // namespace ospatrol::analysisd
