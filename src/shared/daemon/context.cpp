#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "daemon/daemon.h"
#include "log/log.h"

namespace ospatrol::daemon {

Context::Context(const Program& program, Options options)
    : program_(program),
      options_(std::move(options)),
      home_(options_.prefix),
      loop_(std::make_unique<EventLoop>()) {}

Context::~Context() = default;

void Context::AllowPrograms() {
  if (!program_.may_run_programs) {
    throw Error(fmt::format("{} is not meant to run other programs", program_.name));
  }
  programs_allowed_ = true;
}

void Context::Quit(int status) {
  quitting_ = true;
  exit_status_ = status;
  loop_->Stop();
}

void Context::EnteredChroot() {
  home_ = Home("/");
  const auto relative = options_.configuration.lexically_relative(options_.prefix);
  if (relative.empty() || *relative.begin() == "..") {
    log::Write<msg::kConfigurationOutside>(options_.configuration.native(),
                                           options_.prefix.native());
    return;
  }
  options_.configuration = "/" / relative;
}

}  // namespace ospatrol::daemon
