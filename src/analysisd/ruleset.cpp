#include "analysisd/ruleset.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "analysisd/candidate_index.h"
#include "analysisd/decoder_loader.h"
#include "analysisd/decoder_set.h"
#include "analysisd/list_set.h"
#include "analysisd/rule_loader.h"
#include "analysisd/rule_set.h"
#include "analysisd/rule_walk.h"

namespace ospatrol::analysisd {
namespace {

constexpr std::string_view kUnknownHost = "ospatrol-server";

// The manager's name up to the first dot (1.4).
std::string ShortHostName() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') {
    return std::string(kUnknownHost);
  }
  const std::string_view full = name.data();
  return std::string(full.substr(0, full.find('.')));
}

}  // namespace

EngineOptions EngineOptions::From(const config::Configuration& configuration,
                                  const config::InternalOptions& internal) {
  const auto number = [&](std::string_view key) { return static_cast<int>(internal.Get(key)); };
  EngineOptions options;
  options.default_timeframe = number("analysisd.default_timeframe");
  options.fts_list_size = number("analysisd.fts_list_size");
  options.fts_min_size_for_str = number("analysisd.fts_min_size_for_str");
  options.log_fw = number("analysisd.log_fw") != 0;
  options.decoder_order_size = number("analysisd.decoder_order_size");
  options.sid_prev_matched_max = number("analysisd.sid_prev_matched_max");
  options.predecode_extended = number("analysisd.predecode_extended") != 0;
  options.overwrite_compat = number("analysisd.overwrite_compat") != 0;
  options.repeat_filter = number("analysisd.repeat_filter") != 0;
  options.search_texts = number("analysisd.prefilter") != 0;
  options.memory_size = configuration.global.memory_size;
  options.log_alert_level = configuration.alerts.log_alert_level;
  options.email_alert_level = configuration.alerts.email_alert_level;
  options.syscheck_auto_ignore = configuration.syscheck.auto_ignore;
  options.syscheck_alert_new_files = configuration.syscheck.alert_new_files;
  options.syscheck_ignore = configuration.syscheck.ignore;
  options.server_name = ShortHostName();
  return options;
}

Ruleset::Ruleset() = default;
Ruleset::~Ruleset() = default;

std::shared_ptr<const Ruleset> Ruleset::Load(const Home& home,
                                             const config::Configuration& configuration,
                                             const config::InternalOptions& internal,
                                             config::Problems& problems) {
  EngineOptions options = EngineOptions::From(configuration, internal);
  const size_t errors = problems.error_count();
  auto lists = ListSet::Load(home, configuration, problems);
  auto decoders = LoadDecoders(home, configuration, options, problems);
  auto rules = LoadRules(home, configuration, options, *decoders, *lists, problems);
  if (problems.error_count() != errors) return nullptr;
  return From(std::move(decoders), std::move(lists), std::move(rules), std::move(options));
}

std::shared_ptr<const Ruleset> Ruleset::From(std::unique_ptr<DecoderSet> decoders,
                                             std::unique_ptr<ListSet> lists,
                                             std::unique_ptr<RuleSet> rules,
                                             EngineOptions options) {
  std::shared_ptr<Ruleset> set(new Ruleset);
  set->decoders_ = std::move(decoders);
  set->lists_ = std::move(lists);
  set->rules_ = std::move(rules);
  set->options_ = std::move(options);
  set->walk_ = std::make_unique<const RuleWalk>(set->rules_->tree());
  set->index_ = std::make_unique<const CandidateIndex>(*set->decoders_, set->rules_->tree(),
                                                       set->options_.search_texts);
  set->decoders_->SetRuleFinder([found = set->rules_.get()](int id) { return found->Find(id); });
  return set;
}

}  // namespace ospatrol::analysisd
