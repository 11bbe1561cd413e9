#include "analysisd/pipeline.h"

#include <algorithm>

#include "analysisd/ruleset.h"
#include "base/files.h"
#include "base/text.h"

namespace ospatrol::analysisd {
namespace {

bool IsKeepAlive(std::string_view location) {
  const size_t arrow = location.rfind("->");
  const std::string_view last =
      arrow == std::string_view::npos ? location : location.substr(arrow + 2);
  return last == "ossec-keepalive" || last == "ospatrol-keepalive";
}

// "[003] (web1) any->/x" is known to decoders and rules as "(web1) any->/x".
std::string_view WithoutAgentNumber(std::string_view location) {
  if (!location.starts_with('[')) return location;
  const size_t close = location.find(']');
  if (close == std::string_view::npos || !base::AllDigits(location.substr(1, close - 1)) ||
      !location.substr(close).starts_with("] (")) {
    return location;
  }
  return location.substr(close + 2);
}

// A line of firewall.log needs all of these.
bool HasFirewallFields(const Event& event) {
  return event.category == Category::kFirewall && !event.Get(Field::kAction).empty() &&
         !event.Get(Field::kProtocol).empty() && !event.Get(Field::kSrcIp).empty() &&
         !event.Get(Field::kDstIp).empty();
}

}  // namespace

Pipeline::Pipeline(Engine& engine, Statistics& statistics, AlertWriter& writer, StateStore& state,
                   PipelineOptions options)
    : engine_(engine),
      statistics_(statistics),
      writer_(writer),
      state_(state),
      chunk_(options.chunk),
      slots_(options.threads > 1 ? ChunkCrew::kSlots : 1),
      crew_(options.threads) {
  for (Slot& slot : slots_) {
    slot.events = std::make_unique<Event[]>(chunk_);
    slot.is_keepalive.resize(chunk_);
  }
}

Pipeline::~Pipeline() = default;

void Pipeline::Run(base::Seconds now) {
  now_ = now;
  crew_.Run((portion_.size() + chunk_ - 1) / chunk_, *this);
  portion_.clear();
}

size_t Pipeline::EventsIn(size_t chunk) const {
  return std::min(chunk_, portion_.size() - chunk * chunk_);
}

void Pipeline::Decode(size_t chunk, size_t slot_number) {
  Slot& slot = slots_[slot_number];
  const size_t count = EventsIn(chunk);
  for (size_t i = 0; i < count; ++i) {
    const ipc::QueueMessage& message = portion_[chunk * chunk_ + i];
    const std::string_view location = WithoutAgentNumber(message.location);
    slot.is_keepalive[i] = IsKeepAlive(location);
    if (slot.is_keepalive[i]) continue;
    Event& event = slot.events[i];
    event.Refer(message.kind, location, message.text, now_);
    engine_.ReadHeader(event);
  }
  for (size_t i = 0; i < count; ++i) {
    if (i + 1 < count) slot.events[i + 1].Fetch();
    if (!slot.is_keepalive[i]) engine_.ReadFields(slot.events[i]);
  }
}

void Pipeline::Judge(size_t chunk, size_t slot_number) {
  Slot& slot = slots_[slot_number];
  const size_t count = EventsIn(chunk);
  for (size_t i = 0; i < count; ++i) {
    if (i + 1 < count) slot.events[i + 1].Fetch();
    if (slot.is_keepalive[i]) {
      ++counters_.keepalives;
    } else {
      Judge(slot.events[i], slot);
    }
  }
}

void Pipeline::Judge(Event& event, Slot& slot) {
  statistics_.Advance(event, engine_);
  Verdict verdict = engine_.Judge(event);
  Count(event);
  if (verdict.duplicate) {
    ++counters_.repeated;
  } else {
    ++counters_.processed;
  }
  if (event.dropped) return;
  const auto text = statistics_.Count(event, verdict);
  Tell(event, std::move(verdict), slot);
  if (text) TellStatistics(event, *text, slot);
}

void Pipeline::TellStatistics(const Event& event, std::string_view text, Slot& slot) {
  const Rule& rule = statistics_.rule();
  if (!rule.log || rule.level == 0) return;
  Event& notice = slot.notices.emplace_back();
  notice.Assign(event.kind, event.location, text, event.time);
  notice.hostname = event.hostname;
  Told& told = slot.told.emplace_back();
  told.event = &notice;
  told.verdict.rule = &rule;
  told.alert = writer_.ClaimNumber();
}

void Pipeline::Count(const Event& event) {
  ++counters_.decoded;
  switch (event.kind) {
    case static_cast<char>(ipc::Kind::kSyscheck):
      ++counters_.syscheck;
      break;
    case static_cast<char>(ipc::Kind::kRootcheck):
      ++counters_.rootcheck;
      break;
    case static_cast<char>(ipc::Kind::kHostInfo):
      ++counters_.hostinfo;
      break;
    default:
      break;
  }
}

void Pipeline::Tell(const Event& event, Verdict verdict, Slot& slot) {
  const bool firewall = engine_.ruleset().options().log_fw && HasFirewallFields(event);
  const bool archive = writer_.WantsArchive();
  if (!verdict.alert && !firewall && !archive) return;
  const uint64_t number = verdict.alert ? writer_.ClaimNumber() : 0;
  slot.told.push_back({&event, std::move(verdict), firewall, archive, number});
}

void Pipeline::Record(size_t, size_t slot_number) {
  Slot& slot = slots_[slot_number];
  RecordBatch& batch = BatchOf(slot);
  for (const Told& told : slot.told) {
    alert::AlertView& alert = slot.builder.Build(*told.event, told.verdict);
    if (told.firewall) writer_.MakeFirewall(alert, batch);
    // The archive comes first: making an alert may take things out of it.
    if (told.archive) writer_.MakeArchive(alert, told.event->log, batch);
    if (told.alert > 0) writer_.MakeAlert(alert, told.alert, batch);
  }
  slot.told.clear();
  slot.notices.clear();
}

void Pipeline::Collect(size_t, size_t slot_number) {
  if (crew_.threads() > 1) writer_.pending().Take(slots_[slot_number].records);
}

bool Pipeline::Commit() {
  if (!writer_.Flush()) {
    failure_ = {Step::kOutput, writer_.failure().file, writer_.failure().text};
    return false;
  }
  std::string text;
  if (!state_.Commit(text)) {
    failure_ = {Step::kState, {}, text};
    return false;
  }
  return true;
}

}  // namespace ospatrol::analysisd
