// The other end of analysisd's sockets: sends events as fast as they are taken, or at a rate.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "meter.h"

namespace ospatrol::bench {

enum class Socket { kStream, kQueue };

struct SenderOptions {
  Socket socket = Socket::kStream;
  size_t batch = 64;    // events of a frame; 0: as many as fit, which is what logcollector sends
                        // while it is behind
  int connections = 1;  // each on a thread of its own; event i goes by connection i mod connections
  double rate = 0;      // events a second, all connections together; 0: no limit
  std::vector<int> cpus;  // processors of the sending threads; empty: any
};

// Sends while it lives. Not reusable: one object a run.
class Sender {
 public:
  // `lines` must outlive the sender. `home`: the prefix that the receiver runs in.
  Sender(const Lines& lines, const std::filesystem::path& home, SenderOptions options);
  ~Sender();

  // Begins to send events `first` ... `first` + `count` - 1.
  void Start(uint64_t first, uint64_t count);
  // Waits until all are sent and, by stream, answered. Throws Error when the receiver went away.
  void Join();
  // Sends no more; what is on its way is still waited for by Join.
  void Stop() { stop_ = true; }

  uint64_t sent() const { return sent_; }
  // Answered; for the queue, which answers nothing, taken over by the kernel.
  uint64_t taken() const { return taken_; }
  bool failed() const { return failed_; }

  // One message by the queue socket; false when nobody reads there yet.
  static bool SendOne(const std::filesystem::path& home, const std::string& message);

 private:
  void Run(int connection, uint64_t first, uint64_t end);
  void RunStream(int connection, uint64_t first, uint64_t end);
  void RunQueue(int connection, uint64_t first, uint64_t end);
  // How many events the connection may have sent by now.
  uint64_t Due(double began) const;

  const Lines& lines_;
  std::filesystem::path home_;
  SenderOptions options_;
  std::vector<std::thread> threads_;
  std::atomic<uint64_t> sent_{0}, taken_{0};
  std::atomic<bool> stop_{false}, failed_{false};
};

// Lets the calling thread run on these processors only; an empty list changes nothing. Throws
// Error.
void PinThread(const std::vector<int>& cpus);

}  // namespace ospatrol::bench
