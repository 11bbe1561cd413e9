// Which prematches of decoders can match an event, and which nodes of the rule tree it can reach:
// what makes the cost of an event independent of the number of decoders and rules that do not
// apply.
//
// Most of them cannot hold unless something cheap is true: one of a few literal texts, which a
// pattern requires, occurs in the message, and (rules) the event has a certain decoder. Each
// pattern and each node is filed under such facts, or under none. One pass over the message finds
// the texts (pattern/literal_scan.h), and whatever is filed under true facts becomes a bit;
// siblings of the rule tree stand side by side, so the tree is walked by looking at bits. A
// candidate may still fail; what is none cannot hold.
//
// What is filed under no fact is the same for all events. An event keeps only its texts, which are
// few however many rules there are; what they add is laid over that when it is judged.
//
// What was filed by a text counts only while the value that is looked at is a part of the message:
// decoders by code, plugins and accumulation bring in texts from elsewhere.
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

class DecoderSet;

// Immutable; all of it is thread-safe.
class CandidateIndex {
 public:
  // Both must outlive the index, and `tree` be finished. `search` = false files nothing by texts.
  CandidateIndex(const DecoderSet& decoders, const RuleTree& tree, bool search);

  // The nodes of the rule tree that one event can reach. Its memory is used again.
  class Reached {
   public:
    // 64 of them: whether nodes 64 * word and on are reached.
    uint64_t At(size_t word) const { return base_[word] | own_.bits[word]; }

   private:
    friend CandidateIndex;
    // A bit map that is emptied in the time that it took to fill it.
    struct Sparse {
      void Fit(size_t words) {
        if (bits.size() < words) bits.resize(words);
      }
      void Add(uint32_t bit) {
        uint64_t& word = bits[bit / 64];
        if (word == 0) used.push_back(bit / 64);
        word |= uint64_t{1} << (bit % 64);
      }
      void Clear() {
        for (const uint32_t word : used) bits[word] = 0;
        used.clear();
      }
      std::vector<uint64_t> bits;
      std::vector<uint32_t> used;  // words that are not 0
    };

    const uint64_t* base_ = nullptr;
    Sparse own_;
  };

  // Finds the texts of the message: event.candidates. REQUIRES: Predecode.
  void Search(Event& event) const;
  // Says which rules may be left out. REQUIRES: the event is decoded, all of it; Search came before
  // the decoders, or never.
  void SelectRules(Event& event) const;
  // REQUIRES: SelectRules. Valid until the next call for the same `reached`.
  void Load(const Event& event, Reached& reached) const;

  // The numbers of the nodes that are reached, of `count` siblings from number `first` on, in the
  // order in which they are tried, until `visit` gives true.
  template <typename Visit>
  static void ForEach(size_t first, size_t count, const Reached& reached, Visit&& visit) {
    const size_t end = first + count;
    for (size_t word = first / 64; word * 64 < end; ++word) {
      uint64_t bits = reached.At(word);
      if (word == first / 64) bits &= ~uint64_t{0} << (first % 64);
      if (word == end / 64) bits &= (uint64_t{1} << (end % 64)) - 1;
      for (; bits != 0; bits &= bits - 1) {
        if (visit(word * 64 + static_cast<size_t>(__builtin_ctzll(bits)))) return;
      }
    }
  }

  // Different texts that are searched for.
  size_t texts() const { return texts_; }

 private:
  using Bits = std::vector<uint64_t>;
  using Positions = std::vector<uint32_t>;
  class Builder;

  // One of the rule tree, and the name id of the decoder that its rule wants; 0: any.
  struct Node {
    uint32_t number;
    uint32_t decoder;
  };

  // What is filed under one fact, one after the other in filed_: how many prematches, how many
  // nodes, those prematches, those nodes with their decoders.
  struct Filed {
    std::span<const uint32_t> prematches;
    const uint32_t* nodes;
    size_t node_count;
    Node NodeAt(size_t i) const { return {nodes[2 * i], nodes[2 * i + 1]}; }
  };
  Filed FiledAt(uint32_t position) const {
    const uint32_t* const at = filed_.data() + position;
    return {{at + 2, at[0]}, at + 2 + at[0], at[1]};
  }

  using Reach = Event::Candidates::Reach;
  static constexpr size_t kReaches = 3;
  static Reach ReachOf(const Event& event);

  // By Reach: what is a candidate whatever texts there are.
  std::array<Bits, kReaches> prematches_, nodes_;
  // The same of nodes that want a decoder, by its name id.
  std::array<Positions, kReaches> by_decoder_;  // in filed_
  Positions filed_;
  size_t texts_ = 0;
  std::unique_ptr<const pattern::LiteralScan> scan_;
};

}  // namespace ospatrol::analysisd
