// Where the answers to the dialogue's questions come from: flags, the environment (OSPATROL_...,
// then OSSEC_...), or the person at the terminal.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace ospatrol::manage_agents {

struct Answer {
  std::string text;
  bool given = false;  // by a flag or the environment: asking again would give the same
};

class Answers {
 public:
  // As the environment variable ..._KEY, and before it.
  void Set(std::string_view key, std::string value) { set_[std::string(key)] = std::move(value); }
  std::optional<std::string> Given(std::string_view key) const;

  // `key` empty: only a person can answer. Prints `prompt` when nobody has answered yet. Throws
  // TooLarge at the end of the input, and for a line of 511 bytes or more.
  Answer Ask(std::string_view key, std::string_view prompt) const;

  struct TooLarge {};

 private:
  std::map<std::string, std::string, std::less<>> set_;
};

}  // namespace ospatrol::manage_agents
