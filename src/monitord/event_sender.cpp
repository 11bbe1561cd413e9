#include "monitord/event_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/digest.h"
#include "base/random.h"
#include "base/text.h"

namespace ospatrol::monitord {
namespace {

constexpr std::string_view kSender = "sender";
constexpr std::string_view kEvent = "event ";

std::string_view BytesOf(const ipc::SenderId& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

}  // namespace

EventSender::EventSender(std::filesystem::path stream, std::function<void()> taken)
    : sender_(std::move(stream)), taken_(std::move(taken)) {
  std::ranges::copy(base::RandomBytes(id_.size()), id_.begin());
}

void EventSender::Restore(std::string_view text) {
  for (const std::string_view line : base::Split(text, '\n')) {
    const auto words = base::SplitWords(line, " ");
    if (words.size() == 3 && words[0] == kSender) {
      const auto id = base::FromHex(words[1]);
      const auto first = base::ParseNumber<uint64_t>(words[2]);
      if (!id || id->size() != id_.size() || !first) return;
      std::ranges::copy(*id, id_.begin());
      first_ = *first;
    } else if (line.starts_with(kEvent)) {
      pending_.emplace_back(line.substr(kEvent.size()));
    }
  }
}

std::string EventSender::Save() const {
  std::string text = fmt::format("{} {} {}\n", kSender, base::ToHex(BytesOf(id_)), first_);
  for (const std::string& message : pending_) text += fmt::format("{}{}\n", kEvent, message);
  return text;
}

void EventSender::Send(std::vector<std::string> messages) { pending_ = std::move(messages); }

void EventSender::Pump() {
  if (!submitted_ && !pending_.empty()) {
    ipc::FrameBuilder builder;
    for (size_t i = 0; i < pending_.size(); ++i) builder.Add(id_, first_ + i, pending_[i]);
    sender_.Submit(builder, 0);
    submitted_ = true;
  }
  if (!sender_.IsConnected() && !sender_.Connect()) return;
  std::deque<uint64_t> answered;
  sender_.Pump(answered);
  if (answered.empty()) return;
  first_ += pending_.size();
  pending_.clear();
  submitted_ = false;
  taken_();
}

}  // namespace ospatrol::monitord
