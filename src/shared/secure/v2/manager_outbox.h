// What waits at the manager for one agent: controls and files, until they are acknowledged. Exists
// only while there is something, so that an idle agent costs nothing.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "secure/v2/manager_link.h"

namespace ospatrol::secure::v2 {

class ManagerOutbox {
 public:
  // 0: too many, or the text is too long.
  uint64_t AddControl(RandomSource& random, std::string_view text, int64_t now_ms);
  bool AddFile(RandomSource& random, ManagerPeer& peer, std::string_view name,
               std::shared_ptr<const FileContent> content);
  void SetClose(CloseReason reason, std::string_view text);

  // Controls that are older than kControlLifeMs are given up.
  void Expire(ManagerPeer& peer, int64_t now_ms);
  int64_t next_expiry() const;

  // False: not an answer to anything here (ignored).
  bool Take(ManagerPeer& peer, const ControlAckFrame& ack);
  bool Take(ManagerPeer& peer, const FileAckFrame& ack);

  bool HasCargo() const;
  bool has_close() const { return has_close_; }
  // Puts what fits, names it in `manifest`. `began_ms`: when the session began.
  void Put(FrameWriter& writer, Manifest& manifest, int64_t began_ms);
  void PutClose(FrameWriter& writer);
  void Settle(const Sender::Fate& fate);
  // A new session: what was on its way in the old one is sent again.
  void StartAgain();

  // Nothing waits, and nothing is on its way.
  bool empty() const {
    return controls_.empty() && files_.empty() && !has_close_ && sender_.in_flight() == 0;
  }
  Sender& sender() { return sender_; }
  const Sender& sender() const { return sender_; }
  Sender::Fate& fate() { return fate_; }
  size_t heap_bytes() const;

 private:
  struct Control {
    uint64_t number = 0;
    int64_t queued_ms = 0;
    std::string text;
    bool waits = true;  // not on its way
  };
  struct File {
    uint32_t transfer = 0;
    std::string name;
    std::shared_ptr<const FileContent> content;
    bool open = false;                                 // the agent has said where to go on
    bool opening_sent = false;                         // its first chunk is on its way
    uint64_t next = 0;                                 // first byte that was not sent yet
    std::vector<std::pair<uint64_t, uint32_t>> again;  // lost chunks: offset, length
  };

  void PutControls(FrameWriter& writer, Manifest& manifest, int64_t began_ms);
  void PutFile(FrameWriter& writer, Manifest& manifest);
  uint32_t PutChunk(FrameWriter& writer, const File& file, uint64_t offset, uint64_t limit);
  static bool CanSend(const File& file);

  std::vector<Control> controls_;
  std::vector<File> files_;  // the first one is being sent
  Sender sender_;
  Sender::Fate fate_;
  bool has_close_ = false;
  CloseReason close_reason_ = CloseReason::kStop;
  std::string close_text_;
};

}  // namespace ospatrol::secure::v2
