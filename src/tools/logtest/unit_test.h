// -U: how a verdict differs from what was expected, as an exit code (rules-and-decoders 7.4). Also
// the yardstick of rule test files.
#pragma once

#include <string_view>

#include "analysisd/engine.h"
#include "logtest/options.h"

namespace ospatrol::logtest {

inline constexpr int kSame = 0;
inline constexpr int kLevelDiffers = 1;
inline constexpr int kRuleDiffers = 2;
inline constexpr int kDecoderDiffers = 3;  // or none
inline constexpr int kNoRule = 255;        // decoder equal, but no rule matched

// As a decoder name: that none matches. The reference cannot expect this.
inline constexpr std::string_view kNoDecoder = "(null)";

// Texts are compared ignoring case; "05" is not "5".
int Compare(const Expectation& expected, const analysisd::Event& event,
            const analysisd::Verdict& verdict);

}  // namespace ospatrol::logtest
