// One enrolment: hand-shake, request, answer, close. A state machine on an event loop; nothing in
// it waits, except Enroller for the disk.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "authd/enroller.h"
#include "authd/notices.h"
#include "base/fd.h"
#include "daemon/event_loop.h"
#include "secure/peer_address.h"
#include "tls/stream.h"

namespace ospatrol::authd {

// What all connections share; outlives them.
struct Service {
  Enroller& enroller;
  Notices& notices;
  std::optional<std::string> password;  // nothing: none is asked for
};

// Lives on the thread of `loop`.
class Connection {
 public:
  // For hand-shake and request together.
  static constexpr std::chrono::seconds kRequestTime{30};
  static constexpr std::chrono::seconds kAnswerTime{10};
  // A refused peer waits so long for the end: guessing passwords takes time.
  static constexpr std::chrono::seconds kRefusedPause{1};
  static constexpr std::chrono::seconds kCloseTime{2};

  // `done` is called once, from inside a callback of the connection, which must not be destroyed
  // before that has returned (EventLoop::Post). Throws Error when memory is out.
  Connection(daemon::EventLoop& loop, std::shared_ptr<const Service> service,
             const tls::Context& context, base::Fd socket, const secure::PeerAddress& peer,
             std::function<void()> done);

  // The daemon ends: what has not asked yet is closed, an answer that is on its way still goes.
  void Finish();

 private:
  enum class State { kHandshake, kRequest, kAnswer, kPause, kClose, kDrain, kDone };

  void Advance();
  // One step; true when the next one can be tried at once.
  bool Step();
  bool HandshakeStep();
  bool RequestStep();
  bool AnswerStep();
  bool CloseStep();
  bool DrainStep();

  void Decide(const secure::EnrolmentRequest& request);
  void Enrol(std::string_view name);
  void Refuse(std::string answer);
  void Answer(std::string answer);
  void Pause();
  bool Wait(tls::Stream::Result result);
  void SetDeadline(std::chrono::milliseconds time);
  void OnDeadline();
  void Done();

  daemon::EventLoop& loop_;
  std::shared_ptr<const Service> service_;
  secure::PeerAddress peer_;
  std::function<void()> done_;
  tls::Stream stream_;
  State state_ = State::kHandshake;
  std::string received_;
  std::string answer_;
  std::string_view unsent_;
  size_t drained_ = 0;
  bool refused_ = false;
  bool finishing_ = false;
  // After stream_: they end before its socket closes.
  daemon::EventLoop::Registration waiting_;
  daemon::EventLoop::Registration deadline_;
};

}  // namespace ospatrol::authd
