#include "analysisd/alert_builder.h"

#include "analysisd/decoder.h"
#include "analysisd/rule.h"
#include "analysisd/rule_facts.h"

namespace ospatrol::analysisd {
namespace {

// Most fields of most events are unset.
void Copy(std::string_view value, std::string& to) {
  if (value.empty()) {
    to.clear();
  } else {
    to.assign(value);
  }
}

void FillRule(const Verdict& verdict, alert::Alert& alert) {
  const Rule* rule = verdict.rule;
  if (rule == nullptr) {
    alert.rule = {};
    alert.mail = false;
    return;
  }
  alert.mail = rule->mail;
  CopyRuleFacts(*rule, alert.rule);
  alert.rule.fired_times = verdict.fired_times;
}

void FillDecoder(const Event& event, alert::Alert& alert) {
  alert.decoder.name = event.decoder_name;
  alert.decoder.parent.clear();
  alert.decoder.fts_comment.clear();
  alert.decoder.fts = 0;
  alert.decoder.accumulate = false;
  const Decoder* decoder = event.decoder;
  if (decoder == nullptr) return;
  if (!decoder->parents.empty()) alert.decoder.parent = decoder->parents.front()->declared_name;
  alert.decoder.fts = decoder->fts;
  alert.decoder.accumulate = decoder->accumulate;
}

void FillFields(const Event& event, alert::Alert& alert) {
  Copy(event.Get(Field::kSrcIp), alert.srcip);
  Copy(event.Get(Field::kDstIp), alert.dstip);
  Copy(event.Get(Field::kSrcPort), alert.srcport);
  Copy(event.Get(Field::kDstPort), alert.dstport);
  Copy(event.Get(Field::kSrcGeoip), alert.srcgeoip);
  Copy(event.Get(Field::kDstGeoip), alert.dstgeoip);
  Copy(event.Get(Field::kProtocol), alert.protocol);
  Copy(event.Get(Field::kAction), alert.action);
  Copy(event.Get(Field::kSrcUser), alert.srcuser);
  Copy(event.Get(Field::kDstUser), alert.dstuser);
  Copy(event.Get(Field::kId), alert.id_field);
  Copy(event.Get(Field::kUrl), alert.url);
  Copy(event.Get(Field::kData), alert.data);
  Copy(event.Get(Field::kStatus), alert.status);
  Copy(event.Get(Field::kSystemName), alert.systemname);
  Copy(event.Get(Field::kFilename), alert.filename);
  alert.dynamic_fields.resize(event.dynamic_fields.size());
  for (size_t i = 0; i < event.dynamic_fields.size(); ++i) {
    alert.dynamic_fields[i].first = event.dynamic_fields[i].first;
    alert.dynamic_fields[i].second = event.dynamic_fields[i].second;
  }
}

}  // namespace

alert::Alert& AlertBuilder::Build(const Event& event, const Verdict& verdict) {
  alert_.id.clear();
  alert_.time = event.time;
  FillRule(verdict, alert_);
  FillDecoder(event, alert_);
  alert_.location = event.location;
  alert_.hostname = event.hostname;
  alert_.program_name = event.program_name;
  alert_.full_log = event.full_log;
  alert_.last_events = verdict.last_events;
  FillFields(event, alert_);
  FillFile(event);
  return alert_;
}

void AlertBuilder::FillFile(const Event& event) {
  alert::FileChange& to = alert_.file;
  if (has_file_) to = {};
  has_file_ = event.file.has_value() || IsSet(event.Get(Field::kFilename));
  if (!has_file_) return;
  to.path = event.Get(Field::kFilename);
  if (!event.file) return;
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
}

}  // namespace ospatrol::analysisd
