// A tree has nothing but characters, classes, groups, alternatives, plain assertions and repetition
// of what can be repeated, all of which PCRE2 knows in this form. What is left to be refused is a
// matter of size: it nests groups 250 deep, and its code has at most 64 KiB, into which groups are
// copied as often as they are repeated. Both are kept far away from here: a piece of code is a
// class with its repetition, below 64 bytes, or the frame of a copied group, below 16.
#include "pattern/acceptance.h"

#include <algorithm>

namespace ospatrol::pattern {
namespace {

constexpr size_t kMaxNesting = 64;
constexpr size_t kMaxPieces = 512;

// The pieces of code that nodes become, counted up to kMaxPieces.
class Counter {
 public:
  size_t pieces() const { return pieces_; }
  bool copies_groups() const { return copies_groups_; }

  void Add(const Node& node) { pieces_ = std::min(pieces_ + PiecesOf(node, 0), kTooMany); }

 private:
  static constexpr size_t kTooMany = kMaxPieces + 1;

  size_t PiecesOf(const Node& node, size_t nesting) {
    if (nesting > kMaxNesting) return kTooMany;
    size_t pieces = 1;
    const bool is_group = node.kind == Node::Kind::kGroup;
    for (const Node& child : node.children) {
      pieces +=
          child.kind == Node::Kind::kSet ? 2 : 1 + PiecesOf(child, nesting + (is_group ? 1 : 0));
      if (pieces > kMaxPieces) return kTooMany;
    }
    if (node.kind != Node::Kind::kRepeat || node.children.front().kind == Node::Kind::kSet) {
      return pieces;
    }
    const uint32_t most = node.max == Node::kUnlimited ? node.min : node.max;
    copies_groups_ |= most > 1;
    return std::min<size_t>(pieces * std::max<uint32_t>(most, 1), kTooMany);
  }

  size_t pieces_ = 0;
  bool copies_groups_ = false;
};

}  // namespace

bool IsSurelyAccepted(const Syntax& syntax) {
  if (syntax.doubtful) return false;
  Counter counter;
  counter.Add(syntax.root);
  for (const Syntax::LeftOut& group : syntax.left_out) counter.Add(group.node);
  // What is left out may stand in what is copied.
  if (counter.copies_groups() && !syntax.left_out.empty()) return false;
  return counter.pieces() <= kMaxPieces;
}

}  // namespace ospatrol::pattern
