// The other side of a link, for the fuzz targets of the session protocol: it has the key and says
// what the fuzzer wants.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "secure/v2/agent_link.h"
#include "secure/v2/manager_link.h"

namespace ospatrol::secure::v2::fuzz {

// The same bytes in every run.
class Counting : public RandomSource {
 public:
  void Fill(MutableBytes bytes) override {
    for (uint8_t& byte : bytes)
      byte = static_cast<uint8_t>((state_ = state_ * 6364136223846793005u + 1) >> 56);
  }
  void Restart() { state_ = 1; }

 private:
  uint64_t state_ = 1;
};

struct ManagerOwner : public ManagerPeer {
  uint64_t HelloCounter() override { return 0; }
  void SaveHelloCounter(uint64_t) override {}
  uint64_t StoredEvent(const SpoolId&) override { return 0; }
  bool Deliver(const SpoolId& id, uint64_t first,
               std::span<const std::string_view> events) override {
    if (first <= delivered) std::abort();  // an event came twice
    for (const std::string_view event : events) {
      if (event.empty() || event.size() > kMaxEvent) std::abort();
    }
    if (++calls_ % 5 == 0) return false;  // the queue is full now and then
    spool = id;
    delivered = first + events.size() - 1;
    return true;
  }
  void Established(const Session&) override {}
  void Closed(uint16_t, std::string_view) override {}
  void StatusReceived(const StatusFrame&) override {}
  void ControlFinished(uint64_t, ControlOutcome, std::string_view) override {}
  void FileFinished(std::string_view, FileOutcome, std::string_view) override {}
  void KeyShared() override {}

  SpoolId spool{};
  uint64_t delivered = 0;

 private:
  int calls_ = 0;
};

struct AgentOwner : public AgentPeer {
  std::optional<uint64_t> NextHelloCounter(uint64_t at_least) override { return at_least; }
  void Established(const Session&) override {}
  void Unreachable() override {}
  void ClosedByManager(uint16_t, std::string_view) override {}
  Answer Control(std::string_view) override { return {}; }
  void ControlDone(uint64_t) override {}
  bool FileBegins(std::string_view, uint64_t size) override { return size < 1000000; }
  bool FileBytes(std::string_view, Bytes) override { return true; }
  FileVerdict FileComplete(std::string_view) override { return {}; }
  void FileAborted(std::string_view) override {}
  StatusFrame Status() override { return {}; }
};

class Spool : public EventSource {
 public:
  SpoolId id() const override { return {1, 2, 3}; }
  uint64_t first() const override { return first_; }
  uint64_t next() const override { return 101; }
  std::optional<std::string_view> Event(uint64_t number) override {
    if (number == 50) return std::nullopt;
    return "1:/var/log/messages:Nov 22 07:00:00 web01 sshd[1]: Accepted publickey for root";
  }
  void Acknowledged(uint64_t number) override {
    if (number < first_ || number > 100) std::abort();
    first_ = number + 1;
  }
  void SetBack() override {}

 private:
  uint64_t first_ = 1;
};

struct Shared {
  static Shared& Get() {
    static Shared shared;
    shared.random.Restart();
    return shared;
  }

  AgentLink::Config AgentConfig() const {
    AgentLink::Config config;
    config.agent_id = "001";
    config.name = "web01";
    config.key = std::string(64, 'k');
    config.product = "OSPatrol v0";
    return config;
  }

  std::unique_ptr<Initiator> NewHello() {
    HelloContent content;
    content.spool = {9, 9};
    content.first = 1;
    content.next = 100;
    content.product = "OSPatrol v0";
    return std::make_unique<Initiator>(worker.aead, random, "001", psk, 5000, content);
  }
  std::vector<uint8_t> ValidHello() {
    const auto hello = NewHello();
    return {hello->hello().begin(), hello->hello().end()};
  }

  // As an agent: a session with `link`.
  std::optional<Session> SayHello(ManagerLink& link, ManagerPeer& owner, Now now) {
    const auto hello = NewHello();
    std::array<uint8_t, kHelloSize> reply{};
    const auto outcome = link.ReceiveHello(worker, owner, now, hello->hello(), reply);
    const auto result = hello->ReadWelcome(worker.aead, Bytes(reply).first(outcome.reply));
    if (!result) return std::nullopt;
    return Session(result->keys, hello->connection(), result->remote, now.monotonic_ms);
  }

  v2::Welcome AnswerTo(Bytes hello) {
    const auto head = ParseHello(hello);
    if (!head) std::abort();
    WelcomeContent content;
    content.hello_counter = head->counter;
    const auto made = MakeWelcome(worker.aead, random, *head, psk, content, 77);
    if (!made) std::abort();
    return *made;
  }

  // As a manager: a session with `link`.
  std::optional<Session> Welcome(AgentLink& link, Now now) {
    link.Start(now);
    std::array<uint8_t, kMaxDatagram> out{};
    const size_t size = link.NextDatagram(now, out);
    const auto head = ParseHello(Bytes(out).first(size));
    if (!head) return std::nullopt;
    const auto welcome = AnswerTo(Bytes(out).first(size));
    link.Receive(now, welcome.bytes);
    return Session(welcome.keys, 77, head->connection, now.monotonic_ms);
  }

  Counting random;
  const Psk psk = DerivePsk("001", "web01", std::string(64, 'k'));
  Responder responder{MakeConfig(), random};
  Worker worker;
  const std::shared_ptr<const FileContent> file = MakeFileContent(std::string(5000, 'f'));

 private:
  static Responder::Config MakeConfig() {
    Responder::Config config;
    config.hellos_per_second = 1000000000;
    config.answers_per_second = 1000000000;
    return config;
  }
};

}  // namespace ospatrol::secure::v2::fuzz
