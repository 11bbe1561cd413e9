#include "remoted/transfers.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "secure/control_message.h"

namespace ospatrol::remoted {

bool Transfers::MayBegin(const Agent& agent, std::string_view what, Clock::time_point now) {
  if (now - cleaned_ >= kAgain) {
    std::erase_if(begun_, [&](const auto& row) { return now - row.second.when >= kAgain; });
    cleaned_ = now;
  }
  const auto found = begun_.find(agent.serial);
  if (found != begun_.end() && found->second.what == what && now - found->second.when < kAgain) {
    return false;
  }
  begun_[agent.serial] = {std::string(what), now};
  return true;
}

void Transfers::Enqueue(TransferPtr transfer) {
  // A newer transfer takes the place of one that goes on: agents know only one open file.
  const auto same = [&](const TransferPtr& other) { return other->agent == transfer->agent; };
  std::erase_if(waiting_, same);
  if (const auto found = std::ranges::find_if(active_, same); found != active_.end()) {
    *found = std::move(transfer);
  } else if (active_.size() < kMostAtOnce) {
    active_.push_back(std::move(transfer));
  } else {
    waiting_.push_back(std::move(transfer));
  }
}

void Transfers::SendMerged(const AgentPtr& agent, const SharedBundlePtr& bundle,
                           Clock::time_point now) {
  if (bundle->merged().empty() || !MayBegin(*agent, bundle->md5, now)) return;
  auto transfer = std::make_unique<Transfer>();
  transfer->agent = agent;
  transfer->bundle = bundle;
  transfer->files.push_back({std::string(secure::kMergedName), bundle->md5,
                             secure::FileChunks(bundle->merged(), secure::kFileChunk)});
  Enqueue(std::move(transfer));
}

void Transfers::SendFiles(const AgentPtr& agent, const SharedBundlePtr& bundle,
                          const std::vector<const secure::SharedFile*>& files,
                          Clock::time_point now) {
  if (files.empty() || !MayBegin(*agent, "files " + bundle->md5, now)) return;
  auto transfer = std::make_unique<Transfer>();
  transfer->agent = agent;
  transfer->bundle = bundle;
  for (const secure::SharedFile* file : files) {
    transfer->files.push_back({file->name, base::Md5Hex(file->content),
                               secure::FileChunks(file->content, secure::kFileChunk)});
  }
  Enqueue(std::move(transfer));
}

void Transfers::Tick(Clock::time_point /*now*/) {
  std::erase_if(active_, [this](const TransferPtr& transfer) { return !Step(*transfer); });
  while (active_.size() < kMostAtOnce && !waiting_.empty()) {
    active_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  sender_.Flush();
}

bool Transfers::Step(Transfer& transfer) {
  if (transfer.file == transfer.files.size()) return false;
  const std::scoped_lock lock(transfer.agent->mutex);
  if (!transfer.agent->IsHeard() || transfer.agent->removed || transfer.agent->version != 1) {
    return false;
  }
  return sender_.Send(*transfer.agent, NextMessage(transfer)) == Version1Sender::Result::kSent;
}

std::string Transfers::NextMessage(Transfer& transfer) {
  const File& file = transfer.files[transfer.file];
  const size_t step = transfer.step++;
  if (step == 0) return secure::FormatUpFile(file.md5, file.name);
  if (step <= file.pieces.size()) return std::string(file.pieces[step - 1]);
  ++transfer.file;
  transfer.step = 0;
  return std::string(secure::kCloseFileMessage);
}

}  // namespace ospatrol::remoted
