// Sends shared files to agents of version 1, paced: an agent's receive buffer is small, nothing is
// acknowledged, and the sender must never wait (wire-protocol 4.4).
//
//   "#!-up file <md5> <name>\n"   content in pieces   "#!-close file "
//
// Main thread. What is lost on the way is noticed by the agent's next keep-alive.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "remoted/shared_files.h"
#include "remoted/version1.h"

namespace ospatrol::remoted {

class Transfers {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr size_t kMostAtOnce = 64;        // agents
  static constexpr size_t kPacketsPerSecond = 30;  // per agent
  static constexpr std::chrono::milliseconds kTick{1000 / kPacketsPerSecond};
  // An agent that keeps reporting the old sum gets the file again, but not all the time.
  static constexpr std::chrono::seconds kAgain{30};

  explicit Transfers(Version1Sender& sender) : sender_(sender) {}

  // merged.mg for an agent that has another one. Nothing happens while it is being sent, or was a
  // moment ago.
  void SendMerged(const AgentPtr& agent, const SharedBundlePtr& bundle, Clock::time_point now);
  // Single files, for agents that know no merged.mg.
  void SendFiles(const AgentPtr& agent, const SharedBundlePtr& bundle,
                 const std::vector<const secure::SharedFile*>& files, Clock::time_point now);
  // One packet for each that is being served. Every kTick while there is work.
  void Tick(Clock::time_point now);
  bool idle() const { return active_.empty() && waiting_.empty(); }
  size_t active() const { return active_.size(); }

 private:
  struct File {
    std::string name, md5;
    std::vector<std::string_view> pieces;  // into the bundle
  };
  struct Transfer {
    AgentPtr agent;
    SharedBundlePtr bundle;
    std::vector<File> files;
    size_t file = 0;
    size_t step = 0;  // 0: announcement; then pieces; then the end
  };
  using TransferPtr = std::unique_ptr<Transfer>;

  bool MayBegin(const Agent& agent, std::string_view what, Clock::time_point now);
  void Enqueue(TransferPtr transfer);
  // False: it is finished, or cannot go on.
  bool Step(Transfer& transfer);
  std::string NextMessage(Transfer& transfer);

  Version1Sender& sender_;
  std::vector<TransferPtr> active_;
  std::deque<TransferPtr> waiting_;
  struct Begun {
    std::string what;
    Clock::time_point when;
  };
  std::unordered_map<uint64_t, Begun> begun_;  // by agent serial; cleared when old
  Clock::time_point cleaned_{};
};

}  // namespace ospatrol::remoted
