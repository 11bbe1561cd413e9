#include "config/problems.h"

#include <fmt/format.h>

#include <utility>

#include "log/log.h"

namespace ospatrol::config {
namespace {

log::Level LevelOf(Problem::Kind kind) {
  switch (kind) {
    case Problem::Kind::kError:
      return log::Level::kError;
    case Problem::Kind::kWarning:
      return log::Level::kWarn;
    case Problem::Kind::kInfo:
      return log::Level::kInfo;
  }
  return log::Level::kError;
}

}  // namespace

std::string Problem::Line() const {
  std::string out;
  if (!file.empty())
    out = line > 0 ? fmt::format("{}:{}: ", file, line) : fmt::format("{}: ", file);
  out += text;
  if (!remedy.empty()) out += "; " + remedy;
  return out;
}

void Problems::Error(int id, std::string_view file, int line, std::string text,
                     std::string remedy) {
  all_.push_back(
      {Problem::Kind::kError, id, std::string(file), line, std::move(text), std::move(remedy)});
  ++errors_;
}

void Problems::Warning(int id, std::string_view file, int line, std::string text,
                       std::string remedy) {
  all_.push_back(
      {Problem::Kind::kWarning, id, std::string(file), line, std::move(text), std::move(remedy)});
}

void Problems::Info(int id, std::string_view file, int line, std::string text, std::string remedy) {
  all_.push_back(
      {Problem::Kind::kInfo, id, std::string(file), line, std::move(text), std::move(remedy)});
}

void Problems::Append(const Problems& other) {
  all_.insert(all_.end(), other.all_.begin(), other.all_.end());
  errors_ += other.errors_;
}

void Problems::WriteToLog() const {
  for (const Problem& problem : all_) {
    log::WriteLine(problem.id, LevelOf(problem.kind), problem.Line());
  }
}

}  // namespace ospatrol::config
