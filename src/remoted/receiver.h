// A thread that owns one of the UDP sockets of the secure port: reads packets in batches, has them
// handled by version, and sends the answers.
//
// Control messages are never behind events: a receiver does not wait for analysisd, and the answer
// to a keep-alive leaves with the batch that brought it.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "remoted/fair_share.h"
#include "remoted/version1.h"
#include "remoted/version2.h"

namespace ospatrol::remoted {

class Receiver {
 public:
  Receiver(Channel& channel, UdpSocket& socket, uint16_t number, int port);
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver() { Stop(); }

  void Start();
  // Takes no more packets; answers of analysisd still reach their agents.
  void Quieten();
  // Tells agents of version 2 that the manager stops, and ends the thread.
  void Stop();

  // Thread-safe.
  void Stored(std::vector<Outlet::Taken> taken);  // analysisd has answered for these
  void Send(AgentPtr agent);                      // its link of version 2 has something to send
  // Its key is not what it was in `registry`: its session is closed.
  void Dismiss(RegistryPtr registry, AgentPtr agent);

 private:
  // A packet of somebody unknown: it waits for the keys that may just be changing.
  struct Parked {
    std::string bytes;
    Route from;
    std::chrono::steady_clock::time_point until;
  };

  struct Dismissed {
    RegistryPtr registry;
    AgentPtr agent;
  };

  void Run();
  void Wait();
  void TakeMail();
  void ReceiveAll();
  // False: nobody knows its sender.
  bool Handle(const Packet& packet);
  void HandleOrPark(const Packet& packet);
  void RetryParked();
  void LogUnknown(const Packet& packet);
  void Wake();
  // Adds to the mail, by `add`, and wakes the thread if it had none.
  template <typename Add>
  void Post(Add add);
  bool HasMail() const { return !stored_.empty() || !to_send_.empty() || !dismissed_.empty(); }

  Channel& channel_;
  UdpSocket& socket_;
  const uint16_t number_;
  const int port_;
  UdpReader reader_;
  Version1Sender sender_;
  Version1 version1_;
  Version2 version2_;
  FairShare share_;

  RegistryPtr registry_;
  uint64_t registry_version_ = 0;
  Policy policy_;
  secure::v2::Now now_;
  std::deque<Parked> parked_;
  uint64_t parked_version_ = 0;  // of the table that did not know them

  base::Fd wake_;
  std::atomic<bool> quiet_{false};
  std::atomic<bool> stopping_{false};
  std::mutex mail_mutex_;
  std::vector<Outlet::Taken> stored_;
  std::vector<AgentPtr> to_send_;
  std::vector<Dismissed> dismissed_;
  std::thread thread_;
  log::Limited<msg::kSocketFailed> failed_;
};

}  // namespace ospatrol::remoted
