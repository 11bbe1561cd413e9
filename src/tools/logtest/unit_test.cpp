#include "logtest/unit_test.h"

#include <string>

#include "analysisd/rule.h"
#include "base/text.h"

namespace ospatrol::logtest {

int Compare(const Expectation& expected, const analysisd::Event& event,
            const analysisd::Verdict& verdict) {
  if (event.decoder == nullptr && expected.decoder != kNoDecoder) return kDecoderDiffers;
  if (event.decoder != nullptr && !base::EqualsIgnoreCase(event.decoder_name, expected.decoder)) {
    return kDecoderDiffers;
  }
  if (verdict.rule == nullptr) return kNoRule;
  if (std::to_string(verdict.rule->id) != expected.rule) return kRuleDiffers;
  return std::to_string(verdict.rule->level) == expected.level ? kSame : kLevelDiffers;
}

}  // namespace ospatrol::logtest
