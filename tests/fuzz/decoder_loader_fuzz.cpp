// libraries: analysisd config pattern log base
// under test: analysisd/decoder_loader.cpp analysisd/decoder_draft.cpp
// Any file is loaded or refused with a message, and what was loaded decodes any line.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "analysisd/decoder_loader.h"
#include "analysisd/predecoder.h"
#include "config/dialect.h"

namespace {

using namespace ospatrol;  // NOLINT(google-build-using-namespace): one namespace, one file

constexpr std::string_view kLines[] = {"",
                                       "a",
                                       "alpha beta 42",
                                       "Feb  9 11:44:56 h p2: login u=bob i=1.2.3.4 z=9 x",
                                       "Feb  9 11:44:56 h par: a=1 b=2 c=3",
                                       R"({"a":{"b":1},"srcip":"1.2.3.4"})",
                                       "\xe2\x84\xaa \xff\xc3\xa4"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  config::Problems problems;
  std::vector<config::Document> documents;
  documents.push_back(config::ParseDialect(text, "decoder.xml", problems));
  const analysisd::EngineOptions options;
  const auto set = analysisd::BuildDecoders(std::move(documents), options, problems);
  if (set == nullptr) std::abort();
  for (const config::Problem& problem : problems.all()) {
    if (problem.text.empty() || problem.file.empty()) std::abort();
  }
  for (const auto& decoder : set->decoders()) {
    if (decoder->name.empty() || set->NameId(decoder->name) != decoder->name_id) std::abort();
  }
  static analysisd::Event event;
  for (const std::string_view line : kLines) {
    event.Assign('1', "x", line, 0);
    analysisd::Predecode(event, options);
    set->Decode(event);
    if (event.decoder != nullptr && event.decoder_name != event.decoder->name) std::abort();
    event.Reset();
  }
  return 0;
}
