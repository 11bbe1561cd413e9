// <decoded_as>: the name that the event's decoder goes by.
#include <fmt/format.h>

#include <utility>

#include "analysisd/condition_factories.h"
#include "analysisd/condition_pattern.h"
#include "analysisd/decoder_set.h"
#include "base/text.h"
#include "log/messages.h"

namespace ospatrol::analysisd {
namespace {

class DecodedAsCondition : public Condition {
 public:
  DecodedAsCondition(std::string name, int name_id) : name_(std::move(name)), name_id_(name_id) {}

  bool Holds(const Event& event, ConditionContext&) const override {
    return event.decoder != nullptr && event.decoder->name_id == name_id_;
  }
  bool IsDecoder() const override { return true; }
  std::string_view element() const override { return "decoded_as"; }
  std::string Describe(const Event& event) const override {
    return fmt::format("decoded_as {} against {}", Shown(name_), Shown(event.decoder_name));
  }
  int name_id() const { return name_id_; }

 private:
  std::string name_;
  int name_id_;
};

std::string NearestDecoder(const DecoderSet& decoders, std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& decoder : decoders.decoders()) names.push_back(decoder->name);
  return std::string(base::NearestName(name, names));
}

}  // namespace

std::unique_ptr<const Condition> MakeDecodedAs(const ConditionInput& input) {
  const std::string& name = input.last().content;
  const DecoderSet& decoders = input.scope.decoders;
  const int name_id = decoders.NameId(name);
  if (name_id == 0) {
    const std::string near = NearestDecoder(decoders, name);
    input.Error(msg::kInvalidValue.id, fmt::format("no decoder '{}'", base::EscapeControls(name)),
                near.empty() ? std::string("expected a name that a decoder file declares")
                             : fmt::format("did you mean '{}'?", near));
    return nullptr;
  }
  if (!decoders.IsNameInUse(name_id)) {
    input.Warning(fmt::format("'{}' names a child decoder that goes by its parent's name: the rule "
                              "never matches",
                              name),
                  "the parent's name, or <use_own_name>true</use_own_name> in the decoder");
  }
  return std::make_unique<DecodedAsCondition>(name, name_id);
}

int DecoderNameId(const Condition& condition) {
  const auto* decoded_as = dynamic_cast<const DecodedAsCondition*>(&condition);
  return decoded_as == nullptr ? 0 : decoded_as->name_id();
}

}  // namespace ospatrol::analysisd
