// Which prematches of decoders can match an event, and which nodes of the rule tree it can reach:
// what makes the cost of an event independent of the number of decoders and rules that do not
// apply.
//
// Most of them cannot hold unless something cheap is true: one of a few literal texts, which a
// pattern requires, occurs in the message, or (rules) the event has a certain decoder. Each pattern
// and each node is filed under one such fact, or under none. One pass over the message finds the
// texts (pattern/literal_scan.h), and whatever is filed under a true fact becomes a bit of
// event.candidates; siblings of the rule tree stand side by side in it, so the tree is walked by
// looking at bits. A candidate may still fail; what is none cannot hold.
//
// What was filed by a text counts only while the value that is looked at is a part of the message:
// decoders by code, plugins and accumulation bring in texts from elsewhere.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "analysisd/event.h"
#include "analysisd/rule_tree.h"
#include "pattern/literal_scan.h"

namespace ospatrol::analysisd {

class DecoderSet;

// Immutable; all of it is thread-safe.
class CandidateIndex {
 public:
  // Both must outlive the index, and `tree` be finished. `search` = false files nothing by texts.
  CandidateIndex(const DecoderSet& decoders, const RuleTree& tree, bool search);

  // Sets event.candidates for the decoders. REQUIRES: Predecode.
  void Search(Event& event) const;
  // Completes them for the rules. REQUIRES: Search, if the event has gone through the decoders; the
  // event is decoded, all of it.
  void SelectRules(Event& event) const;

  // The nodes of a list that `event` can reach, in the order in which they are tried, until `visit`
  // gives true.
  template <typename Visit>
  void ForEach(const SiblingList& list, const Event& event, Visit&& visit) const {
    const size_t first = first_node_ + list.first();
    const size_t end = first + list.all().size();
    for (size_t word = first / 64; word * 64 < end; ++word) {
      uint64_t bits = event.candidates[word];
      if (word == first / 64) bits &= ~uint64_t{0} << (first % 64);
      if (word == end / 64) bits &= (uint64_t{1} << (end % 64)) - 1;
      for (; bits != 0; bits &= bits - 1) {
        const size_t bit = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
        if (visit(*list.all()[bit - first])) return;
      }
    }
  }

  // Different texts that are searched for.
  size_t texts() const { return by_text_.size(); }

 private:
  using Bits = std::vector<uint64_t>;
  using Positions = std::vector<uint32_t>;
  class Builder;

  // Many lists of bits, side by side in memory.
  class BitLists {
   public:
    explicit BitLists(const std::vector<Positions>& lists);
    size_t size() const { return ends_.size(); }
    void Set(size_t list, uint64_t* bits) const {
      for (uint32_t i = list == 0 ? 0 : ends_[list - 1]; i < ends_[list]; ++i) {
        bits[all_[i] / 64] |= uint64_t{1} << (all_[i] % 64);
      }
    }

   private:
    Positions ends_;  // of each list, in all_
    Positions all_;
  };

  // What is a candidate whatever the message says.
  enum Base {
    kMessage,    // every value that is looked at is a part of the message
    kElsewhere,  // only the text behind the header is
    kUnknown,    // not even that
    kBaseCount
  };
  static Base BaseOf(const Event& event);

  uint32_t first_node_ = 0;  // bits before it are those of prematches
  std::array<Bits, kBaseCount> base_;
  BitLists by_decoder_{{}};  // by name id
  BitLists by_text_{{}};
  std::unique_ptr<const pattern::LiteralScan> scan_;
};

}  // namespace ospatrol::analysisd
