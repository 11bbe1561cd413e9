#include "analysisd/rule_files.h"

#include <csignal>
#include <system_error>
#include <utility>

#include "analysisd/condition_pattern.h"
#include "analysisd/processors.h"
#include "config/rule_files.h"

namespace ospatrol::analysisd {
namespace {

void Prepare(const config::Document& document, PreparedPatterns& patterns) {
  for (const config::Element& group : document.roots) {
    for (const config::Element& rule : group.children) PreparePatterns(rule, patterns);
  }
}

}  // namespace

RuleFiles::RuleFiles(const Home& home, const config::RulesSection& section) : home_(home) {
  auto names = config::ExpandRuleFiles(home, section, config::RuleFileKind::kRules, naming_);
  pieces_.reserve(names.size());
  for (config::RulesSection::File& name : names) {
    pieces_.emplace_back().name = std::move(name);
  }
  if (pieces_.size() > 1 && Processors() > 1) StartThread();
}

RuleFiles::~RuleFiles() {
  if (!thread_.joinable()) return;
  {
    const Lock lock(mutex_);
    stop_ = true;
  }
  thread_.join();
}

// Signals are for the daemon's own thread. Where no thread can be had, it takes longer.
void RuleFiles::StartThread() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { ReadAhead(); });
  } catch (const std::system_error&) {
    stop_ = true;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void RuleFiles::ReadAhead() {
  Lock lock(mutex_);
  for (Piece& piece : pieces_) {
    if (stop_) return;
    if (piece.state != State::kWaits) continue;
    piece.state = State::kIsTaken;
    lock.unlock();
    try {
      piece.file = Read(piece);
      Prepare(piece.file.document, piece.file.patterns);
    } catch (...) {
      piece.failure = std::current_exception();
    }
    lock.lock();
    piece.state = State::kIsReady;
    is_ready_.notify_one();
  }
}

RuleFiles::File RuleFiles::Take(size_t number) {
  Piece& piece = pieces_[number];
  Lock lock(mutex_);
  if (piece.state == State::kWaits) {
    piece.state = State::kIsTaken;
    lock.unlock();
    return Read(piece);
  }
  is_ready_.wait(lock, [&] { return piece.state == State::kIsReady; });
  if (piece.failure != nullptr) std::rethrow_exception(piece.failure);
  return std::move(piece.file);
}

RuleFiles::File RuleFiles::Read(const Piece& piece) const {
  File file;
  file.document = config::ReadRuleFile(home_, piece.name, file.reading);
  if (!file.reading.HasErrors()) config::ExpandVariables(file.document, file.variables);
  return file;
}

}  // namespace ospatrol::analysisd
