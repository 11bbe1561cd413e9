// queue/agent-info: a file per agent that was heard; its mtime is the sign of life for all tools
// (wire-protocol 4.2, 9.3).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "log/log.h"
#include "product/paths.h"
#include "secure/agent_info.h"

namespace ospatrol::remoted {

class AgentFiles {
 public:
  explicit AgentFiles(const Home& home);

  // Replaces the file: a reader sees the old or the new one. Not synced: it is a report, and
  // 50,000 agents may come at once.
  void Write(const secure::AgentKey& agent, std::string_view content);
  // Sets its mtime; false when there is no file.
  bool Touch(const secure::AgentKey& agent);

 private:
  std::filesystem::path folder_;
  log::Limited<msg::kAgentInfoFailed> failed_;
};

}  // namespace ospatrol::remoted
