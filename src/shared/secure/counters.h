// The counters of protocol version 1 over restarts and crashes (wire-protocol 2.5, 2.7, 2.9).
//
// Sending: the file queue/rids/sender_counter holds a counter that no packet has passed yet, ahead
// of the one in use; so a crash skips counters and never uses one twice. The global part never
// falls behind the Unix time: a lost file, a restored backup or a virtual machine set back to a
// snapshot repair themselves, because time has passed since the counters that were lost.
//
// Receiving: one ReplayWindow per peer, in memory, and all of them in state.db, written together
// once a second and synced: after a crash at most that second of packets can be replayed, once.
// Nothing switches the check off. A peer that fell behind is let in again by
//   * its own counter: senders of ours jump ahead of the Unix time (above);
//   * an administrator who deletes queue/rids/ID, the gesture that users of the protocol know;
//   * Resynchronise, for a caller with a proof that the peer is speaking now.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/fd.h"
#include "base/time.h"
#include "log/log.h"
#include "secure/channel_state.h"
#include "secure/replay_window.h"
#include "secure/sealed_message.h"

namespace ospatrol::secure {

// One per process, for all peers. Thread-safe.
class SenderCounter {
 public:
  // So many counters are reserved by one write to the disk.
  static constexpr uint32_t kReserve = 4096;
  // A time behind this one is a broken clock: receivers read the global part into 31 bits.
  static constexpr base::Seconds kLastUsableTime = 2'130'706'432;

  // Reads the file and reserves; creates it when it is missing. `now` is the Unix time. Throws
  // Error when it cannot be read or written.
  SenderCounter(std::filesystem::path file, base::Seconds now);
  // As Save.
  ~SenderCounter();
  SenderCounter(const SenderCounter&) = delete;
  SenderCounter& operator=(const SenderCounter&) = delete;

  // The counter for one packet; each is given once. When the disk refuses, it goes on counting and
  // logs a line a minute.
  Counter Next();

  // For an agent without an answer: continues at least at global `now`, and above everything given
  // before. Call it once per round of the hand-shake that got no answer.
  void JumpAhead(base::Seconds now);

  // At an orderly end: writes the last counter given, so that none is skipped.
  void Save();

 private:
  bool Reserve();  // with mutex_ held
  bool Write(Counter counter);

  std::mutex mutex_;
  std::filesystem::path file_;
  base::Fd fd_;
  Counter last_;
  Counter reserved_;
  bool saved_ = false;
};

// One peer's window. Accept and the like may be called on any thread.
class ReceiveCounter {
 public:
  explicit ReceiveCounter(ReplayWindow window) : window_(window) {}

  ReplayWindow::Verdict Accept(Counter counter);
  ReplayWindow::Verdict Check(Counter counter) const;
  void AcceptAny(Counter counter);  // remoted.verify_msg_id=0
  ReplayWindow window() const;

 private:
  friend class ReceiveCounters;

  mutable std::mutex mutex_;
  ReplayWindow window_;
  bool dirty_ = false;
};

class ReceiveCounters {
 public:
  struct Options {
    // A manager keeps a file queue/rids/ID per agent, for the gesture of deleting it; its content
    // is the counter when it was made, in the format of other implementations. An agent does not.
    bool files = true;
  };

  // `state` outlives it; `directory` is queue/rids. Reads what is stored. Throws Error.
  ReceiveCounters(ChannelState& state, std::filesystem::path directory, Options options);
  ~ReceiveCounters();
  ReceiveCounters(const ReceiveCounters&) = delete;
  ReceiveCounters& operator=(const ReceiveCounters&) = delete;

  // The window of a peer, known or new: `id` is the agent's id on a manager, any name of the server
  // on an agent. A peer that is not stored yet starts with the counter in queue/rids/ID, where an
  // earlier installation left one. The pointer keeps the window alive, also past Forget.
  // Thread-safe.
  std::shared_ptr<ReceiveCounter> For(std::string_view id);

  // The key is another one now or gone: its window starts anew. Thread-safe.
  void Forget(std::string_view id);

  // For a caller who knows that the peer itself sent `counter` just now, by an exchange that no
  // replay can imitate: the peer answered to something fresh, such as the checksum of a file with
  // random content that it was sent. The window then continues from there, downwards too.
  void Resynchronise(std::string_view id, Counter counter);

  // Writes all windows that changed, in one transaction, and makes missing files (at most
  // kFilesPerFlush a call). Once a second and at the end, by the thread that owns `state`. False
  // when the store refused; they stay in memory and the next call tries again.
  static constexpr size_t kFilesPerFlush = 500;
  bool Flush();

  // Looks whether files were deleted since the last call: these peers' windows start anew, and the
  // ids are returned, so that other counters of theirs can be forgotten too. Costs one stat while
  // nothing happens in the directory. Every few seconds, by the thread that owns `state`.
  std::vector<std::string> FindDeletedFiles();

 private:
  struct Peer {
    std::shared_ptr<ReceiveCounter> counter;
    bool has_file = false;  // was made or found; when it is gone, somebody deleted it
  };

  ReplayWindow ReadFile(std::string_view id) const;
  bool MakeFile(std::string_view id, Counter counter) const;
  void MakeMissingFiles();

  ChannelState& state_;
  std::filesystem::path directory_;
  Options options_;
  mutable std::shared_mutex mutex_;  // of peers_ and forgotten_
  std::unordered_map<std::string, Peer> peers_;
  std::vector<std::string> forgotten_;  // rows to delete at the next Flush
  int64_t directory_changed_ns_ = -1;
};

}  // namespace ospatrol::secure
