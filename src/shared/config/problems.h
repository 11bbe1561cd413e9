// Everything that is wrong with the files of one run, in the order found; a load goes on after an
// error where it can, so that one run shows all of them (configuration-and-operation 9.1).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::config {

struct Problem {
  enum class Kind { kError, kWarning, kInfo };
  Kind kind = Kind::kError;
  int id = 0;          // number of the message (1226, 1230, 1235, ...), 0 = none
  std::string file;    // as the user wrote it, relative to the prefix
  int line = 0;        // 0 = the file as a whole
  std::string text;    // what is wrong: element, value
  std::string remedy;  // what was expected, or the nearest known name

  // "etc/ospatrol.conf:14: <alerts><log_alert_levl>: unknown option; did you mean
  // 'log_alert_level'?"
  std::string Line() const;
};

class Problems {
 public:
  void Error(int id, std::string_view file, int line, std::string text, std::string remedy = {});
  void Warning(int id, std::string_view file, int line, std::string text, std::string remedy = {});
  void Info(int id, std::string_view file, int line, std::string text, std::string remedy = {});

  bool HasErrors() const { return errors_ > 0; }
  size_t error_count() const { return errors_; }
  const std::vector<Problem>& all() const { return all_; }
  void Append(const Problems& other);

  // Writes each as one line of the log, with its level and number.
  void WriteToLog() const;

 private:
  std::vector<Problem> all_;
  size_t errors_ = 0;
};

}  // namespace ospatrol::config
