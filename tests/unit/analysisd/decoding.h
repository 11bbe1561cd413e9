// Shared by the tests of decoding: decoders from a text, an event from a line, its fields as one
// line.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../problem_lines.h"
#include "analysisd/decoder_loader.h"
#include "analysisd/predecoder.h"
#include "config/dialect.h"

namespace ospatrol::analysisd {

inline const EngineOptions& TestOptions() {
  static const EngineOptions options = [] {
    EngineOptions made;
    made.server_name = "manager";
    return made;
  }();
  return options;
}

inline std::unique_ptr<DecoderSet> Decoders(std::string_view xml, config::Problems& problems,
                                            const EngineOptions& options = TestOptions()) {
  std::vector<config::Document> documents;
  documents.push_back(config::ParseDialect(xml, "etc/decoder.xml", problems));
  return BuildDecoders(std::move(documents), options, problems);
}

inline std::string FieldLine(const Event& event) {
  constexpr std::array<std::string_view, kFieldCount> kNames = {
      "srcuser", "dstuser", "srcip", "dstip",  "srcport",    "dstport",  "protocol", "action",
      "id",      "url",     "data",  "status", "systemname", "filename", "srcgeoip", "dstgeoip"};
  std::string line;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!line.empty()) line += ' ';
    line.append(name).append("=").append(value);
  };
  for (size_t i = 0; i < kFieldCount; ++i) {
    const std::string_view value = event.Get(static_cast<Field>(i));
    if (IsSet(value)) add(kNames[i], value);
  }
  for (const auto& [name, value] : event.dynamic_fields) add(name, value);
  return line;
}

inline void Receive(Event& event, std::string_view text, std::string_view location = "/var/log/x",
                    char kind = '1', base::Seconds time = 1000) {
  event.Assign(kind, location, text, time);
  Predecode(event, TestOptions());
}

}  // namespace ospatrol::analysisd
