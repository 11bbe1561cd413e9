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

// Pieces of code that `node` becomes, counted up to kMaxPieces; more when it is nested too deeply.
size_t Pieces(const Node& node, size_t nesting) {
  if (nesting > kMaxNesting) return kMaxPieces + 1;
  size_t pieces = 1;
  const bool is_group = node.kind == Node::Kind::kGroup;
  for (const Node& child : node.children) {
    pieces += 1 + Pieces(child, nesting + (is_group ? 1 : 0));
    if (pieces > kMaxPieces) return kMaxPieces + 1;
  }
  if (node.kind != Node::Kind::kRepeat || node.children.front().kind == Node::Kind::kSet) {
    return pieces;
  }
  const uint32_t copies = std::max<uint32_t>(node.max == Node::kUnlimited ? node.min : node.max, 1);
  return std::min<size_t>(pieces * copies, kMaxPieces + 1);
}

}  // namespace

bool IsSurelyAccepted(const Syntax& syntax) {
  return !syntax.doubtful && Pieces(syntax.root, 0) <= kMaxPieces;
}

}  // namespace ospatrol::pattern
