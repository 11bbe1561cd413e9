// Decoders written in code: <plugin_decoder>. One file plugin_<name>.cpp each and one line in
// plugin_registry.cpp.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "analysisd/decoder.h"
#include "analysisd/event.h"

namespace ospatrol::analysisd {

// Finds a loaded rule by its id; nullptr when there is none.
using RuleFinder = std::function<const Rule*(int id)>;

struct PluginContext {
  const Decoder& decoder;       // that names the plugin
  std::string_view input;       // log, from where `offset` says
  const RuleFinder& find_rule;  // may be empty
};

struct Plugin {
  std::string_view name;
  // Sets what it finds; stops silently at the first thing that does not fit. Thread-safe; does not
  // throw.
  void (*run)(Event& event, const PluginContext& context);
};

std::span<const Plugin> Plugins();
// nullptr when there is none of that name (case matters).
const Plugin* FindPlugin(std::string_view name);

void DecodePf(Event& event, const PluginContext& context);
void DecodeSymantecWs(Event& event, const PluginContext& context);
void DecodeSonicWall(Event& event, const PluginContext& context);
void DecodeOssecAlert(Event& event, const PluginContext& context);
void DecodeJson(Event& event, const PluginContext& context);

}  // namespace ospatrol::analysisd
