#include "pattern/set_sequence.h"

#include <algorithm>

namespace ospatrol::pattern {
namespace {

constexpr size_t kMaxSets = 16;

}  // namespace

std::optional<SetSequence> SetSequence::From(const Syntax& syntax) {
  if (syntax.groups != 0 || syntax.characters) return std::nullopt;
  SetSequence sequence;
  if (!sequence.Add(syntax, syntax.root) || sequence.sets_.empty()) return std::nullopt;
  if (!sequence.start_ && (sequence.sets_.size() > 1 || sequence.end_)) {
    return std::nullopt;
  }
  return sequence;
}

// False when it is more than a further piece of a sequence.
bool SetSequence::Add(const Syntax& syntax, const Node& node) {
  switch (node.kind) {
    case Node::Kind::kSequence:
    case Node::Kind::kGroup:
      return std::all_of(node.children.begin(), node.children.end(),
                         [&](const Node& piece) { return Add(syntax, piece); });
    case Node::Kind::kSet:
      if (end_ || sets_.size() == kMaxSets) return false;
      sets_.push_back(syntax.sets[node.set]);
      return true;
    case Node::Kind::kRepeat:
      if (node.min != node.max) return false;
      for (uint32_t i = 0; i < node.min; ++i) {
        if (!Add(syntax, node.children.front())) return false;
      }
      return true;
    case Node::Kind::kAssertion:
      if (node.assertion == Assertion::kStart && sets_.empty()) {
        start_ = true;
        return true;
      }
      if (end_ ||
          (node.assertion != Assertion::kEnd && node.assertion != Assertion::kEndOrFinalNewline)) {
        return false;
      }
      end_ = node.assertion;
      return true;
    case Node::Kind::kAlternatives:
      return false;
  }
  return false;
}

bool SetSequence::MatchesAt(std::string_view subject, size_t at) const {
  const size_t left = subject.size() - at;
  const size_t size = sets_.size();
  if (left < size || (end_ == Assertion::kEnd && left != size)) return false;
  if (end_ == Assertion::kEndOrFinalNewline && left != size &&
      (left != size + 1 || subject.back() != '\n')) {
    return false;
  }
  for (size_t i = 0; i < size; ++i) {
    if (!sets_[i].HasByte(static_cast<uint8_t>(subject[at + i]))) return false;
  }
  return true;
}

std::optional<size_t> SetSequence::Find(std::string_view subject) const {
  const size_t starts = start_ ? 1 : subject.size();
  for (size_t at = 0; at < starts; ++at) {
    if (MatchesAt(subject, at)) return at + sets_.size();
  }
  return std::nullopt;
}

}  // namespace ospatrol::pattern
