// Which prematches of decoders can match an event, and which nodes of the rule tree it can reach:
// what makes the cost of an event independent of the number of decoders and rules that do not
// apply.
//
// Most of them cannot hold unless something cheap is true: one of a few literal texts, which a
// pattern requires, occurs in the message, or (rules) the event has a certain decoder. Each pattern
// and each node is filed under one such fact, or under none. One pass over the message finds the
// texts (pattern/literal_scan.h), and whatever is filed under a true fact becomes a bit; siblings
// of the rule tree stand side by side, so the tree is walked by looking at bits. A candidate may
// still fail; what is none cannot hold.
//
// What is filed under no fact is the same for all events. An event keeps only what its texts add,
// which is little however many rules there are, and lays it over that when it is judged.
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
      void Add(uint32_t word, uint64_t more) {
        if (bits[word] == 0) used.push_back(word);
        bits[word] |= more;
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

  // The nodes of a list that are reached, in the order in which they are tried, until `visit` gives
  // true.
  template <typename Visit>
  static void ForEach(const SiblingList& list, const Reached& reached, Visit&& visit) {
    const size_t first = list.first();
    const size_t end = first + list.all().size();
    for (size_t word = first / 64; word * 64 < end; ++word) {
      uint64_t bits = reached.At(word);
      if (word == first / 64) bits &= ~uint64_t{0} << (first % 64);
      if (word == end / 64) bits &= (uint64_t{1} << (end % 64)) - 1;
      for (; bits != 0; bits &= bits - 1) {
        const size_t bit = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
        if (visit(*list.all()[bit - first])) return;
      }
    }
  }

  // Different texts that are searched for.
  size_t texts() const { return nodes_by_text_.size(); }

 private:
  using Bits = std::vector<uint64_t>;
  using Positions = std::vector<uint32_t>;
  class Builder;

  // Many lists of bits, side by side in memory.
  class BitLists {
   public:
    explicit BitLists(const std::vector<Positions>& lists);
    size_t size() const { return ends_.size(); }
    std::span<const uint32_t> operator[](size_t list) const {
      const uint32_t begin = list == 0 ? 0 : ends_[list - 1];
      return {all_.data() + begin, ends_[list] - begin};
    }

   private:
    Positions ends_;  // of each list, in all_
    Positions all_;
  };

  using Reach = Event::Candidates::Reach;
  static constexpr size_t kReaches = 3;
  static Reach ReachOf(const Event& event);

  // By Reach: what is a candidate whatever texts there are.
  std::array<Bits, kReaches> prematches_, nodes_;
  BitLists prematches_by_text_{{}}, nodes_by_text_{{}};
  BitLists nodes_by_decoder_{{}};  // by name id
  std::unique_ptr<const pattern::LiteralScan> scan_;
};

}  // namespace ospatrol::analysisd
