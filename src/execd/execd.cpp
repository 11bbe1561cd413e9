#include "execd/execd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

#include "base/files.h"
#include "base/text.h"
#include "config/configuration.h"
#include "config/internal_options.h"
#include "ipc/unix_socket.h"
#include "log/log.h"
#include "product/shown_path.h"

namespace ospatrol::execd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr mode_t kSocketMode = 0660;
constexpr seconds kGrace{5};  // from SIGTERM to SIGKILL
constexpr int kMostAtOnce = 64;

std::string ShortName(const std::string& text) {
  return base::EscapeControls(std::string_view(text).substr(0, 64));
}

// Datagram and who sent it; -1 when none waits.
ssize_t ReceiveFrom(int fd, std::span<char> bytes, unsigned& sender) {
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t count = ::recvmsg(fd, &header, MSG_TRUNC | MSG_DONTWAIT);
  sender = ~0U;
  if (count < 0) return count;
  for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item)) {
    if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_CREDENTIALS) continue;
    ucred credentials{};
    std::memcpy(&credentials, CMSG_DATA(item), sizeof credentials);
    sender = credentials.uid;
  }
  return count;
}

}  // namespace

Execd::Settings Execd::Load(config::Problems& problems) const {
  const daemon::Options& command_line = context_.options();
  const config::Configuration configuration =
      config::LoadConfiguration(command_line.configuration,
                                product::ShownPath(command_line.configuration, command_line.prefix),
                                config::Reader::kExecd, problems);
  const auto options =
      config::InternalOptions::Load(context_.home(), problems, context_.program().name);
  Settings settings;
  settings.max_runtime = seconds(options.Get("execd.max_runtime"));
  // Only a section that is about nothing else switches the whole program off
  // (configuration-and-operation 3.13).
  settings.disabled = std::ranges::any_of(configuration.active_responses, [](const auto& response) {
    const bool bound = !response.command.empty() || response.on_server || response.on_origin ||
                       response.on_defined_agent || response.on_all;
    return response.disabled && !bound;
  });
  return settings;
}

void Execd::Configure(config::Problems& problems) {
  context_.AllowPrograms();
  settings_ = Load(problems);
  if (problems.error_count() > 0 || !settings_.disabled || context_.options().test) return;
  log::Write<msg::kResponsesDisabled>();
  context_.Quit(0);
}

void Execd::Start() {
  for (const std::string_view user : {product::kUser, product::kRemoteUser}) {
    senders_.push_back(daemon::LookUpIdentity(std::string(user), std::string(product::kGroup)).uid);
  }
  senders_.push_back(::geteuid());
  socket_ = ipc::BindUnixSocket(context_.home() / paths::kExecQueue, SOCK_DGRAM, kSocketMode);
  const int on = 1;
  if (::setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    throw log::Fatal<msg::kQueueNotAccessible>(paths::kExecQueue, base::ErrnoText(errno));
  }
  ReadResponses();
  daemon::EventLoop& loop = context_.loop();
  readable_ = loop.WatchReadable(socket_.get(), [this] { Receive(); });
  child_ = loop.OnSignal(SIGCHLD, [this] { Reap(); });
}

void Execd::Reload(config::Problems& problems) {
  Settings settings = Load(problems);
  if (problems.error_count() > 0) return;
  settings_ = settings;
  ReadResponses();
  if (!settings_.disabled) return;
  log::Write<msg::kResponsesDisabled>();
  context_.Quit(0);
}

void Execd::ReadResponses() {
  const Home& home = context_.home();
  struct stat facts {};
  const std::string file = home / paths::kArConf;
  if (::stat(file.c_str(), &facts) != 0) {
    responses_ = {};
    responses_stamp_.clear();
    return;
  }
  responses_stamp_ = fmt::format("{} {} {}.{}", facts.st_ino, facts.st_size, facts.st_mtim.tv_sec,
                                 facts.st_mtim.tv_nsec);
  std::vector<std::string> problems;
  try {
    responses_ = ResponseTable::Parse(
        base::ReadFile(file),
        [&](const std::string& executable) {
          std::string reason;
          return MayRun(home / paths::kActiveResponseBin, executable, reason);
        },
        problems);
  } catch (const Error& error) {
    problems.emplace_back(error.what());
  }
  for (const std::string& problem : problems) {
    log::Write<msg::kResponseLine>(paths::kArConf, base::EscapeControls(problem));
  }
}

// The manager sends a new ar.conf whenever it likes: it is read again as soon as it has changed.
const Response* Execd::FindResponse(const std::string& name) {
  struct stat facts {};
  const std::string file = context_.home() / paths::kArConf;
  const bool there = ::stat(file.c_str(), &facts) == 0;
  const std::string stamp = there ? fmt::format("{} {} {}.{}", facts.st_ino, facts.st_size,
                                                facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec)
                                  : std::string();
  if (stamp != responses_stamp_ || responses_.Find(name) == nullptr) ReadResponses();
  return responses_.Find(name);
}

void Execd::Receive() {
  std::array<char, kMaxRequest + 1> bytes;
  for (int i = 0; i < kMostAtOnce; ++i) {
    unsigned sender = 0;
    const ssize_t count = ReceiveFrom(socket_.get(), bytes, sender);
    if (count < 0) return;
    // One byte too many shows that it is too long.
    Take({bytes.data(), std::min(static_cast<size_t>(count), bytes.size())}, sender);
  }
}

void Execd::Take(std::string_view datagram, unsigned sender) {
  if (std::ranges::find(senders_, sender) == senders_.end()) {
    return log::Write<msg::kResponseSender>(sender);
  }
  std::string reason;
  const auto request = ParseRequest(datagram, reason);
  if (!request) return log::Write<msg::kResponseRefused>(base::EscapeControls(reason));
  const Response* response = FindResponse(request->name);
  if (response == nullptr) {
    return log::Write<msg::kResponseUnknown>(ShortName(request->name),
                                             responses_.Knows(request->name)
                                                 ? "its script is missing or may not be run"
                                                 : "not in etc/shared/ar.conf");
  }
  Respond(*response, *request);
}

void Execd::Respond(const Response& response, const Request& request) {
  if (response.timeout > seconds(0)) {
    const auto due = Clock::now() + response.timeout;
    if (Undo* undo = undos_.Find(response.executable, request)) {
      undo->due = due;
      return PlanUndo();
    }
    undos_.Add({response.executable, request, due});
    PlanUndo();
  }
  Enqueue({response.executable, Action::kAdd, request});
}

void Execd::Enqueue(Job job) {
  // What takes back is never left out.
  if (waiting_.size() >= kMostWaiting && job.action == Action::kAdd) {
    return log::Write<msg::kResponseRefused>("too many responses wait");
  }
  waiting_.push_back(std::move(job));
  RunWaiting();
}

// In their order, but `delete` and `add` of one target never beside or before each other: a block
// would be made after it was taken back, and stay.
void Execd::RunWaiting() {
  for (auto next = waiting_.begin(); next != waiting_.end() && running_.size() < kMostRunning;) {
    const auto comes_first = [&next](const Job& job) {
      return job.action != next->action && job.executable == next->executable &&
             SameTarget(job.request, next->request);
    };
    if (std::any_of(waiting_.begin(), next, comes_first) ||
        std::ranges::any_of(running_,
                            [&](const auto& run) { return comes_first(run.second.job); })) {
      ++next;
      continue;
    }
    const Job job = std::move(*next);
    next = waiting_.erase(next);
    RunJob(job);
  }
}

void Execd::RunJob(const Job& job) {
  const auto directory = context_.home() / paths::kActiveResponseBin;
  std::string reason;
  if (!MayRun(directory, job.executable, reason)) {
    return log::Write<msg::kResponseScript>(job.executable, reason);
  }
  try {
    ScriptRun run(directory / job.executable, job.action, job.request, context_.home().prefix());
    const pid_t pid = run.pid();
    log::Debug(1, "{} {} runs as process {}", job.executable, ActionName(job.action), pid);
    running_.emplace(pid, Running{job, std::move(run), Clock::now() + settings_.max_runtime});
  } catch (const Error& error) {
    return log::Write<msg::kResponseScript>(job.executable, error.what());
  }
  if (!deadline_timer_) {
    deadline_timer_ = context_.loop().Every(seconds(1), [this] { StopOverdue(); });
  }
}

void Execd::Reap() {
  int status = 0;
  for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0;
       pid = ::waitpid(-1, &status, WNOHANG)) {
    Ended(pid, status);
  }
  RunWaiting();
}

void Execd::Ended(pid_t pid, int status) {
  const auto found = running_.find(pid);
  if (found == running_.end()) return;
  const Running& running = found->second;
  if (status != 0) {
    const std::string how = WIFEXITED(status) ? fmt::format("exit status {}", WEXITSTATUS(status))
                                              : fmt::format("signal {}", WTERMSIG(status));
    const std::string said = base::EscapeControls(running.run.ErrorText());
    log::Write<msg::kResponseFailed>(running.job.executable, ActionName(running.job.action), how,
                                     said.empty() ? "" : ": " + said);
  }
  running_.erase(found);
  if (running_.empty()) deadline_timer_.reset();
}

void Execd::Due() {
  while (auto undo = undos_.TakeDue(Clock::now())) {
    Enqueue({undo->executable, Action::kDelete, std::move(undo->request)});
  }
  PlanUndo();
}

void Execd::PlanUndo() {
  undo_timer_.reset();
  const auto due = undos_.NextDue();
  if (!due) return;
  const auto wait = std::chrono::ceil<milliseconds>(*due - Clock::now());
  undo_timer_ = context_.loop().After(std::max(wait, milliseconds(1)), [this] { Due(); });
}

void Execd::StopOverdue() {
  const auto now = Clock::now();
  for (auto& [pid, running] : running_) {
    if (now < running.deadline) continue;
    running.run.Signal(running.warned ? SIGKILL : SIGTERM);
    if (!running.warned) {
      log::Write<msg::kResponseOverdue>(running.job.executable, settings_.max_runtime.count());
    }
    running.warned = true;
    running.deadline = now + kGrace;
  }
}

// What is in force is taken back at the end, one after the other.
void Execd::Stop() {
  readable_.reset();
  child_.reset();
  undo_timer_.reset();
  deadline_timer_.reset();
  FinishAll();
  while (auto undo = undos_.Take()) {
    RunJob({undo->executable, Action::kDelete, std::move(undo->request)});
    FinishAll();
  }
  socket_.reset();
  ::unlink((context_.home() / paths::kExecQueue).c_str());
}

void Execd::FinishAll() {
  deadline_timer_.reset();
  while (!running_.empty() || !waiting_.empty()) {
    RunWaiting();
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid > 0) {
      Ended(pid, status);
    } else if (pid < 0) {
      return;
    } else {
      StopOverdue();
      ::usleep(10'000);
    }
  }
}

}  // namespace ospatrol::execd
