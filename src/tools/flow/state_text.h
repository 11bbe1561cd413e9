// The text of a state file, var/run/PROGRAM.state: lines KEY='VALUE' and comments
// (configuration-and-operation 2.11). Service users write it, so nothing in it is trusted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace ospatrol::flow {

class StateText {
 public:
  // Lines of another form are passed over.
  explicit StateText(std::string_view text);

  // Empty when there is no such key.
  std::string_view Text(std::string_view key) const;
  // 0 when there is no such key or it is no number.
  uint64_t Number(std::string_view key) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace ospatrol::flow
