// Which nodes of the rule tree an event can reach: what makes the cost of an event independent of
// the number of rules that do not apply to it.
//
// Most rules cannot hold unless something cheap is true: the event has a certain decoder
// (<decoded_as>), or one of a few literal texts, which the rule's patterns require, occurs in the
// message. Every node is filed under one such fact, or under none. For an event, one pass over the
// message finds the texts (pattern/literal_scan.h), and the nodes of all facts that are true become
// bits of a set; siblings stand side by side in it, so the tree is walked by looking at bits. A
// node whose bit is set may still fail; one whose bit is not set cannot hold.
//
// What was filed by a text counts only while the value that its condition reads is a part of the
// message: decoders by code, plugins and accumulation bring in texts from elsewhere.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "analysisd/event.h"
#include "analysisd/rule_tree.h"
#include "pattern/literal_scan.h"

namespace ospatrol::analysisd {

// Immutable; Select is thread-safe.
class RuleIndex {
 public:
  // `tree` must be finished and outlive the index. `search` = false files nothing by texts.
  RuleIndex(const RuleTree& tree, int decoder_names, bool search);

  // Sets event.candidates. REQUIRES: the event is decoded, all of it.
  void Select(Event& event) const;

  // The nodes of a list that `event` can reach, in the order in which they are tried, until `visit`
  // gives true.
  template <typename Visit>
  static void ForEach(const SiblingList& list, const Event& event, Visit&& visit) {
    const size_t first = list.first();
    const size_t end = first + list.all().size();
    for (size_t word = first / 64; word * 64 < end; ++word) {
      uint64_t bits = event.candidates[word];
      if (word == first / 64) bits &= ~uint64_t{0} << (first % 64);
      if (word == end / 64) bits &= (uint64_t{1} << (end % 64)) - 1;
      for (; bits != 0; bits &= bits - 1) {
        const size_t node = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
        if (visit(*list.all()[node - first])) return;
      }
    }
  }

  // For tests and figures.
  size_t texts() const { return text_count_; }

 private:
  using Nodes = std::vector<uint32_t>;
  class Builder;

  // Which nodes are candidates whatever the message says.
  enum Base {
    kMessage,    // every value that a rule can read is a part of the message
    kElsewhere,  // only the text behind the header is
    kUnknown,    // not even that
    kBaseCount
  };
  Base BaseOf(const Event& event) const;

  std::array<std::vector<uint64_t>, kBaseCount> base_;  // bits of nodes
  std::vector<Nodes> by_decoder_;                       // by name id
  std::vector<Nodes> by_text_;
  size_t text_count_ = 0;
  std::unique_ptr<const pattern::LiteralScan> scan_;
};

}  // namespace ospatrol::analysisd
