#include "remoted/outlet.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "log/log.h"
#include "remoted/forwarding.h"

namespace ospatrol::remoted {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kReconnect{200};
constexpr milliseconds kIdle{1000};
constexpr int kDatagramWait = 20;  // milliseconds
constexpr std::chrono::minutes kLostAgain{1};
// A frame that is not full goes out only when few are without answer: load makes frames full.
constexpr size_t kEagerFrames = 2;

bool Exists(const std::filesystem::path& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace

Outlet::Outlet(Options options, TakenHook hook)
    : options_(std::move(options)),
      hook_(std::move(hook)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      stream_(options_.stream),
      datagram_(options_.queue) {
  if (!wake_) throw Error("eventfd: " + base::ErrnoText(errno));
  // Nothing of these events outlives this process, so neither must the numbers: a new sender each
  // time can never be taken for a repetition.
  const std::string random = base::RandomBytes(own_id_.size());
  std::copy(random.begin(), random.end(), own_id_.begin());
}

Outlet::~Outlet() {
  if (thread_.joinable()) Stop(milliseconds(0));
}

void Outlet::Start() {
  // Signals belong to the main thread.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Outlet::Stop(milliseconds limit) {
  deadline_ = Clock::now() + limit;
  stopping_ = true;
  Wake();
  if (thread_.joinable()) thread_.join();
}

void Outlet::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

bool Outlet::Add(const ipc::SenderId& sender, uint64_t number, std::string_view event) {
  if (building_.frame.Add(sender, number, event)) return true;
  finished_.push_back(std::exchange(building_, Load{}));
  return building_.frame.Add(sender, number, event);
}

size_t Outlet::Offer(std::span<const std::string_view> events) {
  size_t taken = 0, added = 0;
  {
    const std::scoped_lock lock(mutex_);
    size_t waiting = waiting_bytes_.load(std::memory_order_relaxed);
    for (const std::string_view event : events) {
      if (waiting + event.size() > options_.most_bytes) break;
      if (!Add(own_id_, next_own_, event)) break;
      ++next_own_;
      ++taken;
      waiting += event.size();
      building_.bytes += event.size();
      added += event.size();
    }
    waiting_bytes_.fetch_add(added, std::memory_order_relaxed);
  }
  if (taken > 0) Flush();
  return taken;
}

void Outlet::NoteTaken(const ipc::SenderId& sender, uint64_t last,
                       const std::shared_ptr<Agent>& agent) {
  auto& notes = building_.notes;
  if (notes.empty() || notes.back().agent != agent || notes.back().sender != sender) {
    notes.push_back({agent, sender, last});
  }
  notes.back().last = last;
}

bool Outlet::OfferNumbered(const ipc::SenderId& sender, std::span<const Numbered> events,
                           uint64_t last, const std::shared_ptr<Agent>& agent) {
  {
    const std::scoped_lock lock(mutex_);
    size_t bytes = 0;
    for (const Numbered& numbered : events) bytes += numbered.event.size();
    if (waiting_bytes_.load(std::memory_order_relaxed) + bytes > options_.most_bytes) return false;
    for (const Numbered& numbered : events) {
      // The frame may change between two events: each that holds some of them has its note.
      Add(sender, numbered.number, numbered.event);
      building_.bytes += numbered.event.size();
      NoteTaken(sender, numbered.number, agent);
    }
    NoteTaken(sender, last, agent);
    waiting_bytes_.fetch_add(bytes, std::memory_order_relaxed);
    if (finished_.empty()) return true;
  }
  Flush();
  return true;
}

void Outlet::Flush() {
  if (asleep_.exchange(false)) Wake();
}

void Outlet::Run() {
  while (!stopping() || (!IsDrained() && Clock::now() < deadline_.load())) {
    KeepConnected();
    if (stream_.IsConnected()) {
      PumpStream();
    } else if (datagram_.IsConnected()) {
      PumpDatagrams();
    }
    WaitForWork();
  }
}

bool Outlet::IsDrained() {
  const std::scoped_lock lock(mutex_);
  return in_flight_.empty() && finished_.empty() && building_.frame.empty() &&
         building_.notes.empty();
}

void Outlet::WaitForWork() {
  const bool stream = stream_.IsConnected();
  const bool can_send = stream ? stream_.unanswered() < kEagerFrames : datagram_.IsConnected();
  asleep_ = true;
  {
    const std::scoped_lock lock(mutex_);
    const bool work = !finished_.empty() || !building_.frame.empty() || !building_.notes.empty();
    const bool full = !finished_.empty() && stream && stream_.CanAccept();
    if ((work && can_send) || full) {
      asleep_ = false;
      return;
    }
  }
  pollfd fds[2] = {{wake_.get(), POLLIN, 0}, {stream ? stream_.fd() : -1, POLLIN, 0}};
  if (stream && stream_.WantsWrite()) fds[1].events |= POLLOUT;
  auto limit = connected() ? kIdle : kReconnect;
  if (stopping()) limit = std::min(limit, milliseconds(20));
  ::poll(fds, 2, static_cast<int>(limit.count()));
  asleep_ = false;
  uint64_t ignored = 0;
  [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &ignored, sizeof ignored);
}

void Outlet::KeepConnected() {
  if (stream_.IsConnected()) return;
  const auto now = Clock::now();
  if (now < try_again_) return;
  try_again_ = now + (datagram_.IsConnected() ? kIdle : kReconnect);
  if (Exists(options_.stream) || !Exists(options_.queue)) {
    queue_alone_since_.reset();
    ConnectStream();
    return;
  }
  if (!queue_alone_since_) queue_alone_since_ = now;
  if (now - *queue_alone_since_ >= options_.stream_grace) ConnectDatagram();
}

void Outlet::ConnectStream() {
  if (!stream_.Connect()) {
    if (!datagram_.IsConnected()) Lost(base::ErrnoText(errno));
    return;
  }
  datagram_.Disconnect();
  connected_ = true;
  lost_logged_.reset();
  log::Write<msg::kAnalysisConnected>(options_.stream.native());
}

void Outlet::ConnectDatagram() {
  if (datagram_.IsConnected()) return;
  if (!datagram_.Connect()) {
    Lost(base::ErrnoText(errno));
    return;
  }
  connected_ = true;
  lost_logged_.reset();
  log::Write<msg::kAnalysisWithoutAnswers>(options_.stream.native(), options_.queue.native());
}

// At once, then once a minute for as long as it lasts.
void Outlet::Lost(const std::string& reason) {
  connected_ = false;
  const auto now = Clock::now();
  if (lost_logged_ && now - *lost_logged_ < kLostAgain) return;
  lost_logged_ = now;
  log::Write<msg::kAnalysisGone>(options_.stream.native(), reason);
}

std::optional<Outlet::Load> Outlet::NextLoad(bool partial_too) {
  const std::scoped_lock lock(mutex_);
  if (!finished_.empty()) {
    Load load = std::move(finished_.front());
    finished_.pop_front();
    return load;
  }
  if (!partial_too || (building_.frame.empty() && building_.notes.empty())) return std::nullopt;
  return std::exchange(building_, Load{});
}

void Outlet::PumpStream() {
  while (stream_.CanAccept()) {
    std::optional<Load> load = NextLoad(stream_.unanswered() < kEagerFrames);
    if (!load) break;
    if (load->frame.empty()) {
      // Only notes: they are true as soon as all that came before is.
      if (in_flight_.empty()) {
        Answered(std::move(load->notes), 0, 0);
      } else {
        in_flight_.push_back({next_token_ - 1, 0, 0, std::move(load->notes)});
      }
      continue;
    }
    const uint64_t token = next_token_++;
    const size_t events = load->frame.events();
    stream_.Submit(load->frame, token);
    in_flight_.push_back({token, events, load->bytes, std::move(load->notes)});
  }
  std::deque<uint64_t> tokens;
  const bool alive = stream_.Pump(tokens);
  for (const uint64_t token : tokens) {
    while (!in_flight_.empty() && in_flight_.front().token <= token) {
      InFlight& frame = in_flight_.front();
      Answered(std::move(frame.notes), frame.events, frame.bytes);
      in_flight_.pop_front();
    }
  }
  if (!alive) Lost("the connection was closed");
}

void Outlet::Answered(std::vector<Taken> notes, size_t events, size_t bytes) {
  events_taken_.fetch_add(events, std::memory_order_relaxed);
  waiting_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  if (!notes.empty()) hook_(std::move(notes));
}

// What was sent on the stream and has no answer waits for the stream to come back: on the queue it
// might come twice.
void Outlet::PumpDatagrams() {
  while (datagram_.IsConnected()) {
    std::optional<Load> load = NextLoad(true);
    if (!load) return;
    if (load->frame.empty()) {
      Answered(std::move(load->notes), 0, 0);
      continue;
    }
    const std::string bytes(load->frame.Finish(1));
    const size_t events = load->frame.events();
    ipc::Frame frame;
    std::string reason;
    ipc::ParseFrame(bytes, frame, reason);  // our own: always well-formed
    const size_t sent = SendDatagrams(frame);
    if (sent < events) {
      PutBack(frame, sent, std::move(*load));
      return;
    }
    Answered(std::move(load->notes), events, load->bytes);
    if (Exists(options_.stream)) return;  // back to the better one
  }
}

// Gives the number of events that were sent; fewer than all when the reader went away or the time
// is over.
size_t Outlet::SendDatagrams(const ipc::Frame& frame) {
  size_t sent = 0;
  for (const ipc::Group& group : frame.groups) {
    for (const std::string_view event : group.events) {
      const std::string datagram = ForDatagramQueue(event);
      for (;;) {
        const auto status = datagram_.Send(datagram, kDatagramWait);
        if (status == ipc::DatagramSender::Status::kSent) break;
        if (status == ipc::DatagramSender::Status::kGone) {
          Lost(base::ErrnoText(errno));
          return sent;
        }
        if (stopping() && Clock::now() >= deadline_.load()) return sent;
      }
      ++sent;
    }
  }
  return sent;
}

void Outlet::PutBack(const ipc::Frame& frame, size_t sent, Load load) {
  Load rest;
  rest.notes = std::move(load.notes);
  size_t sent_bytes = 0;
  for (const ipc::Group& group : frame.groups) {
    uint64_t number = group.first;
    for (const std::string_view event : group.events) {
      if (sent > 0) {
        --sent;
        sent_bytes += event.size();
      } else {
        rest.frame.Add(group.sender, number, event);
      }
      ++number;
    }
  }
  rest.bytes = load.bytes - std::min(load.bytes, sent_bytes);
  waiting_bytes_.fetch_sub(load.bytes - rest.bytes, std::memory_order_relaxed);
  const std::scoped_lock lock(mutex_);
  finished_.push_front(std::move(rest));
}

}  // namespace ospatrol::remoted
