#include "analysisd/alert_builder.h"

#include "analysisd/decoder.h"
#include "analysisd/rule.h"
#include "analysisd/rule_facts.h"

namespace ospatrol::analysisd {
namespace {

alert::RuleFactsView RuleOf(const Verdict& verdict) {
  if (verdict.rule == nullptr) return {};
  alert::RuleFactsView facts = FactsOf(*verdict.rule);
  facts.fired_times = verdict.fired_times;
  return facts;
}

void FillDecoder(const Event& event, alert::AlertView& alert) {
  alert.decoder = {};
  alert.decoder.name = event.decoder_name;
  const Decoder* decoder = event.decoder;
  if (decoder == nullptr) return;
  if (!decoder->parents.empty()) alert.decoder.parent = decoder->parents.front()->declared_name;
  alert.decoder.fts = decoder->fts;
  alert.decoder.accumulate = decoder->accumulate;
}

void FillFields(const Event& event, alert::AlertView& alert) {
  alert.srcip = event.Get(Field::kSrcIp);
  alert.dstip = event.Get(Field::kDstIp);
  alert.srcport = event.Get(Field::kSrcPort);
  alert.dstport = event.Get(Field::kDstPort);
  alert.srcgeoip = event.Get(Field::kSrcGeoip);
  alert.dstgeoip = event.Get(Field::kDstGeoip);
  alert.protocol = event.Get(Field::kProtocol);
  alert.action = event.Get(Field::kAction);
  alert.srcuser = event.Get(Field::kSrcUser);
  alert.dstuser = event.Get(Field::kDstUser);
  alert.id_field = event.Get(Field::kId);
  alert.url = event.Get(Field::kUrl);
  alert.data = event.Get(Field::kData);
  alert.status = event.Get(Field::kStatus);
  alert.systemname = event.Get(Field::kSystemName);
  alert.filename = event.Get(Field::kFilename);
  alert.dynamic_fields = event.dynamic_fields;
}

alert::FileChangeView FileOf(const Event& event) {
  alert::FileChangeView to;
  to.path = event.Get(Field::kFilename);
  if (event.file == nullptr) return to;
  const FileFacts& from = *event.file;
  to.md5_before = from.md5_before;
  to.md5_after = from.md5_after;
  to.sha1_before = from.sha1_before;
  to.sha1_after = from.sha1_after;
  to.sha256_before = from.sha256_before;
  to.sha256_after = from.sha256_after;
  to.owner_before = from.owner_before;
  to.owner_after = from.owner_after;
  to.gowner_before = from.gowner_before;
  to.gowner_after = from.gowner_after;
  to.perm_before = from.perm_before;
  to.perm_after = from.perm_after;
  return to;
}

}  // namespace

alert::AlertView& AlertBuilder::Build(const Event& event, const Verdict& verdict) {
  alert_.id = {};
  alert_.time = event.time;
  alert_.mail = verdict.rule != nullptr && verdict.rule->mail;
  alert_.rule = RuleOf(verdict);
  FillDecoder(event, alert_);
  alert_.location = event.location;
  alert_.hostname = event.hostname;
  alert_.program_name = event.program_name;
  alert_.full_log = event.full_log;
  alert_.last_events = verdict.last_events;
  FillFields(event, alert_);
  alert_.file = FileOf(event);
  return alert_;
}

}  // namespace ospatrol::analysisd
