#include "analysisd/memory_state.h"

namespace ospatrol::analysisd {

bool MemoryState::KnowsFirstSeen(std::string_view line) const {
  return first_seen_.contains(std::string(line));
}

bool MemoryState::RememberFirstSeen(std::string_view line) {
  return first_seen_.emplace(line).second;
}

bool MemoryState::IsIgnored(std::string_view line) const {
  return ignored_.contains(std::string(line));
}

void MemoryState::Ignore(std::string_view line) { ignored_.emplace(line); }

std::optional<std::string> MemoryState::LastOutput(std::string_view host, int rule_id) const {
  const auto found = outputs_.find({std::string(host), rule_id});
  if (found == outputs_.end()) return std::nullopt;
  return found->second;
}

void MemoryState::StoreOutput(std::string_view host, int rule_id, std::string_view output) {
  outputs_[{std::string(host), rule_id}] = output;
}

std::optional<std::string> MemoryState::HostPorts(std::string_view address) const {
  const auto found = ports_.find(address);
  if (found == ports_.end()) return std::nullopt;
  return found->second;
}

void MemoryState::StoreHostPorts(std::string_view address, std::string_view ports) {
  ports_[std::string(address)] = ports;
}

bool MemoryState::RememberRootcheck(std::string_view location, std::string_view text,
                                    int64_t time) {
  return rootcheck_.insert_or_assign({std::string(location), std::string(text)}, time).second;
}

EngineState::KnownFile MemoryState::LastFile(std::string_view location,
                                             std::string_view name) const {
  const auto found = files_.find({std::string(location), std::string(name)});
  if (found == files_.end()) return {};
  return {.record = found->second};
}

void MemoryState::StoreFile(std::string_view location, std::string_view name,
                            const FileRecord& record, int64_t /*time*/) {
  files_.insert_or_assign({std::string(location), std::string(name)}, record);
}

bool MemoryState::BaselineComplete(std::string_view location) const {
  return complete_.contains(location);
}

void MemoryState::SetBaselineComplete(std::string_view location) { complete_.emplace(location); }

bool MemoryState::AcceptSilently(std::string_view location, std::string_view /*kind*/,
                                 std::string_view /*name*/, int64_t /*time*/) {
  if (!maintenance_.contains(location)) return false;
  ++silent_updates_;
  return true;
}

void MemoryState::SetMaintenance(std::string_view location, bool on) {
  if (on) {
    maintenance_.emplace(location);
  } else {
    maintenance_.erase(std::string(location));
  }
}

}  // namespace ospatrol::analysisd
