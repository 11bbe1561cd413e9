#include "command_line.h"

#include <fmt/format.h>
#include <getopt.h>

#include <cstdio>
#include <cstdlib>

#include "base/text.h"

namespace ospatrol::bench {

void CommandLine::Leave(std::string_view text) const {
  fmt::print(stderr, "{}: {}\n{}", program_, text, usage_);
  std::exit(2);
}

void CommandLine::Add(const char* name, bool has_value, Take take) {
  options_.push_back({name, has_value, std::move(take)});
}

void CommandLine::AddFlag(const char* name, bool& to, bool value) {
  Add(name, false, [&to, value](const char*) { to = value; });
}

void CommandLine::AddNumber(const char* name, uint64_t smallest,
                            std::function<void(uint64_t)> take) {
  Add(name, true, [this, name, smallest, take = std::move(take)](const char* text) {
    take(Number(name, text, smallest));
  });
}

void CommandLine::AddProcessors(const char* name, std::vector<int>& to) {
  Add(name, true, [this, name, &to](const char* text) {
    to.clear();
    for (const std::string_view part : base::Split(text, ',')) {
      to.push_back(static_cast<int>(Number(name, part, 0)));
    }
  });
}

uint64_t CommandLine::Number(const char* name, std::string_view text, uint64_t smallest) const {
  const auto value = base::ParseNumber<uint64_t>(text);
  if (value && *value >= smallest) return *value;
  Leave(fmt::format("--{} is '{}'; a number of at least {} is expected", name, text, smallest));
}

std::vector<std::string_view> CommandLine::Parse(int argc, char** argv) const {
  std::vector<option> known;
  for (const Option& one : options_) {
    known.push_back({one.name, one.has_value ? required_argument : no_argument, nullptr, 0});
  }
  known.push_back({nullptr, 0, nullptr, 0});
  int index = 0;
  for (int found = 0; (found = ::getopt_long(argc, argv, "", known.data(), &index)) != -1;) {
    if (found == '?') Leave("see above");
    options_[static_cast<size_t>(index)].take(optarg);
  }
  return {argv + optind, argv + argc};
}

}  // namespace ospatrol::bench
