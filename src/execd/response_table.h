// etc/shared/ar.conf: the responses by the names that they have in messages
// (outputs-and-response 6.2, wire-protocol 4.5). Lines "NAME - EXECUTABLE - SECONDS".
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::execd {

struct Response {
  std::string executable;           // a file of active-response/bin
  std::chrono::seconds timeout{0};  // 0: never taken back
};

class ResponseTable {
 public:
  // True when `executable` is there; of two lines of one name the first whose file exists counts.
  using Exists = std::function<bool(const std::string& executable)>;

  // Wrong lines are skipped; `problems` gets "line N: what" for each.
  static ResponseTable Parse(std::string_view text, const Exists& exists,
                             std::vector<std::string>& problems);

  // nullptr when the name is unknown or none of its files exists.
  const Response* Find(std::string_view name) const;
  bool Knows(std::string_view name) const { return responses_.contains(name); }
  size_t size() const { return responses_.size(); }

 private:
  struct Entry {
    Response response;
    bool exists = false;
  };
  std::map<std::string, Entry, std::less<>> responses_;
};

// Letters, digits, '.', '_' and '-', 1 to 64 of them, no leading '.' or '-'.
bool IsExecutableName(std::string_view name);

}  // namespace ospatrol::execd
