#include "analysisd/decoder_set.h"

#include <algorithm>

#include "base/text.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kBuiltins = static_cast<size_t>(BuiltinDecoder::kCount);

constexpr std::array<std::string_view, kBuiltins> kBuiltinNames = {
    "rootcheck",
    "syscheck_integrity_changed",
    "syscheck_integrity_changed_2nd",
    "syscheck_integrity_changed_3rd",
    "syscheck_new_entry",
    "syscheck_deleted",
    "hostinfo_new",
    "hostinfo_modified",
};

std::array<Decoder, kBuiltins> MakeBuiltins() {
  std::array<Decoder, kBuiltins> made;
  for (size_t i = 0; i < kBuiltins; ++i) {
    made[i].id = -1 - static_cast<int>(i);
    made[i].name_id = static_cast<int>(i) + 1;
    made[i].declared_name = made[i].name = kBuiltinNames[i];
    made[i].category = Category::kOssec;
  }
  return made;
}

std::vector<pattern::Beginning> BeginningsOf(const DecoderPattern& part) {
  if (!part) return {};
  return pattern::BeginningsOf(part.pattern->language(), part.pattern->text());
}

std::vector<Decoder::Gate> GatesOf(const Decoder& root) {
  const auto& children = root.children;
  std::vector<Decoder::Gate> gates(children.size());
  for (size_t i = 0; i < children.size(); ++i) {
    // Links that continue a child have no prematch of their own: the whole chain is passed over.
    size_t last = i;
    while (last < children.size() && children[last]->get_next) ++last;
    gates[i] = {children[i]->prematch.bit, static_cast<uint32_t>(last + 1)};
  }
  return gates;
}

void Take(const Decoder& decoder, Event& event) {
  event.decoder = &decoder;
  event.decoder_name = decoder.name;
  event.category = decoder.category;
}

}  // namespace

const Decoder& Builtin(BuiltinDecoder which) {
  static const std::array<Decoder, kBuiltins> builtins = MakeBuiltins();
  return builtins[static_cast<size_t>(which)];
}

DecoderSet::DecoderSet() {
  for (const std::string_view name : kBuiltinNames) {
    name_in_use_[static_cast<size_t>(Intern(name))] = true;
  }
}

DecoderSet::~DecoderSet() = default;

int DecoderSet::Intern(std::string_view name) {
  const auto [entry, is_new] =
      name_ids_.try_emplace(std::string(name), static_cast<int>(name_ids_.size()) + 1);
  if (is_new) name_in_use_.resize(name_ids_.size() + 1);
  return entry->second;
}

int DecoderSet::NameId(std::string_view name) const {
  const auto found = name_ids_.find(std::string(name));
  return found == name_ids_.end() ? 0 : found->second;
}

bool DecoderSet::IsNameInUse(int name_id) const {
  const auto index = static_cast<size_t>(name_id);
  return name_id > 0 && index < name_in_use_.size() && name_in_use_[index];
}

int DecoderSet::NameCount() const { return static_cast<int>(name_ids_.size()); }

void DecoderSet::BuildIndex() {
  for (const auto& decoder : decoders_) {
    name_in_use_[static_cast<size_t>(decoder->name_id)] = true;
    if (decoder->prematch) decoder->prematch.bit = prematch_count_++;
    if (!decoder->parents.empty()) continue;
    if (decoder->program_name) {
      by_program_.Add(*decoder, BeginningsOf(decoder->program_name));
    } else {
      by_log_.Add(*decoder, BeginningsOf(decoder->prematch));
    }
  }
  for (const auto& decoder : decoders_) decoder->gates = GatesOf(*decoder);
  by_program_.Build();
  by_log_.Build();
}

void DecoderSet::Decode(Event& event) const {
  const auto is_final = [&](const Decoder& root) { return DecodeBy(root, event); };
  if (!IsSet(event.program_name)) {
    by_log_.ForEach(event.log, is_final);
  } else {
    for (const Decoder* root : by_program_.Of(event.program_name)) {
      if (is_final(*root)) break;
    }
  }
  if (geoip_ == nullptr) return;
  AddGeo(Field::kSrcGeoip, event.Get(Field::kSrcIp), event);
  AddGeo(Field::kDstGeoip, event.Get(Field::kDstIp), event);
}

bool DecoderSet::DecodeBy(const Decoder& root, Event& event) const {
  size_t parent_end = 0;
  if (root.prematch) {
    pattern::Match match;
    if (!root.prematch.Find(event.log, event, match)) return false;
    parent_end = match.end;
  }
  Take(root, event);
  DecodeFrom(root, parent_end, event);
  return true;
}

void DecoderSet::DecodeFrom(const Decoder& root, size_t parent_end, Event& event) const {
  if (root.children.empty()) {
    const Decoder* const alone = &root;
    RunChain({&alone, 1}, parent_end, parent_end, event);
    return;
  }
  const std::span<const Decoder* const> children(root.children);
  pattern::Match match;
  size_t next = 0;
  for (size_t i = 0; i < children.size(); i = next) {
    next = root.gates[i].next;
    if (!event.IsCandidate(root.gates[i].prematch)) continue;
    const Decoder& child = *children[i];
    if (!child.prematch) {
      RunChain(children.subspan(i), parent_end, parent_end, event);
      return;
    }
    const size_t begin = child.prematch_offset == Offset::kAfterParent ? parent_end : 0;
    if (child.prematch.Find(event.log.substr(begin), event, match)) {
      Take(child, event);
      RunChain(children.subspan(i), parent_end, begin + match.end, event);
      return;
    }
  }
}

void DecoderSet::RunChain(std::span<const Decoder* const> chain, size_t parent_end,
                          size_t prematch_end, Event& event) const {
  if (chain.front()->plugin != nullptr) {
    const Decoder& node = *chain.front();
    const size_t begin = node.plugin_offset == Offset::kAfterParent     ? parent_end
                         : node.plugin_offset == Offset::kAfterPrematch ? prematch_end
                                                                        : 0;
    node.plugin->run(event, {node, event.log.substr(begin), find_rule_});
    return;
  }
  pattern::Match match;
  size_t regex_end = prematch_end;  // where after_regex begins; a failed link puts it back
  for (const Decoder* node : chain) {
    if (!node->regex) return;
    size_t begin = 0;
    switch (node->regex_offset) {
      case Offset::kNone:
        break;
      case Offset::kAfterParent:
        begin = parent_end;
        break;
      case Offset::kAfterPrematch:
        begin = prematch_end;
        break;
      case Offset::kAfterRegex:
        begin = regex_end;
        break;
    }
    const std::string_view subject = event.log.substr(begin);
    if (node->regex.pattern->Find(subject, match)) {
      regex_end = begin + match.end;
      Take(*node, event);
      Deliver(*node, subject, match, event);
    } else {
      regex_end = prematch_end;
    }
    if (!node->get_next) return;
  }
}

void DecoderSet::Deliver(const Decoder& node, std::string_view subject, const pattern::Match& match,
                         Event& event) {
  const size_t count = std::min<size_t>(match.capture_count, node.order.size());
  for (size_t i = 0; i < count; ++i) {
    const OrderEntry& entry = node.order[i];
    const std::string_view value = match.Capture(subject, i);
    if (entry.dynamic.empty()) {
      event.Set(entry.field, value);
    } else {
      event.SetDynamic(entry.dynamic, value);
    }
  }
}

void DecoderSet::AddGeo(Field field, std::string_view address, Event& event) const {
  if (address.empty()) return;
  std::string place = geoip_->Lookup(address);
  if (!place.empty()) event.Set(field, event.Keep(std::move(place)));
}

}  // namespace ospatrol::analysisd
