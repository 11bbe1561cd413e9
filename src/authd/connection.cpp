#include "authd/connection.h"

#include <utility>

#include "base/error.h"

namespace ospatrol::authd {

namespace {

using Result = tls::Stream::Result;
constexpr size_t kMaxShownName = 64;
constexpr size_t kMaxDrained = size_t{64} << 10;

std::string_view Shown(std::string_view name) { return name.substr(0, kMaxShownName); }

}  // namespace

Connection::Connection(daemon::EventLoop& loop, std::shared_ptr<const Service> service,
                       const tls::Context& context, base::Fd socket,
                       const secure::PeerAddress& peer, std::function<void()> done)
    : loop_(loop),
      service_(std::move(service)),
      peer_(peer),
      done_(std::move(done)),
      stream_(context, std::move(socket), tls::Stream::Side::kServer) {
  SetDeadline(kRequestTime);
  Wait(Result::kWantRead);
}

void Connection::Finish() {
  finishing_ = true;
  if (state_ == State::kAnswer || state_ == State::kDone) return;
  if (state_ == State::kPause) {
    state_ = State::kClose;
    Advance();
  } else {
    Done();
  }
}

void Connection::Advance() {
  while (state_ != State::kDone && Step()) {
  }
}

bool Connection::Step() {
  switch (state_) {
    case State::kHandshake:
      return HandshakeStep();
    case State::kRequest:
      return RequestStep();
    case State::kAnswer:
      return AnswerStep();
    case State::kClose:
      return CloseStep();
    case State::kDrain:
      return DrainStep();
    default:
      return false;
  }
}

bool Connection::HandshakeStep() {
  const Result result = stream_.Handshake();
  if (result == Result::kDone) {
    state_ = State::kRequest;
    return true;
  }
  if (Wait(result)) return false;
  service_->notices.handshake.Write(peer_.IpText(), stream_.fault());
  Done();
  return false;
}

bool Connection::RequestStep() {
  const Result result = stream_.Read(received_);
  if (result == Result::kDone) {
    const secure::EnrolmentRequest request = secure::ParseEnrolmentRequest(received_);
    if (request.state != secure::EnrolmentRequest::State::kIncomplete) Decide(request);
    return true;
  }
  if (Wait(result)) return false;
  service_->notices.request.Write(peer_.IpText());
  Done();
  return false;
}

void Connection::Decide(const secure::EnrolmentRequest& request) {
  if (request.state == secure::EnrolmentRequest::State::kMalformed) {
    service_->notices.request.Write(peer_.IpText());
    Refuse({});
    return;
  }
  const std::optional<std::string>& expected = service_->password;
  if (expected && !(request.password && secure::SamePassword(*request.password, *expected))) {
    service_->notices.password.Write(peer_.IpText());
    Refuse(secure::FormatInvalidPassword());
    return;
  }
  Enrol(request.name);
}

void Connection::Enrol(std::string_view name) {
  const Enrolment result = service_->enroller.Enrol(name, peer_, base::WallNow());
  switch (result.outcome) {
    case Enrolment::Outcome::kAdded:
      if (!result.replaced.empty()) {
        log::Write<msg::kAuthdReplaced>(result.replaced, result.agent->name, peer_.IpText());
      }
      log::Write<msg::kAuthdAdded>(result.agent->name, result.agent->id, peer_.IpText());
      Answer(secure::FormatEnrolledKey(*result.agent));
      return;
    case Enrolment::Outcome::kBadName:
      service_->notices.name.Write(Shown(name), peer_.IpText(), result.text);
      Refuse(secure::FormatInvalidName(name));
      return;
    case Enrolment::Outcome::kAddressTaken:
      service_->notices.address.Write(peer_.IpText(), result.text);
      Refuse(secure::FormatAddressTaken(result.text));
      return;
    case Enrolment::Outcome::kFailed:
      service_->notices.failed.Write(Shown(name), result.text);
      Refuse(secure::FormatEnrolmentFailure(name));
      return;
  }
}

void Connection::Refuse(std::string answer) {
  refused_ = true;
  Answer(std::move(answer));
}

void Connection::Answer(std::string answer) {
  answer_ = std::move(answer);
  unsent_ = answer_;
  state_ = State::kAnswer;
  SetDeadline(kAnswerTime);
}

bool Connection::AnswerStep() {
  if (!unsent_.empty()) {
    const Result result = stream_.Write(unsent_);
    if (result != Result::kDone) {
      if (!Wait(result)) Done();
      return false;
    }
  }
  if (refused_ && !finishing_) {
    Pause();
    return false;
  }
  state_ = State::kClose;
  return true;
}

void Connection::Pause() {
  state_ = State::kPause;
  waiting_.reset();
  SetDeadline(kRefusedPause);
}

bool Connection::CloseStep() {
  const Result result = stream_.Close();
  if (result == Result::kWantRead || result == Result::kWantWrite) {
    SetDeadline(kCloseTime);
    Wait(result);
    return false;
  }
  // Closing a socket with unread bytes would make the kernel throw the answer away.
  state_ = State::kDrain;
  SetDeadline(kCloseTime);
  return true;
}

bool Connection::DrainStep() {
  received_.clear();
  const Result result = stream_.Read(received_);
  drained_ += received_.size();
  if (result == Result::kDone && drained_ <= kMaxDrained) return true;
  if (!Wait(result)) Done();
  return false;
}

// False when there is nothing to wait for, or no descriptor to wait with.
bool Connection::Wait(Result result) {
  const auto advance = [this] { Advance(); };
  try {
    if (result == Result::kWantRead) {
      waiting_ = loop_.WatchReadable(stream_.socket(), advance);
      return true;
    }
    if (result == Result::kWantWrite) {
      waiting_ = loop_.WatchWritable(stream_.socket(), advance);
      return true;
    }
  } catch (const Error& error) {
    log::Write<msg::kAuthdAcceptFailed>(error.what());
  }
  return false;
}

void Connection::SetDeadline(std::chrono::milliseconds time) {
  deadline_ = loop_.After(time, [this] { OnDeadline(); });
}

void Connection::OnDeadline() {
  if (state_ == State::kPause) {
    state_ = State::kClose;
    Advance();
    return;
  }
  if (state_ == State::kHandshake || state_ == State::kRequest) {
    service_->notices.time_out.Write(peer_.IpText());
  }
  Done();
}

void Connection::Done() {
  if (state_ == State::kDone) return;
  state_ = State::kDone;
  waiting_.reset();
  deadline_.reset();
  done_();
}

}  // namespace ospatrol::authd
