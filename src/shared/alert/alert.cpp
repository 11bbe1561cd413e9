#include "alert/alert.h"

namespace ospatrol::alert {

std::string Alert::Where() const {
  if (hostname.empty() || hostname == location) return location;
  std::string where;
  where.reserve(hostname.size() + 2 + location.size());
  where += hostname;
  where += "->";
  where += location;
  return where;
}

RuleFactsView ViewOf(const RuleFacts& rule) {
  RuleFactsView view;
  view.id = rule.id;
  view.level = rule.level;
  view.frequency = rule.frequency;
  view.fired_times = rule.fired_times;
  view.comment = rule.comment;
  view.group = rule.group;
  view.info = rule.info;
  view.cve = rule.cve;
  view.mitre_ids = rule.mitre_ids;
  view.text = rule.text;
  return view;
}

AlertView::AlertView(const Alert& alert) {
  id = alert.id;
  time = alert.time;
  mail = alert.mail;
  rule = ViewOf(alert.rule);
  decoder = {.name = alert.decoder.name,
             .parent = alert.decoder.parent,
             .fts_comment = alert.decoder.fts_comment,
             .fts = alert.decoder.fts,
             .accumulate = alert.decoder.accumulate};
  location = alert.location;
  hostname = alert.hostname;
  program_name = alert.program_name;
  full_log = alert.full_log;
  last_events = alert.last_events;
  srcip = alert.srcip;
  dstip = alert.dstip;
  srcport = alert.srcport;
  dstport = alert.dstport;
  srcgeoip = alert.srcgeoip;
  dstgeoip = alert.dstgeoip;
  protocol = alert.protocol;
  action = alert.action;
  srcuser = alert.srcuser;
  dstuser = alert.dstuser;
  id_field = alert.id_field;
  url = alert.url;
  data = alert.data;
  status = alert.status;
  systemname = alert.systemname;
  filename = alert.filename;
  command = alert.command;
  dynamic_fields.assign(alert.dynamic_fields.begin(), alert.dynamic_fields.end());
  file = {.path = alert.file.path,
          .md5_before = alert.file.md5_before,
          .md5_after = alert.file.md5_after,
          .sha1_before = alert.file.sha1_before,
          .sha1_after = alert.file.sha1_after,
          .sha256_before = alert.file.sha256_before,
          .sha256_after = alert.file.sha256_after,
          .owner_before = alert.file.owner_before,
          .owner_after = alert.file.owner_after,
          .gowner_before = alert.file.gowner_before,
          .gowner_after = alert.file.gowner_after,
          .perm_before = alert.file.perm_before,
          .perm_after = alert.file.perm_after};
}

}  // namespace ospatrol::alert
