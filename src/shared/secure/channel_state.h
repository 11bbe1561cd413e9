// queue/rids/state.db: what both ends of the agent channel must know after a restart.
//
// One process writes it: remoted on a manager, agentd on an agent. One thread of it owns the
// object. What is asked for at start throws Error; what is written while running returns false on
// failure and logs one line a minute, so that a full disk does not stop the channel.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/sqlite.h"
#include "base/time.h"
#include "secure/cipher.h"
#include "secure/peer_address.h"
#include "secure/replay_window.h"

namespace ospatrol::secure {

using SpoolId = std::array<uint8_t, 16>;

class ChannelState {
 public:
  // Opens or creates. A damaged file is renamed to state.db.damaged and a new one is started, with
  // a line in the log: the channel heals by itself (counters.h), a daemon that does not start does
  // not. Throws Error when the directory cannot be written.
  explicit ChannelState(const std::filesystem::path& file);
  ~ChannelState();
  ChannelState(const ChannelState&) = delete;
  ChannelState& operator=(const ChannelState&) = delete;

  // --- a manager's agents ---

  // Where an agent was heard last. Written at most once a minute per agent by its user.
  struct Peer {
    std::string agent_id;
    PeerAddress address{};
    base::Seconds last_heard = 0;
    Cipher cipher = Cipher::kAes;  // of version 1
    uint8_t version = 1;           // 1 or 2
    uint32_t interval = 0;         // observed seconds between its keep-alives, 0 = unknown
  };
  std::vector<Peer> LoadPeers();
  bool SavePeers(std::span<const Peer> peers);

  // Highest hello counter of version 2 seen from an agent.
  struct Hello {
    std::string agent_id;
    uint64_t counter = 0;
  };
  std::vector<Hello> LoadHellos();
  bool SaveHellos(std::span<const Hello> hellos);

  // The last event of a spool that analysisd has answered for.
  struct Spool {
    SpoolId id{};
    std::string agent_id;
    uint64_t last_event = 0;
  };
  std::vector<Spool> LoadSpools();
  bool SaveSpools(std::span<const Spool> spools);

  // Address, hello counter, windows and spools of one agent: its key is gone or was changed.
  bool ForgetAgent(std::string_view agent_id);
  // Hello counter only: the administrator's gesture (counters.h) for version 2.
  bool ForgetHello(std::string_view agent_id);

  // --- an agent's servers ---

  struct Server {
    std::string server;                 // "address:port" as configured
    std::optional<Cipher> cipher = {};  // of version 1: the one that was answered
    bool v2 = false;                    // version 2 worked
    bool stay = false;            // and the manager wants it to stay so: no way back to version 1
    std::string manager_id = {};  // 16 bytes, empty when unknown
  };
  std::vector<Server> LoadServers();
  // Durable when it returns true.
  bool SaveServer(const Server& server);

  // Own hello counter: max(stored + 1, `unix_us`), on disk before it is returned. Nothing when the
  // disk refuses: then no hand-shake may be begun.
  std::optional<uint64_t> NextHelloCounter(int64_t unix_us);

  // --- both ---

  // Numbers for what a daemon hands to analysisd under a name of its own (agents of version 1,
  // syslog): [first, first + count) is given once, over crashes too. Nothing when the disk refuses.
  // The name is made with the store: lower-case hex of 16 random bytes.
  const std::string& sender_id() const { return sender_id_; }
  std::optional<uint64_t> ReserveNumbers(uint64_t count);

  // `size` random bytes under a name, made at the first call and the same ever after: manager id,
  // secret of the reset tokens, spool id. Throws Error when they cannot be stored.
  std::string Secret(std::string_view name, size_t size);

  // --- windows of version 1, for ReceiveCounters ---

  struct Window {
    std::string peer;
    ReplayWindow window;
    bool has_file = false;
  };
  std::vector<Window> LoadWindows();
  // One transaction, on disk when it returns true.
  bool SaveWindows(std::span<const Window> changed, std::span<const std::string> deleted);

  const std::filesystem::path& file() const { return file_; }

 private:
  struct Statements;

  void Open();
  // Runs `work` in a transaction; false and a line in the log when the store refuses.
  bool Write(const std::function<void()>& work, bool durable);

  std::filesystem::path file_;
  std::unique_ptr<base::Database> database_;
  std::unique_ptr<Statements> statements_;  // of database_
  std::string sender_id_;
};

}  // namespace ospatrol::secure
