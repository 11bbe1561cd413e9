// libraries: config base
// under test: shared/config/configuration.cpp shared/config/option.cpp shared/config/section_global.cpp shared/config/section_rules.cpp shared/config/section_localfile.cpp shared/config/section_command.cpp shared/config/section_active_response.cpp
// Any file as ospatrol.conf, for every program: each problem is one line with its place and its
// number.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/ar_conf.h"
#include "config/configuration.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ospatrol::config;
  Problems syntax;
  const Document document =
      ParseDialect({reinterpret_cast<const char*>(data), size}, "input", syntax);
  if (syntax.HasErrors()) return 0;
  for (const Reader reader : {Reader::kAnalysisd, Reader::kLogcollector, Reader::kExecd,
                              Reader::kMaild, Reader::kTools}) {
    Problems problems;
    const Configuration configuration = ReadConfiguration(document, reader, problems);
    for (const Problem& problem : problems.all()) {
      if (problem.id == 0 || problem.Line().find('\n') != std::string::npos) std::abort();
    }
    if (BuildArConf(configuration).empty()) std::abort();
  }
  return 0;
}
