#include "execd/undo_list.h"

#include <algorithm>

namespace ospatrol::execd {

Undo* UndoList::Find(const std::string& executable, const Request& request) {
  const auto found = std::ranges::find_if(undos_, [&](const Undo& undo) {
    return undo.executable == executable && SameTarget(undo.request, request);
  });
  return found == undos_.end() ? nullptr : &*found;
}

std::optional<Undo> UndoList::TakeDue(Undo::Clock::time_point now) {
  const auto found = std::ranges::min_element(undos_, {}, &Undo::due);
  if (found == undos_.end() || found->due > now) return std::nullopt;
  Undo undo = std::move(*found);
  undos_.erase(found);
  return undo;
}

std::optional<Undo> UndoList::Take() {
  return undos_.empty() ? std::nullopt : TakeDue(Undo::Clock::time_point::max());
}

std::optional<Undo::Clock::time_point> UndoList::NextDue() const {
  const auto found = std::ranges::min_element(undos_, {}, &Undo::due);
  return found == undos_.end() ? std::nullopt : std::optional(found->due);
}

}  // namespace ospatrol::execd
