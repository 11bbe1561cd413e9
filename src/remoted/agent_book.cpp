#include "remoted/agent_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "remoted/version2.h"
#include "secure/agent_info.h"
#include "secure/control_message.h"

namespace ospatrol::remoted {
namespace {

constexpr size_t kAgentsPerPush = 500;

std::string HexOf(const secure::v2::FileSum& sum) {
  if (sum == secure::v2::FileSum{}) return "x";
  return base::ToHex({reinterpret_cast<const char*>(sum.data()), sum.size()});
}

std::string TextOf(const secure::SpoolId& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

ReportedSum SumIn(const secure::KeepAlive& keep_alive) {
  const std::string_view md5 = keep_alive.SumOf(secure::kMergedName);
  if (md5 == "x") return {ReportedSum::State::kNone, {}};
  if (!IsMd5Hex(md5)) return {};
  return {ReportedSum::State::kSum, Md5FromHex(md5)};
}

}  // namespace

struct AgentBook::Facts {
  std::string text;  // keep-alive of version 1, uname of version 2; empty: nothing new
  uint8_t version = 1;
  secure::Cipher cipher = secure::Cipher::kAes;
  secure::PeerAddress address;
  base::Seconds last_heard = 0;
  uint32_t interval = 0;
  ReportedSum reported;
  bool requests_wait = false;
  bool reachable = false;

  bool has_session = false;
  bool save_hello = false, save_spool = false;
  uint64_t hello_counter = 0;
  std::vector<secure::ChannelState::Spool> spools;
  bool has_status = false;
  secure::v2::FileSum merged_sum{}, config_sum{};
  uint64_t spool_bytes = 0, dropped = 0, stored = 0;
  uint32_t round_trip_ms = 0;
  std::string_view session_cipher;
};

AgentBook::AgentBook(const Home& home, Channel& channel, secure::ChannelState& state,
                     Transfers& transfers, Relay& relay, std::function<void(const AgentPtr&)> nudge)
    : files_(home),
      channel_(channel),
      state_(state),
      transfers_(transfers),
      relay_(relay),
      nudge_(std::move(nudge)) {}

void AgentBook::Restore(const Registry& registry) {
  for (const auto& peer : state_.LoadPeers()) {
    const Registry::Entry entry = registry.Find(peer.agent_id);
    if (!entry || !secure::Allows(*entry.key, peer.address)) continue;
    Agent& agent = **entry.agent;
    const std::scoped_lock lock(agent.mutex);
    agent.route.peer = peer.address;
    agent.last_heard = peer.last_heard;
    agent.cipher = peer.cipher;
    agent.version = peer.version;
    agent.interval = peer.interval;
  }
  for (const auto& hello : state_.LoadHellos()) {
    const Registry::Entry entry = registry.Find(hello.agent_id);
    if (!entry) continue;
    const std::scoped_lock lock((*entry.agent)->mutex);
    (*entry.agent)->stored_session.hello_counter = hello.counter;
  }
  for (const auto& spool : state_.LoadSpools()) {
    const Registry::Entry entry = registry.Find(spool.agent_id);
    if (!entry) continue;
    const std::scoped_lock lock((*entry.agent)->mutex);
    (*entry.agent)->stored_session.spools.push_back(spool);
  }
}

void AgentBook::SetBundle(SharedBundlePtr bundle, Clock::time_point now) {
  const bool first = bundle_ == nullptr;
  bundle_ = std::move(bundle);
  if (first) return;
  push_to_ = channel_.registry.Get();
  push_next_ = 0;
  ContinuePush(now);
}

bool AgentBook::ContinuePush(Clock::time_point now) {
  if (push_to_ == nullptr) return false;
  const size_t end = std::min(push_to_->size(), push_next_ + kAgentsPerPush);
  for (; push_next_ < end; ++push_next_) {
    const AgentPtr& agent = *(*push_to_)[push_next_].agent;
    const Facts facts = Collect(agent);
    if (facts.reachable) SendShared(agent, facts, now);
    if (facts.requests_wait) relay_.AgentHeard(agent, now);
  }
  if (push_next_ == push_to_->size()) push_to_.reset();
  return push_to_ != nullptr;
}

AgentBook::Facts AgentBook::Collect(const AgentPtr& agent) {
  Facts facts;
  const std::scoped_lock lock(agent->mutex);
  facts.version = agent->version;
  facts.cipher = agent->cipher;
  facts.address = agent->route.peer;
  facts.last_heard = agent->last_heard;
  facts.interval = agent->interval;
  facts.reported = agent->reported;
  facts.requests_wait = agent->requests_wait;
  facts.reachable =
      agent->IsHeard() && base::WallNow() - agent->last_heard <= agent->Reach() && !agent->removed;
  if (agent->session == nullptr) return facts;

  SessionState& session = *agent->session;
  facts.has_session = true;
  facts.save_hello = std::exchange(session.save_hello, false);
  facts.save_spool = std::exchange(session.save_spool, false);
  facts.hello_counter = session.hello_counter;
  if (facts.save_spool) facts.spools = session.spools;
  facts.has_status = session.has_status;
  facts.merged_sum = session.merged_sum;
  facts.config_sum = session.config_sum;
  facts.spool_bytes = session.spool_bytes;
  facts.dropped = session.dropped;
  facts.round_trip_ms = session.round_trip_ms;
  const auto info = session.link.info();
  facts.stored = info.stored;
  facts.session_cipher = secure::v2::CipherName(info.cipher);
  if (session.closed) facts.reachable = false;
  return facts;
}

void AgentBook::TakeNotes(Clock::time_point now) {
  const RegistryPtr registry = channel_.registry.Get();
  for (const AgentPtr& agent : channel_.TakeNotes()) {
    std::string text;
    bool touch = false;
    {
      const std::scoped_lock lock(agent->mutex);
      agent->noted = false;
      touch = std::exchange(agent->touch_due, false);
      text = std::exchange(agent->pending_text, {});
    }
    const Registry::Entry entry = registry->Of(*agent);
    if (!entry) continue;
    Facts facts = Collect(agent);
    facts.text = std::move(text);
    if (facts.version == 1 && !facts.text.empty()) TakeKeepAlive(agent, *entry.key, facts);
    if (facts.version == 2 && !facts.text.empty()) WriteInfo(*entry.key, facts);
    if (facts.text.empty() && touch) files_.Touch(*entry.key);
    if (facts.version == 1) {
      const std::scoped_lock lock(agent->mutex);
      facts.reported = agent->reported;
    }
    if (facts.reachable) SendShared(agent, facts, now);
    if (facts.requests_wait) relay_.AgentHeard(agent, now);

    peers_[agent->id] = {agent->id,    facts.address, facts.last_heard,
                         facts.cipher, facts.version, facts.interval};
    if (facts.save_hello) hellos_[agent->id] = facts.hello_counter;
    if (facts.save_spool) {
      for (const auto& spool : facts.spools) spools_[TextOf(spool.id)] = spool;
    }
  }
}

void AgentBook::TakeKeepAlive(const AgentPtr& agent, const secure::AgentKey& key,
                              const Facts& facts) {
  const auto keep_alive = secure::ParseKeepAlive(facts.text);
  if (!keep_alive) return;
  const ReportedSum sum = SumIn(*keep_alive);
  {
    const std::scoped_lock lock(agent->mutex);
    agent->reported = sum;
  }
  if (sum.state == ReportedSum::State::kUnknown && !keep_alive->files.empty()) {
    single_files_[agent->serial] = facts.text;
  } else {
    single_files_.erase(agent->serial);
  }
  std::string content =
      secure::FormatAgentInfo(keep_alive->first_line, secure::CipherName(facts.cipher));
  const std::string_view merged = keep_alive->SumOf(secure::kMergedName);
  if (merged == "x" || IsMd5Hex(merged)) content += fmt::format("merged_sum:{}\n", merged);
  files_.Write(key, content);
}

void AgentBook::WriteInfo(const secure::AgentKey& key, const Facts& facts) {
  std::string first_line = facts.text.substr(0, facts.text.find('\n'));
  std::string content = secure::FormatAgentInfo(first_line, "v2");
  content += fmt::format(
      "cipher:{}\nround_trip_ms:{}\nspool_bytes:{}\nevents_dropped:{}\nlast_event:{}\n"
      "merged_sum:{}\nagent_conf_sum:{}\n",
      facts.session_cipher, facts.round_trip_ms, facts.spool_bytes, facts.dropped, facts.stored,
      HexOf(facts.merged_sum), HexOf(facts.config_sum));
  files_.Write(key, content);
}

void AgentBook::SendShared(const AgentPtr& agent, const Facts& facts, Clock::time_point now) {
  if (bundle_ == nullptr) return;
  if (facts.version == 1) {
    switch (facts.reported.state) {
      case ReportedSum::State::kUnknown:
        if (const auto named = single_files_.find(agent->serial); named != single_files_.end()) {
          transfers_.SendFiles(agent, bundle_, FilesToSend(named->second), now);
        }
        return;
      case ReportedSum::State::kSum:
        if (facts.reported.md5 == bundle_->md5_bytes) return;
        [[fallthrough]];
      case ReportedSum::State::kNone:
        return transfers_.SendMerged(agent, bundle_, now);
    }
    return;
  }
  if (!facts.has_status || facts.merged_sum == bundle_->content->sum) return;
  if (bundle_->merged().empty()) return;
  {
    const std::scoped_lock lock(agent->mutex);
    if (agent->session == nullptr) return;
    SendMergedFile(channel_, agent, bundle_->content);
  }
  nudge_(agent);
}

std::vector<const secure::SharedFile*> AgentBook::FilesToSend(std::string_view text) const {
  std::vector<const secure::SharedFile*> files;
  const auto keep_alive = secure::ParseKeepAlive(text);
  if (!keep_alive) return files;
  for (const secure::SharedFile& file : bundle_->files) {
    if (keep_alive->SumOf(file.name) != base::Md5Hex(file.content)) files.push_back(&file);
  }
  return files;
}

bool AgentBook::Save() {
  bool saved = true;
  if (!peers_.empty()) {
    std::vector<secure::ChannelState::Peer> rows;
    for (auto& [id, peer] : peers_) rows.push_back(peer);
    if (state_.SavePeers(rows)) peers_.clear();
    saved = saved && peers_.empty();
  }
  if (!hellos_.empty()) {
    std::vector<secure::ChannelState::Hello> rows;
    for (const auto& [id, counter] : hellos_) rows.push_back({id, counter});
    if (state_.SaveHellos(rows)) hellos_.clear();
    saved = saved && hellos_.empty();
  }
  if (!spools_.empty()) {
    std::vector<secure::ChannelState::Spool> rows;
    for (const auto& [id, spool] : spools_) rows.push_back(spool);
    if (state_.SaveSpools(rows)) spools_.clear();
    saved = saved && spools_.empty();
  }
  return saved;
}

void AgentBook::Forget(const Agent& agent) {
  peers_.erase(agent.id);
  hellos_.erase(agent.id);
  single_files_.erase(agent.serial);
  state_.ForgetAgent(agent.id);
}

}  // namespace ospatrol::remoted
