// Errors of start-up and reload. The data path does not throw.
#pragma once

#include <stdexcept>
#include <string>

namespace ospatrol {

// One line for a person: what happened, where, what was expected. `id` is the stable message number of the log
// (0 = none); the daemon skeleton prints "<program>(<id>): ERROR: <text>" and exits 1.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& text) : std::runtime_error(text), id_(0) {}
  Error(int id, const std::string& text) : std::runtime_error(text), id_(id) {}

  int id() const { return id_; }

 private:
  int id_;
};

}  // namespace ospatrol
