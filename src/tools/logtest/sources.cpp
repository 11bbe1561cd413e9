#include "logtest/sources.h"

#include <utility>

#include "analysisd/decoder_loader.h"
#include "analysisd/decoder_set.h"
#include "analysisd/list_set.h"
#include "analysisd/rule_loader.h"
#include "analysisd/rule_set.h"
#include "config/rule_files.h"

namespace ospatrol::logtest {
namespace {

std::vector<config::Document> ReadAll(const Home& home, const config::RulesSection& section,
                                      config::RuleFileKind kind) {
  config::Problems told_before;
  std::vector<config::Document> documents;
  for (const auto& file : config::ExpandRuleFiles(home, section, kind, told_before)) {
    documents.push_back(config::ReadRuleFile(home, file, told_before));
    config::ExpandVariables(documents.back(), told_before);
  }
  return documents;
}

// As the reference tells them: the two files that are read by default have no line each.
std::vector<std::string> DecoderFileNames(const Home& home, const config::RulesSection& section) {
  config::Problems told_before;
  std::vector<std::string> names;
  for (const auto& file :
       config::ExpandRuleFiles(home, section, config::RuleFileKind::kDecoders, told_before)) {
    const bool by_default = file.origin.file.empty();
    if (!by_default) names.push_back(file.path);
    if (by_default && file.path == paths::kLocalDecoders) names.emplace_back();
  }
  return names;
}

}  // namespace

Sources::Sources(Home home, config::Configuration configuration, config::InternalOptions internal)
    : home_(std::move(home)),
      configuration_(std::move(configuration)),
      internal_(std::move(internal)),
      decoder_files_(DecoderFileNames(home_, configuration_.rules)) {}

std::optional<Sources> Sources::Read(const Options& options, config::Problems& problems) {
  const Home home(options.prefix);
  config::Configuration configuration = config::LoadConfiguration(
      options.configuration, options.configuration.string(), config::Reader::kTools, problems);
  config::InternalOptions internal = config::InternalOptions::Load(home, problems);
  internal.Set("analysisd.repeat_filter", 0);  // the same line typed twice is to be judged twice
  if (problems.HasErrors()) return std::nullopt;
  return Sources(home, std::move(configuration), std::move(internal));
}

std::shared_ptr<const analysisd::Ruleset> Sources::Load(config::Problems& problems) const {
  return analysisd::Ruleset::Load(home_, configuration_, internal_, problems);
}

std::shared_ptr<const analysisd::Ruleset> Sources::LoadWith(std::vector<config::Document> documents,
                                                            config::Problems& problems) const {
  auto options = analysisd::EngineOptions::From(configuration_, internal_);
  auto lists = analysisd::ListSet::Load(home_, configuration_, problems);
  auto decoders = analysisd::LoadDecoders(home_, configuration_, options, problems);
  auto rules = analysisd::BuildRules(std::move(documents), options, *decoders, *lists, problems);
  if (problems.HasErrors()) return nullptr;
  return analysisd::Ruleset::From(std::move(decoders), std::move(lists), std::move(rules),
                                  std::move(options));
}

Documents Sources::ReadDocuments() const {
  return {ReadAll(home_, configuration_.rules, config::RuleFileKind::kDecoders),
          ReadAll(home_, configuration_.rules, config::RuleFileKind::kRules)};
}

}  // namespace ospatrol::logtest
