#include "logcollector/notices.h"

#include "ipc/queue_message.h"

namespace ospatrol::logcollector {

Notices::Notices(PositionStore& store) : store_(store) {
  for (StoredNotice& notice : store.LoadNotices()) notices_.push_back(std::move(notice));
}

bool Notices::Add(std::string_view location, std::string_view text) {
  auto notice = store_.AddNotice(location, text.substr(0, kMaxText));
  if (!notice) return false;
  notices_.push_back(std::move(*notice));
  return true;
}

bool Notices::OfferTo(Sink& sink) {
  while (HasWaiting()) {
    const StoredNotice notice = notices_[next_];
    const std::string message =
        ipc::FormatQueueMessage(ipc::Kind::kLog, notice.location, notice.text);
    const Position after{0, notice.number, {}};
    if (!sink.Offer(shared_from_this(), store_.notice_sender(), after, message)) return false;
    // A sink without answers has said Taken already, and the notice is gone.
    if (HasWaiting() && notices_[next_].number == notice.number) ++next_;
  }
  return true;
}

void Notices::Taken(const Position& position) {
  while (!notices_.empty() && notices_.front().number <= position.number) {
    notices_.pop_front();
    if (next_ > 0) --next_;
  }
  store_.DeleteNoticesUpTo(position.number);
}

}  // namespace ospatrol::logcollector
