// The three phases, as the reference prints them (rules-and-decoders 7.3). Text goes to standard
// error.
#pragma once

#include <string>

#include "analysisd/engine.h"

namespace ospatrol::logtest {

// "**Phase 1 ...", "**Phase 2 ...".
void AppendDecoding(const analysisd::Event& event, std::string& out);

// "**Phase 3 ..."; nothing when no rule matched.
void AppendVerdict(const analysisd::Verdict& verdict, std::string& out);

// -v: "**Rule debugging:" and each rule tried.
class TextTracer : public analysisd::Tracer {
 public:
  explicit TextTracer(std::string& out);
  void Trying(const analysisd::Rule& rule) override;
  void Failed(const analysisd::Rule& rule, std::string_view condition,
              std::string_view detail) override;
  void Matched(const analysisd::Rule& rule, bool has_children) override;

 private:
  std::string& out_;
};

}  // namespace ospatrol::logtest
