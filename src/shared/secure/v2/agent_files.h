// Files that the manager sends: chunks in any order become bytes in order, checked by their
// SHA-256.
#pragma once

#include <openssl/evp.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "secure/v2/agent_link.h"

namespace ospatrol::secure::v2 {

class AgentFiles {
 public:
  static constexpr size_t kMaxHeld = 64 * 1024;  // bytes of chunks that came too early

  explicit AgentFiles(AgentPeer& peer) : peer_(peer) {}

  // False: the chunk cannot be taken now, and its packet must not be acknowledged.
  bool Take(const FileFrame& frame);

  bool has_cargo() const;
  void Put(FrameWriter& writer, Manifest& manifest);
  void Arrived(const Cargo& cargo);
  void Lost(const Cargo& cargo);
  void SendAllAgain();

 private:
  struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  struct Transfer {
    uint32_t id = 0;
    std::string name;
    uint64_t size = 0;
    uint64_t received = 0;
    FileSum sum{};
    std::unique_ptr<EVP_MD_CTX, FreeDigest> digest;
    std::map<uint64_t, std::vector<uint8_t>> held;
    size_t held_bytes = 0;
  };
  struct Ack {
    uint32_t transfer = 0;
    uint64_t received = 0;
    FileResult result = FileResult::kGoesOn;
    std::string text;
    bool waits = true;  // not on its way
  };

  bool Open(const FileFrame& frame);
  bool Feed(uint64_t offset, Bytes bytes);
  void FeedHeld();
  void Complete();
  void Finish(FileResult result, std::string_view text);
  void Answer(uint32_t transfer, uint64_t received, FileResult result, std::string_view text);

  AgentPeer& peer_;
  std::unique_ptr<Transfer> transfer_;
  Ack last_;  // of the last transfer that ended
  std::vector<Ack> acks_;
};

}  // namespace ospatrol::secure::v2
