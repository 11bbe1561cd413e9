#include "authd/authd.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/files.h"
#include "log/log.h"
#include "secure/keys_file.h"

namespace ospatrol::authd {

namespace {

constexpr int kBacklog = 128;
constexpr int kAcceptsPerCallback = 64;
constexpr std::chrono::seconds kPauseWithoutDescriptors{1};
constexpr std::chrono::seconds kDrainAtExit{15};

// Both families on one socket; IPv4 alone where the kernel has no IPv6.
base::Fd Bind(uint16_t port) {
  constexpr int kType = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  base::Fd socket(::socket(AF_INET6, kType, 0));
  int family = AF_INET6;
  if (!socket) {
    family = AF_INET;
    socket = base::Fd(::socket(AF_INET, kType, 0));
  }
  const int on = 1;
  const int off = 0;
  secure::PeerAddress any;
  if (family == AF_INET) any = secure::PeerAddress::Parse("0.0.0.0", 0).value();
  any.port = port;
  sockaddr_storage address{};
  const socklen_t length = any.ToSockaddr(family, address);
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (!socket || bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      listen(socket.get(), kBacklog) != 0) {
    throw log::Fatal<msg::kCannotBindPort>(port, base::ErrnoText(errno));
  }
  return socket;
}

}  // namespace

Authd::Authd(daemon::Context& context, Flags flags) : context_(context), flags_(std::move(flags)) {}

void Authd::Configure(config::Problems& problems) {
  settings_ = LoadSettings(context_.home(), flags_, problems);
  password_ = LoadPassword(context_.home(), flags_.no_password, problems);
  tls_ = LoadTls();
}

std::filesystem::path Authd::Seen(const std::filesystem::path& path,
                                  std::string_view default_path) const {
  const std::filesystem::path& prefix = context_.options().prefix;
  if (path.empty()) return context_.home() / default_path;
  if (context_.home().prefix() == prefix) return path;
  const std::filesystem::path below = path.lexically_relative(prefix);
  if (below.empty() || *below.begin() == "..") {
    throw Error("'" + path.native() + "' lies outside of '" + prefix.native() +
                "', which cannot be left any more; restart to read it again");
  }
  return context_.home() / below.native();
}

tls::Context Authd::LoadTls() const {
  tls::Files files;
  files.certificate = Seen(flags_.certificate, paths::kAuthdCertificate);
  files.key = Seen(flags_.key, paths::kAuthdKey);
  if (!flags_.authorities.empty()) files.authorities = Seen(flags_.authorities, {});
  return tls::Context::Server(files, flags_.ciphers);
}

void Authd::Prepare() {
  if (geteuid() == 0) {
    const daemon::Identity& identity = context_.identity();
    secure::KeysFile(context_.home()).HandTo(identity.uid, identity.gid);
  }
  listener_ = Bind(flags_.port);
}

void Authd::Start() {
  limiter_.SetLimit(settings_.attempts_per_minute);
  enroller_ = std::make_unique<Enroller>(context_.home(), settings_);
  ChoosePassword(std::move(password_));
  workers_ = std::make_unique<WorkerPool>(settings_.threads);
  Listen();
}

void Authd::ChoosePassword(Password password) {
  if (!password.text && !flags_.no_password) {
    if (random_password_.empty()) random_password_ = RandomPassword();
    password.text = random_password_;
    log::Write<msg::kAuthdRandomPassword>(random_password_);
  } else if (password.from_file) {
    log::Write<msg::kAuthdFilePassword>(paths::kAuthdPassword);
  } else {
    log::Write<msg::kAuthdNoPassword>();
  }
  service_ = std::make_shared<const Service>(
      Service{.enroller = *enroller_, .notices = notices_, .password = std::move(password.text)});
}

void Authd::Listen() {
  accepting_ = context_.loop().WatchReadable(listener_.get(), [this] { Accept(); });
}

void Authd::Accept() {
  for (int i = 0; i < kAcceptsPerCallback; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    base::Fd socket(accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length,
                            SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) {
        // Out of descriptors or memory: the socket stays readable, so look away for a moment.
        log::Write<msg::kAuthdAcceptFailed>(base::ErrnoText(errno));
        accepting_.reset();
        pause_ = context_.loop().After(kPauseWithoutDescriptors, [this] { Listen(); });
      }
      return;
    }
    const auto peer =
        secure::PeerAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&address), length);
    if (peer) Admit(std::move(socket), *peer);
  }
}

// A connection that is not admitted is closed without a word.
void Authd::Admit(base::Fd socket, const secure::PeerAddress& peer) {
  const std::string address = peer.IpText();
  if (!flags_.allowed.empty() && !flags_.allowed.MatchesConfiguration(address)) {
    notices_.not_allowed.Write(address);
  } else if (workers_->active() >= settings_.max_connections) {
    notices_.busy.Write(address, settings_.max_connections);
  } else if (!limiter_.Admit(peer, RateLimiter::Clock::now())) {
    notices_.too_often.Write(address, settings_.attempts_per_minute);
  } else {
    workers_->Serve(service_, *tls_, std::move(socket), peer);
  }
}

// All or nothing: a certificate that cannot be read leaves password and options as they are.
void Authd::Reload(config::Problems& problems) {
  Settings settings = LoadSettings(context_.home(), flags_, problems);
  Password password = LoadPassword(context_.home(), flags_.no_password, problems);
  std::optional<tls::Context> context;
  try {
    context = LoadTls();
  } catch (const Error& error) {
    problems.Error(error.id(), paths::kAuthdCertificate, 0, error.what());
  }
  if (problems.HasErrors()) return;
  settings.threads = settings_.threads;
  settings_ = settings;
  tls_ = context;
  limiter_.SetLimit(settings_.attempts_per_minute);
  enroller_->SetSettings(settings_);
  ChoosePassword(std::move(password));
}

void Authd::Stop() {
  accepting_.reset();
  pause_.reset();
  listener_.reset();
  if (workers_) workers_->Drain(kDrainAtExit);
  workers_.reset();
}

}  // namespace ospatrol::authd
