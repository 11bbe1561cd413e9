// Options of a benchmark: one line for each of them, into the variable that it sets.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ospatrol::bench {

class CommandLine {
 public:
  // `usage` ends with a newline.
  CommandLine(std::string program, std::string usage)
      : program_(std::move(program)), usage_(std::move(usage)) {}
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // What each option sets; the variables must be there until Parse has returned.
  void AddFlag(const char* name, bool& to, bool value);
  template <typename Number>
  void AddNumber(const char* name, Number& to, uint64_t smallest) {
    AddNumber(name, smallest, [&to](uint64_t value) { to = static_cast<Number>(value); });
  }
  template <typename Text>
  void AddText(const char* name, Text& to) {
    Add(name, true, [&to](const char* text) { to = text; });
  }
  // May be given again.
  template <typename Text>
  void AddTexts(const char* name, std::vector<Text>& to) {
    Add(name, true, [&to](const char* text) { to.emplace_back(text); });
  }
  // As 0 or 0,1.
  void AddProcessors(const char* name, std::vector<int>& to);

  // Gives the words that are no options. Ends the process with 2 on what is wrong.
  std::vector<std::string_view> Parse(int argc, char** argv) const;

  // One line of what is wrong, the usage, exit code 2.
  [[noreturn]] void Leave(std::string_view text) const;

 private:
  using Take = std::function<void(const char*)>;
  struct Option {
    const char* name;
    bool has_value;
    Take take;
  };

  void Add(const char* name, bool has_value, Take take);
  void AddNumber(const char* name, uint64_t smallest, std::function<void(uint64_t)> take);
  uint64_t Number(const char* name, std::string_view text, uint64_t smallest) const;

  std::string program_, usage_;
  std::vector<Option> options_;
};

}  // namespace ospatrol::bench
