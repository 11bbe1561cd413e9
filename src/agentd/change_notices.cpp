#include "agentd/change_notices.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ospatrol::agentd {

std::vector<std::string> ChangeNotices::Note(const std::string& file, const std::string& text,
                                             Time now) {
  std::vector<std::string> texts;
  auto known = told_.find(file);
  if (known == told_.end() && told_.size() >= kMostFiles) {
    texts = TakeAll();
    told_.clear();
  }
  if (known == told_.end()) {
    told_[file] = {.at = now, .since = 0, .last = {}};
    texts.push_back(text);
    return texts;
  }
  Told& told = known->second;
  ++told.since;
  told.last = text;
  if (now - told.at >= kTellEvery) texts.push_back(Release(told, now));
  return texts;
}

std::vector<std::string> ChangeNotices::Due(Time now) {
  std::vector<std::string> texts;
  for (auto& [file, told] : told_) {
    if (told.since > 0 && now - told.at >= kTellEvery) texts.push_back(Release(told, now));
  }
  return texts;
}

std::vector<std::string> ChangeNotices::TakeAll() {
  std::vector<std::string> texts;
  for (auto& [file, told] : told_) {
    if (told.since > 0) texts.push_back(Release(told, told.at));
  }
  return texts;
}

std::optional<ChangeNotices::Time> ChangeNotices::NextDue() const {
  std::optional<Time> next;
  for (const auto& [file, told] : told_) {
    if (told.since == 0) continue;
    const Time due = told.at + kTellEvery;
    next = next ? std::min(*next, due) : due;
  }
  return next;
}

std::string ChangeNotices::Release(Told& told, Time now) {
  std::string text = std::move(told.last);
  if (told.since > 1) text += fmt::format(" ({} times before)", told.since - 1);
  told = {.at = now, .since = 0, .last = {}};
  return text;
}

}  // namespace ospatrol::agentd
