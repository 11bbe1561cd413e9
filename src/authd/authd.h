// The enrolment daemon.
#pragma once

#include <memory>
#include <optional>

#include "authd/rate_limiter.h"
#include "authd/settings.h"
#include "authd/worker_pool.h"
#include "daemon/daemon.h"

namespace ospatrol::authd {

class Authd : public daemon::Daemon {
 public:
  Authd(daemon::Context& context, Flags flags);

  void Configure(config::Problems& problems) override;
  void Prepare() override;
  void Start() override;
  void Reload(config::Problems& problems) override;
  void Stop() override;

 private:
  tls::Context LoadTls() const;
  // A path of the flags as the process sees it now. Throws Error when it lies outside the chroot.
  std::filesystem::path Seen(const std::filesystem::path& path,
                             std::string_view default_path) const;
  void ChoosePassword(Password password);
  void Listen();
  void Accept();
  void Admit(base::Fd socket, const secure::PeerAddress& peer);

  daemon::Context& context_;
  Flags flags_;
  Settings settings_;
  Password password_;
  std::string random_password_;
  std::optional<tls::Context> tls_;
  base::Fd listener_;

  Notices notices_;
  RateLimiter limiter_{0};
  std::unique_ptr<Enroller> enroller_;
  std::shared_ptr<const Service> service_;
  std::unique_ptr<WorkerPool> workers_;
  daemon::EventLoop::Registration accepting_;
  daemon::EventLoop::Registration pause_;
};

}  // namespace ospatrol::authd
