#include <algorithm>
#include <array>

#include "analysisd/plugin.h"

namespace ospatrol::analysisd {
namespace {

constexpr std::array kPlugins = {
    Plugin{"PF_Decoder", DecodePf},
    Plugin{"SymantecWS_Decoder", DecodeSymantecWs},
    Plugin{"SonicWall_Decoder", DecodeSonicWall},
    Plugin{"OSSECAlert_Decoder", DecodeOssecAlert},
    Plugin{"JSON_Decoder", DecodeJson},
};

}  // namespace

std::span<const Plugin> Plugins() { return kPlugins; }

const Plugin* FindPlugin(std::string_view name) {
  const auto* found = std::find_if(kPlugins.begin(), kPlugins.end(),
                                   [&](const Plugin& plugin) { return plugin.name == name; });
  return found == kPlugins.end() ? nullptr : found;
}

}  // namespace ospatrol::analysisd
