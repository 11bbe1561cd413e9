#include "pattern/lead.h"

namespace ospatrol::pattern {
namespace {

constexpr size_t kLeast = 3;  // pieces that are worth a look
constexpr size_t kMost = 12;

}  // namespace

Lead::Lead(const Syntax& syntax) {
  const auto& nodes = syntax.root.children;
  if (syntax.characters || syntax.root.kind != Node::Kind::kSequence || nodes.size() < kLeast ||
      nodes.front().kind != Node::Kind::kAssertion ||
      nodes.front().assertion != Assertion::kStart || nodes[1].kind != Node::Kind::kRepeat) {
    return;
  }
  for (size_t i = 1; i < nodes.size() && Add(syntax, nodes[i]); ++i) continue;
  if (pieces_.size() < kLeast || !pieces_.front().repeats) pieces_.clear();
}

// False when the node is no further piece.
bool Lead::Add(const Syntax& syntax, const Node& node) {
  if (node.kind == Node::Kind::kAssertion) return true;
  if (node.kind == Node::Kind::kSet) return Add(syntax, node, false, true);
  if (node.kind != Node::Kind::kRepeat || node.children.front().kind != Node::Kind::kSet) {
    return false;
  }
  const Node& set = node.children.front();
  if (node.min == node.max) {
    for (uint32_t i = 0; i < node.min; ++i) {
      if (!Add(syntax, set, false, true)) return false;
    }
    return true;
  }
  return node.min <= 1 && node.max == Node::kUnlimited && Add(syntax, set, true, node.min == 1);
}

bool Lead::Add(const Syntax& syntax, const Node& set, bool repeats, bool needed) {
  if (pieces_.size() == kMost) return false;
  const Piece piece{.bytes = syntax.sets[set.set].bytes, .repeats = repeats, .needed = needed};
  if (!pieces_.empty() && pieces_.back().repeats) {
    if (!needed) return false;
    for (size_t i = 0; i < piece.bytes.size(); ++i) {
      if ((piece.bytes[i] & pieces_.back().bytes[i]) != 0) return false;
    }
  }
  pieces_.push_back(piece);
  return true;
}

bool Lead::Fits(std::string_view subject) const {
  size_t at = 0;
  const auto has = [&](const Piece& piece) {
    return at < subject.size() && piece.Has(static_cast<uint8_t>(subject[at]));
  };
  for (const Piece& piece : pieces_) {
    if (piece.needed && !has(piece)) return false;
    if (piece.needed) ++at;
    while (piece.repeats && has(piece)) ++at;
  }
  return true;
}

}  // namespace ospatrol::pattern
