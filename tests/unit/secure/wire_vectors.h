// tests/data/wire-vectors.json and what its entries have in common.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "secure/keys.h"
#include "secure/sealed_message.h"

namespace ospatrol::secure {

inline const nlohmann::json& Vectors() {
  static const nlohmann::json vectors = [] {
    std::ifstream file(OSPATROL_TEST_DATA "/wire-vectors.json");
    return nlohmann::json::parse(file);
  }();
  return vectors;
}

inline std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

// Of an entry of "encode"; the largest message is only described.
inline std::string MessageOf(const nlohmann::json& vector) {
  if (vector.contains("message_hex")) return FromHex(vector["message_hex"]);
  return "1:/var/log/big.log:" + std::string(5997, 'A');
}

inline AgentKey AgentOf(const std::string& line) {
  std::vector<KeyProblem> problems;
  const KeyTable table = ParseKeys(line, problems);
  EXPECT_TRUE(problems.empty()) << line;
  return table.entries().front();
}

// All agents that the vectors use, as one client.keys.
inline KeyTable VectorAgents() {
  std::string text;
  for (const auto& agent : Vectors()["agents_used"]) {
    text += agent["client_keys_line"].get<std::string>() + "\n";
  }
  std::vector<KeyProblem> problems;
  KeyTable table = ParseKeys(text, problems);
  EXPECT_TRUE(problems.empty());
  return table;
}

// "none (treated as 0:0)", "5:9:", "5:9".
inline Counter CounterOf(const std::string& text) {
  return Counter::Parse(text).value_or(Counter{});
}

// The number in "(1404): ERROR: ..."; 0 for none.
inline int LoggedNumber(const nlohmann::json& vector) {
  const auto& log = vector["log_expected"];
  if (log.empty()) return 0;
  const std::string text = log[0];
  const size_t open = text.find('(');
  return open == std::string::npos ? 0 : std::stoi(text.substr(open + 1));
}

}  // namespace ospatrol::secure
