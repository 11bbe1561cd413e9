// What agent_control asks remoted to do, and what it says about it (wire-protocol 9.1).
#pragma once

#include <string>
#include <vector>

#include "agent_control/agent_list.h"
#include "agent_control/report.h"

namespace ospatrol::agent_control {

class Commands {
 public:
  Commands(const Home& home, const AgentList& list, Form form)
      : home_(home), list_(list), form_(form) {}

  // Each prints its answer and returns the exit status.
  int Restart(const Agent& agent) const;
  int ScanAll() const;
  int Scan(const Agent* agent) const;  // null: this machine
  int Respond(const Agent& agent, const std::string& response, const std::string& address) const;
  int ListResponses() const;
  int Limit() const;
  // enable, disable, status, end.
  int Maintain(const Agent* agent, const std::string& action) const;

 private:
  struct Response {
    std::string name, command;
  };
  std::vector<Response> Responses() const;  // of ar.conf, without the restart
  enum class Delivery { kSent, kNoRemoted, kFailed };
  Delivery Deliver(const std::string& request) const;
  bool RequestLocalScan() const;
  int Succeed(const std::string& text, const std::string& json) const;
  int Fail(int code, const std::string& json, const std::string& text) const;
  void WarnUnreachable(const Agent& agent) const;

  const Home& home_;
  const AgentList& list_;
  Form form_;
};

}  // namespace ospatrol::agent_control
