// Many agents in one process, each with an address or a port of its own, towards one manager on
// loopback.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "meter.h"
#include "secure/cipher.h"
#include "secure/keys.h"

namespace ospatrol::bench {

// What agents 0 ... count - 1 send and get. Each has a socket, and so a port, of its own as long as
// the limit of descriptors allows; of more agents several share a socket, each by another address.
class FleetSockets {
 public:
  static constexpr size_t kMaxDatagram = 9000;

  // Throws Error.
  FleetSockets(size_t count, uint16_t port);

  // Datagrams by one socket that follow each other leave with one system call.
  void Queue(size_t agent, std::string_view datagram);
  void Flush();

  // Of datagrams that wait, the next one; waits for at most `wait_ms`. False: none.
  bool Receive(int wait_ms, size_t& agent, std::string_view& datagram);
  uint64_t sent() const { return sent_; }

 private:
  struct Waiting {
    size_t agent, offset, size;
  };
  // Of a datagram for an agent of this socket. False: of nobody here.
  bool ReceiveFrom(size_t socket, size_t& agent, std::string_view& datagram);

  base::Fd poll_;
  sockaddr_in manager_;
  size_t shared_by_ = 1;  // agents of a socket
  std::vector<base::Fd> sockets_;
  std::string bytes_;
  std::vector<Waiting> waiting_;
  std::vector<uint32_t> readable_;  // sockets with something to read, last one first
  std::string received_;
  uint64_t sent_ = 0;
};

// One thread works on it. Nothing leaves or is read except in Work, Pump and Connect.
class Fleet {
 public:
  struct Connected {
    double seconds = 0;
    size_t unanswered = 0;  // agents that were not acknowledged in time
    uint64_t repeated = 0;  // messages that were said again for want of an answer
  };

  // `lines` outlives the fleet.
  Fleet(std::vector<secure::AgentKey> keys, const Lines& lines, uint16_t port)
      : keys_(std::move(keys)), lines_(lines), sockets_(keys_.size(), port) {}
  virtual ~Fleet() = default;

  size_t size() const { return keys_.size(); }

  // Agents 0 ... `agents` - 1 say hello as after a start and are waited for, at most `at_once` at a
  // time. What was prepared for other agents leaves meanwhile; for these it is of no use any more.
  virtual Connected Connect(size_t agents, size_t at_once, double patience) = 0;
  // Queues what the agent says in each interval.
  virtual void KeepAlive(size_t agent) = 0;
  // Queues an event of the agent.
  virtual void SendEvent(size_t agent) = 0;

  // Makes packets for events of agents `first` ... `end` - 1 in turns. What was made leaves by
  // Pump, in at most so many datagrams; gives the number of datagrams that are left.
  virtual void Prepare(size_t first, size_t end, uint64_t events) = 0;
  size_t Pump(size_t datagrams);

  // Sends what is queued, takes what has come; waits for at most `wait_ms` when there is nothing.
  virtual void Work(int wait_ms) = 0;

  uint64_t sent() const { return sockets_.sent(); }
  uint64_t answers() const { return answers_; }            // keep-alives that were acknowledged
  uint64_t acknowledged() const { return acknowledged_; }  // events, version 2 only
  uint64_t refused() const { return refused_; }            // datagrams that should not have come

 protected:
  static constexpr size_t kPumpedMeanwhile = 64;  // datagrams between two looks at answers
  struct Prepared {
    size_t agent, offset, size;
  };
  void AddPrepared(size_t agent, std::string_view datagram);
  void ClearPrepared();

  std::vector<secure::AgentKey> keys_;
  const Lines& lines_;
  FleetSockets sockets_;
  uint64_t answers_ = 0, acknowledged_ = 0, refused_ = 0;

 private:
  std::string prepared_bytes_;
  std::vector<Prepared> prepared_;
  size_t pumped_ = 0;
};

// merged.mg of the manager: agents say that they have it, so that none is sent.
std::string MergedFileOf(const std::filesystem::path& prefix);

std::unique_ptr<Fleet> MakeLegacyFleet(std::vector<secure::AgentKey> keys, const Lines& lines,
                                       uint16_t port, secure::Cipher cipher,
                                       std::string_view merged);
// `datagram`: the largest one, as the network would allow.
std::unique_ptr<Fleet> MakeV2Fleet(std::vector<secure::AgentKey> keys, const Lines& lines,
                                   uint16_t port, size_t datagram, std::string_view merged);

}  // namespace ospatrol::bench
