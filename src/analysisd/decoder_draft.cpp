#include "analysisd/decoder_draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "analysisd/plugin.h"
#include "base/text.h"
#include "config/show.h"
#include "log/messages.h"

namespace ospatrol::analysisd {
namespace {

using pattern::Language;

constexpr size_t kMaxText = 20480;
constexpr size_t kMaxFts = 8;

// Texts of one kind of element, joined.
struct Pieces {
  std::string text;
  int line = 0;  // of the first; 0 = there is none
  Offset offset = Offset::kNone;
};

struct CategoryName {
  std::string_view name;
  Category category;
};
constexpr std::array<CategoryName, 8> kCategories = {
    {{"syslog", Category::kSyslog},
     {"firewall", Category::kFirewall},
     {"ids", Category::kIds},
     {"web-log", Category::kWebLog},
     {"squid", Category::kSquid},
     {"windows", Category::kWindows},
     {"host-information", Category::kHostInformation},
     {"ossec", Category::kOssec}}};

struct FieldName {
  std::string_view name;
  Field field;
};
constexpr std::array<FieldName, 16> kFields = {{{"srcuser", Field::kSrcUser},
                                                {"dstuser", Field::kDstUser},
                                                {"user", Field::kDstUser},
                                                {"srcip", Field::kSrcIp},
                                                {"dstip", Field::kDstIp},
                                                {"srcport", Field::kSrcPort},
                                                {"dstport", Field::kDstPort},
                                                {"protocol", Field::kProtocol},
                                                {"action", Field::kAction},
                                                {"id", Field::kId},
                                                {"url", Field::kUrl},
                                                {"data", Field::kData},
                                                {"extra_data", Field::kData},
                                                {"status", Field::kStatus},
                                                {"system_name", Field::kSystemName},
                                                {"filename", Field::kFilename}}};

struct FtsName {
  std::string_view name;
  FtsField bit;
};
// The first that occurs in the token decides.
constexpr std::array<FtsName, 10> kFtsNames = {{{"srcuser", kFtsSrcUser},
                                                {"user", kFtsDstUser},
                                                {"srcip", kFtsSrcIp},
                                                {"dstip", kFtsDstIp},
                                                {"id", kFtsId},
                                                {"location", kFtsLocation},
                                                {"data", kFtsData},
                                                {"extra_data", kFtsData},
                                                {"system_name", kFtsSystemName},
                                                {"name", kFtsName}}};

constexpr std::array<std::string_view, 16> kElements = {"parent",
                                                        "program_name",
                                                        "program_name_pcre2",
                                                        "prematch",
                                                        "prematch_pcre2",
                                                        "regex",
                                                        "pcre2",
                                                        "order",
                                                        "fts",
                                                        "ftscomment",
                                                        "type",
                                                        "use_own_name",
                                                        "accumulate",
                                                        "plugin_decoder",
                                                        "json_null_field",
                                                        "json_array_structure"};

template <typename Entries>
std::string ListOf(const Entries& entries) {
  std::string list;
  for (const auto& entry : entries) {
    if (!list.empty()) list += ", ";
    list += entry.name;
  }
  return list;
}

class Drafter {
 public:
  Drafter(const config::Element& element, const std::string& file, const EngineOptions& options,
          config::Problems& problems)
      : element_(element), file_(file), options_(options), problems_(problems) {}

  DecoderDraft Read() {
    const size_t errors_before = problems_.error_count();
    draft_.decoder = std::make_unique<Decoder>();
    decoder_ = draft_.decoder.get();
    decoder_->file = file_;
    decoder_->line = element_.line;
    ReadName();
    for (const config::Element& child : element_.children) ReadElement(child);
    Finish();
    draft_.valid = problems_.error_count() == errors_before;
    return std::move(draft_);
  }

 private:
  void Error(const log::Message& message, int line, std::string text, std::string remedy = {}) {
    problems_.Error(message.id, file_, line,
                    fmt::format("decoder '{}': {}", config::Show(decoder_->declared_name), text),
                    std::move(remedy));
  }

  void ReadName() {
    const std::string* name = element_.FindAttribute("name");
    if (name != nullptr) decoder_->declared_name = *name;
    if (name == nullptr || name->empty()) {
      problems_.Error(msg::kInvalidElement.id, file_, element_.line, "<decoder> has no name",
                      "expected <decoder name=\"...\">");
    }
    for (const config::Attribute& attribute : element_.attributes) {
      if (attribute.name == "name" || attribute.name == "status") continue;
      Error(msg::kInvalidElement, element_.line,
            fmt::format("unknown attribute '{}'", config::Show(attribute.name)),
            "expected only 'name'");
    }
  }

  // Names ignore case, except for `type`.
  void ReadElement(const config::Element& child) {
    const std::string name = base::ToLower(child.name);
    if (name == "parent") {
      draft_.has_parent = true;
      draft_.parent += child.content;
    } else if (name == "program_name") {
      AddText(child, program_);
    } else if (name == "program_name_pcre2") {
      AddText(child, program_pcre2_);
    } else if (name == "prematch") {
      AddPattern(child, prematch_, false);
    } else if (name == "prematch_pcre2") {
      AddPattern(child, prematch_pcre2_, false);
    } else if (name == "regex") {
      AddPattern(child, regex_, true);
    } else if (name == "pcre2") {
      AddPattern(child, pcre2_, true);
    } else if (name == "order") {
      ReadOrder(child);
    } else if (name == "fts") {
      ReadFts(child);
    } else if (name == "type" && child.name == "type") {
      ReadType(child);
    } else if (name == "use_own_name") {
      draft_.use_own_name |= child.content == "true";
    } else if (name == "accumulate") {
      decoder_->accumulate = true;
    } else if (name == "plugin_decoder") {
      ReadPlugin(child);
    } else if (name == "json_null_field") {
      decoder_->json_discard_null = ReadChoice(child, {"string", "empty", "discard"}) == 2;
    } else if (name == "json_array_structure") {
      decoder_->json_arrays_as_csv = ReadChoice(child, {"array", "csv"}) == 1;
    } else if (name != "ftscomment") {
      Error(msg::kInvalidElement, child.line,
            fmt::format("unknown element <{}>", config::Show(child.name)),
            config::Suggest(name, kElements));
    }
  }

  void AddText(const config::Element& child, Pieces& pieces) {
    if (pieces.line == 0) pieces.line = child.line;
    pieces.text += child.content;
    if (pieces.text.size() > kMaxText && pieces.text.size() - child.content.size() <= kMaxText) {
      Error(msg::kTextTooLong, child.line, fmt::format("<{}> is too long", child.name),
            fmt::format("expected at most {} bytes", kMaxText));
    }
  }

  void AddPattern(const config::Element& child, Pieces& pieces, bool is_regex) {
    const bool first = pieces.line == 0;
    AddText(child, pieces);
    if (child.attributes.empty()) return;
    const config::Attribute& attribute = child.attributes.front();
    if (attribute.name != "offset") {
      Error(msg::kDecoderAttribute, child.line,
            fmt::format("<{}>: unknown attribute '{}'", child.name, config::Show(attribute.name)),
            attribute.name == "type"
                ? "expected 'offset'; the elements prematch_pcre2 and pcre2 take PCRE2"
                : "expected 'offset', the only attribute");
      return;
    }
    if (!first) {
      Error(msg::kDecoderOffsetTwice, child.line,
            fmt::format("<{}>: only the first of several can have an offset", child.name),
            "expected the offset on the first of them");
      return;
    }
    const auto offset = ParseOffset(attribute.value);
    if (!offset || (!is_regex && *offset != Offset::kAfterParent)) {
      Error(msg::kDecoderOffset, child.line,
            fmt::format("<{}>: invalid offset '{}'", child.name, config::Show(attribute.value)),
            is_regex ? "expected after_parent, after_prematch or after_regex"
                     : "expected after_parent");
      return;
    }
    pieces.offset = *offset;
  }

  static std::optional<Offset> ParseOffset(std::string_view text) {
    if (text == "after_parent") return Offset::kAfterParent;
    if (text == "after_prematch") return Offset::kAfterPrematch;
    if (text == "after_regex") return Offset::kAfterRegex;
    return std::nullopt;
  }

  void ReadOrder(const config::Element& child) {
    order_line_ = child.line;
    decoder_->order.clear();
    for (std::string_view token : base::Split(child.content, ',')) {
      token = base::Trim(token);
      token = token.substr(0, token.find_first_of(" \t\n\v\f\r"));
      if (token.empty()) {
        Error(msg::kInvalidValue, child.line, "<order> has an empty name",
              "expected names separated by commas");
        return;
      }
      decoder_->order.push_back(EntryOf(token));
    }
    const auto limit = static_cast<size_t>(options_.decoder_order_size);
    if (decoder_->order.size() > limit) {
      Error(msg::kInvalidValue, child.line,
            fmt::format("<order> has {} names", decoder_->order.size()),
            fmt::format("expected at most {} (analysisd.decoder_order_size)", limit));
    }
  }

  static OrderEntry EntryOf(std::string_view token) {
    const auto* known = std::find_if(kFields.begin(), kFields.end(),
                                     [&](const FieldName& entry) { return entry.name == token; });
    if (known != kFields.end()) return {known->field, {}};
    if (token.find("filename") != std::string_view::npos) return {Field::kFilename, {}};
    return {Field::kCount, std::string(token)};
  }

  void ReadFts(const config::Element& child) {
    fts_line_ = child.line;
    const auto tokens = base::Split(child.content, ',');
    if (tokens.size() > kMaxFts) {
      Error(msg::kInvalidValue, child.line, fmt::format("<fts> has {} names", tokens.size()),
            fmt::format("expected at most {}", kMaxFts));
    }
    for (const std::string_view token : tokens) {
      const auto* known = std::find_if(
          kFtsNames.begin(), kFtsNames.end(),
          [&](const FtsName& entry) { return token.find(entry.name) != std::string_view::npos; });
      if (known == kFtsNames.end()) {
        Error(msg::kInvalidValue, child.line,
              fmt::format("<fts>: unknown name '{}'", config::Show(base::Trim(token))),
              fmt::format("expected one of: {}", ListOf(kFtsNames)));
        continue;
      }
      decoder_->fts |= known->bit;
    }
  }

  void ReadType(const config::Element& child) {
    const auto* known =
        std::find_if(kCategories.begin(), kCategories.end(),
                     [&](const CategoryName& entry) { return entry.name == child.content; });
    if (known == kCategories.end()) {
      Error(msg::kInvalidValue, child.line,
            fmt::format("<type>: unknown type '{}'", config::Show(child.content)),
            fmt::format("expected one of: {}", ListOf(kCategories)));
      return;
    }
    decoder_->category = known->category;
  }

  void ReadPlugin(const config::Element& child) {
    plugin_line_ = child.line;
    decoder_->plugin = FindPlugin(child.content);
    if (decoder_->plugin == nullptr) {
      Error(msg::kDecoderPlugin, child.line,
            fmt::format("<plugin_decoder>: unknown plugin '{}'", config::Show(child.content)),
            fmt::format("expected one of: {}", ListOf(Plugins())));
    }
    if (child.attributes.empty()) return;
    const config::Attribute& attribute = child.attributes.front();
    const auto offset = attribute.name == "offset" ? ParseOffset(attribute.value) : std::nullopt;
    if (!offset || *offset == Offset::kAfterRegex) {
      Error(msg::kDecoderAttribute, child.line,
            fmt::format("<plugin_decoder>: invalid attribute {}=\"{}\"",
                        config::Show(attribute.name), config::Show(attribute.value)),
            "expected offset=\"after_parent\" or offset=\"after_prematch\"");
      return;
    }
    decoder_->plugin_offset = *offset;
  }

  // Index of the content among `choices`; 0 after an error.
  size_t ReadChoice(const config::Element& child, std::initializer_list<std::string_view> choices) {
    const auto* known = std::find(choices.begin(), choices.end(), child.content);
    if (known != choices.end()) return static_cast<size_t>(known - choices.begin());
    std::string list;
    for (const std::string_view choice : choices) {
      if (!list.empty()) list += " or ";
      list += choice;
    }
    Error(msg::kInvalidValue, child.line,
          fmt::format("<{}>: invalid value '{}'", child.name, config::Show(child.content)),
          "expected " + list);
    return 0;
  }

  void Finish() {
    const bool had_pattern = regex_.line != 0 || pcre2_.line != 0;
    decoder_->program_name =
        Choose("program_name", program_, Language::kOsMatch, "program_name_pcre2", program_pcre2_);
    const Pieces& prematch = prematch_.line != 0 ? prematch_ : prematch_pcre2_;
    decoder_->prematch_offset = prematch.offset;
    decoder_->prematch =
        Choose("prematch", prematch_, Language::kOsRegex, "prematch_pcre2", prematch_pcre2_);
    const Pieces& regex = regex_.line != 0 ? regex_ : pcre2_;
    decoder_->regex_offset = regex.offset;
    decoder_->regex = Choose("regex", regex_, Language::kOsRegex, "pcre2", pcre2_);
    CheckCaptures(regex.line);
    CheckTogether(had_pattern, regex.line);
    CheckOffsets(prematch.line, regex.line);
    if (!draft_.has_parent && !HasTest()) {
      Error(msg::kDecoderUntested, element_.line, "a decoder without parent tests nothing",
            "expected a <program_name> or a <prematch>");
    }
  }

  bool HasTest() const { return program_.line != 0 || program_pcre2_.line != 0 || HasPrematch(); }
  bool HasPrematch() const { return prematch_.line != 0 || prematch_pcre2_.line != 0; }

  DecoderPattern Choose(std::string_view plain_name, const Pieces& plain, Language language,
                        std::string_view pcre2_name, const Pieces& pcre2) {
    if (plain.line != 0 && pcre2.line != 0) {
      problems_.Warning(msg::kDecoderBothForms.id, file_, pcre2.line,
                        fmt::format("decoder '{}': <{}> has no effect beside <{}>",
                                    config::Show(decoder_->declared_name), pcre2_name, plain_name));
    }
    if (plain.line != 0) return Compile(plain_name, plain, language);
    if (pcre2.line != 0) return Compile(pcre2_name, pcre2, Language::kPcre2);
    return {};
  }

  DecoderPattern Compile(std::string_view name, const Pieces& pieces, Language language) {
    pattern::CompileError error;
    DecoderPattern compiled;
    compiled.pattern = pattern::Pattern::Compile(language, pieces.text, &error);
    if (compiled.pattern == nullptr) {
      Error(msg::kBadPattern, pieces.line,
            fmt::format("<{}> does not compile at byte {}: {}", name, error.offset, error.reason));
      return compiled;
    }
    return compiled;
  }

  void CheckCaptures(int line) {
    if (!decoder_->regex) return;
    const size_t groups = decoder_->regex.pattern->GroupCount();
    const auto limit = static_cast<size_t>(options_.decoder_order_size);
    if (groups <= limit) return;
    Error(msg::kInvalidValue, line, fmt::format("the pattern has {} capturing groups", groups),
          fmt::format("expected at most {} (analysisd.decoder_order_size)", limit));
  }

  void CheckTogether(bool has_pattern, int pattern_line) {
    const bool has_order = order_line_ != 0;
    const bool has_fts = fts_line_ != 0;
    if (plugin_line_ != 0) {
      if (has_pattern || has_order) {
        Error(msg::kDecoderPluginMix, plugin_line_,
              "<plugin_decoder> cannot stand beside a pattern or an <order>",
              "expected one of them");
      }
      return;
    }
    if (has_order && !has_pattern) {
      Error(msg::kDecoderOrder, order_line_, "<order> without a pattern",
            "expected a <regex> or <pcre2>");
    }
    if (has_pattern && !has_order) {
      Error(msg::kDecoderOrder, pattern_line, "a pattern without <order>",
            "expected an <order> that names what the groups capture");
    }
    if (has_fts && !has_pattern) {
      Error(msg::kDecoderOrder, fts_line_, "<fts> without a pattern",
            "expected a <regex> or <pcre2>");
    }
  }

  void CheckOffsets(int prematch_line, int regex_line) {
    if (draft_.has_parent) {
      const bool on_prematch = decoder_->regex_offset == Offset::kAfterPrematch;
      const bool plugin_on_prematch = decoder_->plugin_offset == Offset::kAfterPrematch;
      if ((on_prematch || plugin_on_prematch) && !HasPrematch()) {
        Error(msg::kDecoderOffset, on_prematch ? regex_line : plugin_line_,
              "offset after_prematch without a <prematch>",
              "expected a <prematch>, or after_parent");
      }
      return;
    }
    if (decoder_->prematch_offset == Offset::kAfterParent) {
      Error(msg::kDecoderOffset, prematch_line, "offset after_parent without a <parent>",
            "expected a <parent>, or no offset");
    }
    if (decoder_->regex_offset == Offset::kAfterParent ||
        decoder_->regex_offset == Offset::kAfterRegex) {
      Error(msg::kDecoderOffset, regex_line, "offset after_parent and after_regex need a <parent>",
            "expected after_prematch, or a <parent>");
    }
    if (decoder_->plugin_offset == Offset::kAfterParent) {
      Error(msg::kDecoderOffset, plugin_line_, "offset after_parent without a <parent>",
            "expected after_prematch, or a <parent>");
    }
  }

  const config::Element& element_;
  const std::string& file_;
  const EngineOptions& options_;
  config::Problems& problems_;

  DecoderDraft draft_;
  Decoder* decoder_ = nullptr;
  Pieces program_, program_pcre2_, prematch_, prematch_pcre2_, regex_, pcre2_;
  int order_line_ = 0;
  int fts_line_ = 0;
  int plugin_line_ = 0;
};

}  // namespace

DecoderDraft ReadDecoder(const config::Element& element, const std::string& file,
                         const EngineOptions& options, config::Problems& problems) {
  return Drafter(element, file, options, problems).Read();
}

}  // namespace ospatrol::analysisd
