// The rule files of one load, in evaluation order.
//
// Where there is a second processor, a thread reads them ahead, while decoders are still being
// made, and compiles their patterns. Rules are made of them by the caller alone, one file after the
// other, so that neither rules nor messages depend on which thread was how fast. The caller does
// itself what the thread has not begun; without a thread, that is everything.
#pragma once

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "analysisd/prepared_patterns.h"
#include "config/dialect.h"
#include "config/problems.h"
#include "config/sections.h"
#include "product/paths.h"

namespace ospatrol::analysisd {

class RuleFiles {
 public:
  struct File {
    config::Document document;   // with its variables expanded
    config::Problems reading;    // with an error, the document is to be left out
    config::Problems variables;  // found while they were expanded
    PreparedPatterns patterns;
  };

  // `home` and `section` must outlive this.
  RuleFiles(const Home& home, const config::RulesSection& section);
  ~RuleFiles();
  RuleFiles(const RuleFiles&) = delete;
  RuleFiles& operator=(const RuleFiles&) = delete;

  // What is wrong with the entries that name files.
  const config::Problems& naming() const { return naming_; }
  size_t size() const { return pieces_.size(); }

  // Each once, in order.
  File Take(size_t number);

 private:
  enum class State { kWaits, kIsTaken, kIsReady };
  struct Piece {
    config::RulesSection::File name;
    State state = State::kWaits;
    File file;
    std::exception_ptr failure;
  };
  using Lock = std::unique_lock<std::mutex>;

  File Read(const Piece& piece) const;
  void StartThread();
  void ReadAhead();

  const Home& home_;
  config::Problems naming_;
  std::vector<Piece> pieces_;
  std::mutex mutex_;  // of the states, and of stop_
  std::condition_variable is_ready_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace ospatrol::analysisd
