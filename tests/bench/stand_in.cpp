#include "stand_in.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "product/paths.h"

namespace ospatrol::bench {
namespace {

constexpr mode_t kEverybody = 0666;  // remoted connects as a user of its own
constexpr int kLookAround = 50;      // milliseconds
constexpr std::string_view kOfRemoted = "1:ossec-remoted:";
constexpr std::string_view kLost = "Events lost: ";

}  // namespace

size_t StandIn::SenderHash::operator()(const ipc::SenderId& id) const {
  size_t hash = 0;
  std::memcpy(&hash, id.data(), sizeof hash);  // ids are random
  return hash;
}

StandIn::StandIn(const std::filesystem::path& prefix)
    : listener_(Home(prefix) / paths::kEventStream, kEverybody), thread_([this] { Run(); }) {}

StandIn::~StandIn() {
  stop_ = true;
  thread_.join();
}

void StandIn::Run() {
  std::vector<pollfd> ready;
  while (!stop_) {
    ready.assign(1, {listener_.fd(), POLLIN, 0});
    for (const ipc::StreamPeer& peer : peers_) ready.push_back({peer.fd(), POLLIN, 0});
    ::poll(ready.data(), ready.size(), kLookAround);
    for (size_t i = peers_.size(); i-- > 0;) {
      if (ready[i + 1].revents == 0 || Take(peers_[i])) continue;
      peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (base::Fd fd = listener_.Accept()) {
      peers_.emplace_back(std::move(fd));
      connected_ = true;
    }
  }
}

bool StandIn::Take(ipc::StreamPeer& peer) {
  for (;;) {
    std::string reason;
    switch (peer.Receive(buffer_, frame_, reason)) {
      case ipc::StreamPeer::Status::kEmpty:
        return true;
      case ipc::StreamPeer::Status::kClosed:
        return false;
      case ipc::StreamPeer::Status::kBad:
        fmt::print(stderr, "remoted_bench: a bad frame of remoted: {}\n", reason);
        return false;
      case ipc::StreamPeer::Status::kFrame:
        break;
    }
    ++frames_;
    for (const ipc::Group& group : frame_.groups) Count(group);
    if (!peer.Answer(frame_.number)) return false;
  }
}

void StandIn::Count(const ipc::Group& group) {
  uint64_t& last = last_[group.sender];
  const uint64_t end = group.first + group.events.size();  // the number after the group
  if (last > 0 && group.first > last + 1) missing_ += group.first - last - 1;
  if (group.first <= last) repeated_ += std::min(end, last + 1) - group.first;
  last = std::max(last, end - 1);
  uint64_t events = 0;
  for (const std::string_view event : group.events) {
    if (!event.starts_with(kOfRemoted)) {
      ++events;
    } else if (const size_t at = event.find(kLost); at != std::string_view::npos) {
      said_lost_ += std::strtoull(event.data() + at + kLost.size(), nullptr, 10);
    }
  }
  events_ += events;
}

}  // namespace ospatrol::bench
