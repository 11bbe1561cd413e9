#include "analysisd/decoder_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "analysisd/decoder_draft.h"
#include "base/text.h"
#include "config/rule_files.h"
#include "config/show.h"
#include "log/messages.h"

namespace ospatrol::analysisd {

// Puts one decoder after the other into a set: parents, chains, names.
class DecoderLoader {
 public:
  DecoderLoader(const EngineOptions& options, config::Problems& problems)
      : options_(options), problems_(problems), set_(std::make_unique<DecoderSet>()) {}

  void Add(config::Document document) {
    config::ExpandVariables(document, problems_);
    for (const config::Element& root : document.roots) {
      if (root.name == "decoder") {
        AddDecoder(root, document.file);
      } else {
        problems_.Error(msg::kInvalidElement.id, document.file, root.line,
                        fmt::format("<{}> in a decoder file", config::Show(root.name)),
                        "expected <decoder name=\"...\">");
      }
    }
  }

  void OpenGeoIp(const Home& home, const std::string& file) {
    if (file.empty()) return;
    std::string reason;
    set_->geoip_ = GeoIp::Open(home / file, &reason);
    if (set_->geoip_ == nullptr) {
      problems_.Warning(msg::kGeoIpUnusable.id, file, 0,
                        fmt::format("<geoipdb> is not used: {}", reason),
                        "a MaxMind database with countries or cities");
    }
  }

  std::unique_ptr<DecoderSet> Finish() {
    for (const auto& decoder : set_->decoders_) {
      const bool own_name = decoder->parents.empty() || own_names_.contains(decoder.get());
      decoder->name = own_name ? decoder->declared_name : decoder->parents.front()->declared_name;
      set_->Intern(decoder->declared_name);
      decoder->name_id = set_->Intern(decoder->name);
    }
    set_->BuildIndex();
    return std::move(set_);
  }

 private:
  void AddDecoder(const config::Element& element, const std::string& file) {
    DecoderDraft draft = ReadDecoder(element, file, options_, problems_);
    const std::string name = draft.decoder->declared_name;
    const auto parents = draft.has_parent ? FindParents(draft) : std::vector<Decoder*>();
    if (!draft.valid || (draft.has_parent && parents.empty())) {
      failed_.insert(name);
      return;
    }
    if (!parents.empty() && !FitsSiblings(draft, *parents.front())) {
      failed_.insert(name);
      return;
    }
    Insert(std::move(draft), parents);
  }

  void Error(const log::Message& message, const Decoder& decoder, std::string text,
             std::string remedy = {}) {
    problems_.Error(message.id, decoder.file, decoder.line,
                    fmt::format("decoder '{}': {}", config::Show(decoder.declared_name), text),
                    std::move(remedy));
  }

  // All top-level decoders of that name so far. A parent that failed itself is not reported again.
  std::vector<Decoder*> FindParents(const DecoderDraft& draft) {
    std::vector<Decoder*> parents;
    bool is_child = false;
    for (const auto& decoder : set_->decoders_) {
      if (decoder->declared_name != draft.parent) continue;
      if (decoder->parents.empty()) {
        parents.push_back(decoder.get());
      } else {
        is_child = true;
      }
    }
    if (!parents.empty() || failed_.contains(draft.parent)) return parents;
    if (is_child) {
      Error(msg::kDecoderParent, *draft.decoder,
            fmt::format("parent '{}' has a parent itself", config::Show(draft.parent)),
            "expected a decoder without <parent>: decoders are two levels deep");
    } else {
      Error(msg::kDecoderParent, *draft.decoder,
            fmt::format("no decoder '{}' before this one", config::Show(draft.parent)),
            NearestParent(draft.parent));
    }
    return parents;
  }

  std::string NearestParent(std::string_view name) const {
    std::vector<std::string_view> names;
    for (const auto& decoder : set_->decoders_) {
      if (decoder->parents.empty()) names.push_back(decoder->declared_name);
    }
    const std::string_view nearest = base::NearestName(name, names);
    if (nearest.empty()) return "expected the name of a decoder without <parent>, loaded earlier";
    return fmt::format("did you mean '{}'?", nearest);
  }

  // A child of the same name as an earlier one continues it (3.4).
  bool FitsSiblings(const DecoderDraft& draft, const Decoder& parent) {
    const Decoder& decoder = *draft.decoder;
    const auto earlier = std::find_if(
        parent.children.rbegin(), parent.children.rend(),
        [&](const Decoder* child) { return child->declared_name == decoder.declared_name; });
    const bool continues = earlier != parent.children.rend();
    const size_t errors_before = problems_.error_count();
    if (decoder.regex_offset == Offset::kAfterRegex &&
        !(continues && ((*earlier)->regex || (*earlier)->prematch))) {
      Error(msg::kDecoderOffset, decoder,
            "offset after_regex without an earlier decoder of the same name and parent",
            "expected a decoder with a pattern before it, or after_prematch");
    }
    if (!continues) return problems_.error_count() == errors_before;
    if (decoder.prematch) {
      Error(msg::kDecoderSiblingPrematch, decoder,
            "continues a decoder of the same name and cannot have a <prematch>",
            "expected the <prematch> in the first of them only, or another name");
    }
    if (decoder.fts != 0) {
      Error(msg::kDecoderSiblingFts, decoder,
            "continues a decoder of the same name and cannot have <fts>",
            "expected the <fts> in the first of them only, or another name");
    }
    if (!decoder.regex || !(*earlier)->regex || IsPcre2(decoder) != IsPcre2(**earlier)) {
      Error(msg::kDecoderSiblingKind, decoder,
            fmt::format("continues the decoder of the same name in {}:{} and needs a pattern of "
                        "the same kind",
                        (*earlier)->file, (*earlier)->line),
            "expected <regex> after <regex>, <pcre2> after <pcre2>");
    }
    return problems_.error_count() == errors_before;
  }

  static bool IsPcre2(const Decoder& decoder) {
    return decoder.regex.pattern->language() == pattern::Language::kPcre2;
  }

  void Insert(DecoderDraft draft, const std::vector<Decoder*>& parents) {
    Decoder& decoder = *draft.decoder;
    decoder.id = static_cast<int>(set_->decoders_.size()) + 1;
    if (draft.use_own_name) own_names_.insert(&decoder);
    for (Decoder* parent : parents) {
      for (const Decoder* sibling : parent->children) {
        if (sibling->declared_name == decoder.declared_name) Mutable(*sibling).get_next = true;
      }
      parent->children.push_back(&decoder);
      decoder.parents.push_back(parent);
    }
    set_->decoders_.push_back(std::move(draft.decoder));
  }

  Decoder& Mutable(const Decoder& decoder) {
    return *set_->decoders_[static_cast<size_t>(decoder.id) - 1];
  }

  const EngineOptions& options_;
  config::Problems& problems_;
  std::unique_ptr<DecoderSet> set_;
  std::set<const Decoder*> own_names_;
  std::set<std::string, std::less<>> failed_;  // names of decoders with errors
};

std::unique_ptr<DecoderSet> LoadDecoders(const Home& home,
                                         const config::Configuration& configuration,
                                         const EngineOptions& options, config::Problems& problems) {
  DecoderLoader loader(options, problems);
  const auto files =
      config::ExpandRuleFiles(home, configuration.rules, config::RuleFileKind::kDecoders, problems);
  for (const config::RulesSection::File& file : files) {
    loader.Add(config::ReadRuleFile(home, file, problems));
  }
  loader.OpenGeoIp(home, configuration.global.geoipdb);
  return loader.Finish();
}

std::unique_ptr<DecoderSet> BuildDecoders(std::vector<config::Document> documents,
                                          const EngineOptions& options,
                                          config::Problems& problems) {
  DecoderLoader loader(options, problems);
  for (config::Document& document : documents) loader.Add(std::move(document));
  return loader.Finish();
}

}  // namespace ospatrol::analysisd
