#include "remoted/agent.h"

#include <utility>

#include "remoted/version2.h"

namespace ospatrol::remoted {
namespace {

uint64_t NextSerial() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

Agent::Agent(const secure::AgentKey& key, std::shared_ptr<secure::ReceiveCounter> received)
    : serial(NextSerial()),
      id(key.id),
      keys(secure::DeriveKeys(key)),
      counter(std::move(received)) {}

Agent::~Agent() = default;

Registry::Registry(secure::KeyTable keys, std::unordered_set<std::string> v2_only,
                   const Registry* before, secure::ReceiveCounters& counters)
    : keys_(std::move(keys)), v2_only_(std::move(v2_only)) {
  agents_.reserve(keys_.size());
  by_name_.reserve(keys_.size());
  by_serial_.reserve(keys_.size());
  for (const secure::AgentKey& key : keys_.entries()) {
    by_name_.emplace(key.name, static_cast<uint32_t>(agents_.size()));
    if (before != nullptr) {
      const Entry old = before->Find(key.id);
      if (old && old.key->key == key.key && old.key->name == key.name) {
        agents_.push_back(*old.agent);
        continue;
      }
      if (old) counters.Forget(key.id);
    }
    agents_.push_back(std::make_shared<Agent>(key, counters.For(key.id)));
  }
  for (uint32_t i = 0; i < agents_.size(); ++i) by_serial_.emplace(agents_[i]->serial, i);
}

Registry::Entry Registry::FindByName(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? Entry{} : (*this)[found->second];
}

Registry::Entry Registry::FindBySerial(uint64_t serial) const {
  const auto found = by_serial_.find(serial);
  return found == by_serial_.end() ? Entry{} : (*this)[found->second];
}

Registry::Entry Registry::Of(const Agent& agent) const { return FindBySerial(agent.serial); }

std::vector<AgentPtr> Registry::Missing(const Registry& before) const {
  std::vector<AgentPtr> missing;
  for (const AgentPtr& agent : before.agents_) {
    if (!Of(*agent)) missing.push_back(agent);
  }
  return missing;
}

void RegistryHolder::Set(RegistryPtr registry) {
  const std::scoped_lock lock(mutex_);
  registry_ = std::move(registry);
  version_.fetch_add(1, std::memory_order_release);
}

RegistryPtr RegistryHolder::Get() const {
  const std::scoped_lock lock(mutex_);
  return registry_;
}

}  // namespace ospatrol::remoted
