// How the texts are found.
//
// First, cheaply, the longest run of single characters that every way through the tree has, or one
// for each of its alternatives. For four patterns of five that is something that LiteralScan can
// look for. The others are read again, with all ways through them written out:
//
// A part of a tree is known by its starts: texts of which one stands wherever the part matches. A
// start is whole when the part matches nothing behind it; then the part that follows stands there,
// and the two go on as one text. So `(?:\$|%24)(?:\{|%7b)jndi` has four starts, one for each way
// through it, and `ab?[12]` has `ab1`, `ab2`, `a1` and `a2`.
//
// A sequence is read from left to right as runs: while the starts of its pieces can be put one
// behind the other, they are one run; where a piece can go on without end, or where there would be
// too many texts, the run is over and the next one begins. Every run is a set of which one text
// must occur, and so is what any piece requires inside. The best of them is kept.
//
// Cost: at most kMaxTexts texts for each piece of the tree.
#include "pattern/required_texts.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/text.h"
#include "pattern/literal.h"
#include "pattern/literal_scan.h"

namespace ospatrol::pattern {
namespace {

using Texts = std::vector<std::string>;

constexpr size_t kMaxTexts = 64;    // of ways through pieces that are put together
constexpr size_t kMaxUnion = 96;    // of alternatives
constexpr size_t kMaxClass = 10;    // characters of a set that are written out
constexpr size_t kMaxTimes = 32;    // that a piece is written out
constexpr size_t kLongest = 64;     // a text that is put together of more than single characters
constexpr double kPrice = 0x1p-20;  // of one more text, as the share of places where it occurs

constexpr size_t kMaxRuns = 4;           // of a sequence that are followed at the same time
constexpr double kShareInWord = 0x1p-3;  // of a letter behind another one

struct Start {
  std::string text;
  bool whole = true;
};
using Starts = std::vector<Start>;  // empty: nothing is known

struct Candidate {
  Texts texts;
  double cost = 0;
  bool searchable = false;

  bool IsBetterThan(const Candidate& other) const {
    if (texts.empty() || other.texts.empty()) return other.texts.empty() && !texts.empty();
    return searchable != other.searchable ? searchable : cost < other.cost;
  }
};

struct Known {
  Starts starts;
  Candidate best;
};

// Letters stand together in words.
double Expected(const std::string& text) {
  double share = 1;
  bool in_word = false;
  for (const char c : text) {
    const bool letter = base::IsLower(c);
    share *= letter && in_word ? kShareInWord : ByteShare(c);
    in_word = letter;
  }
  return share;
}

bool IsSearchable(const std::string& text) { return text.size() >= LiteralScan::kShortestText; }

bool HasWhole(const Starts& starts) {
  return std::any_of(starts.begin(), starts.end(), [](const Start& one) { return one.whole; });
}

void EndAll(Starts& starts) {
  for (Start& one : starts) one.whole = false;
}

void Append(Starts& starts, char literal) {
  for (Start& one : starts) {
    if (one.whole) one.text += literal;
  }
}

void Append(Starts& starts, const Starts& next) {
  if (next.size() == 1) {
    for (Start& one : starts) {
      if (!one.whole) continue;
      one.text += next.front().text;
      one.whole = next.front().whole;
    }
    return;
  }
  Starts longer;
  for (Start& one : starts) {
    if (!one.whole) {
      longer.push_back(std::move(one));
      continue;
    }
    for (const Start& more : next) longer.push_back({one.text + more.text, more.whole});
  }
  starts = std::move(longer);
}

// Does a way through both end in a text that nothing can look for?
bool CutsShort(const Starts& starts, const Starts& next) {
  size_t shortest = kLongest;
  for (const Start& one : starts) shortest = std::min(shortest, one.text.size());
  return std::any_of(next.begin(), next.end(), [&](const Start& one) {
    return !one.whole && shortest + one.text.size() < LiteralScan::kShortestText;
  });
}

// Whether to write out all the ways through `starts` and `next`, or to take the one or the other:
// what is rare enough gets no better by being more.
bool IsWorthJoining(const Starts& starts, const Starts& next) {
  if (next.empty() || starts.size() * next.size() > kMaxTexts) return false;
  if (starts.front().text.size() + next.front().text.size() > kLongest) return false;
  if (next.size() == 1) return true;
  if (HasWhole(next) && CutsShort(starts, next)) return false;
  double expected = 0;
  for (const Start& one : starts) {
    if (!IsSearchable(one.text)) return true;
    expected += Expected(one.text);
  }
  double share = 0;
  for (const Start& one : next) share += Expected(one.text);
  const auto size = static_cast<double>(starts.size());
  const double before = expected + kPrice * size;
  return expected * share + kPrice * size * static_cast<double>(next.size()) < before;
}

// Takes the starts for the required texts, if they are better.
void Consider(const Starts& starts, Candidate& best) {
  Candidate candidate{
      .texts = {}, .cost = kPrice * static_cast<double>(starts.size()), .searchable = true};
  for (const Start& one : starts) {
    if (one.text.empty()) return;
    candidate.cost += Expected(one.text);
    candidate.searchable &= IsSearchable(one.text);
  }
  candidate.texts.push_back(starts.front().text);
  if (!candidate.IsBetterThan(best)) return;
  for (size_t i = 1; i < starts.size(); ++i) candidate.texts.push_back(starts[i].text);
  best = std::move(candidate);
}

void Consider(Candidate&& candidate, Candidate& best) {
  if (candidate.IsBetterThan(best)) best = std::move(candidate);
}

std::optional<char> LiteralOf(const Syntax& syntax, const Node& node) {
  if (node.kind != Node::Kind::kSet) return std::nullopt;
  return FoldedLiteral(syntax, syntax.sets[node.set]);
}

// Longer, or as long and fewer.
bool IsLonger(const Texts& a, const Texts& b) {
  const size_t shortest_a = ShortestOf(a);
  const size_t shortest_b = ShortestOf(b);
  return shortest_a != shortest_b ? shortest_a > shortest_b : a.size() < b.size();
}

// The longest runs of single characters.
class Runs {
 public:
  explicit Runs(const Syntax& syntax) : syntax_(syntax) {}

  Texts Of(const Node& node) const {
    switch (node.kind) {
      case Node::Kind::kGroup:
        return Of(node.children.front());
      case Node::Kind::kRepeat:
        return node.min == 0 ? Texts() : Of(node.children.front());
      case Node::Kind::kAlternatives:
        return OfAlternatives(node);
      case Node::Kind::kSequence:
        return OfSequence(node);
      default:
        return {};
    }
  }

 private:
  Texts OfAlternatives(const Node& node) const {
    Texts all;
    for (const Node& child : node.children) {
      Texts texts = Of(child);
      if (texts.empty() || all.size() + texts.size() > kMaxTexts) return {};
      std::move(texts.begin(), texts.end(), std::back_inserter(all));
    }
    return all;
  }

  Texts OfSequence(const Node& node) const {
    Texts best;
    std::string run;
    const auto end_run = [&] {
      if (!run.empty() && IsLonger({run}, best)) best = {run};
      run.clear();
    };
    for (const Node& piece : node.children) {
      if (const auto literal = LiteralOf(syntax_, piece)) {
        run += *literal;
      } else if (piece.kind != Node::Kind::kAssertion) {
        end_run();
        Texts texts = Of(piece);
        if (!texts.empty() && IsLonger(texts, best)) best = std::move(texts);
      }
    }
    end_run();
    return best;
  }

  const Syntax& syntax_;
};

// The runs of a sequence that have not ended. They end at the same place and begin at different
// ones, the first of them at the end of the last run.
class OpenRuns {
 public:
  explicit OpenRuns(Known& known) : known_(known) {}

  void Add(char literal) {
    for (Starts& run : runs_) Append(run, literal);
  }

  void Add(const Starts& next) {
    if (next.size() == 1 && next.front().whole) {
      for (Starts& run : runs_) Append(run, next);
      return;
    }
    size_t open = 0;
    for (Starts& run : runs_) {
      Consider(run, known_.best);
      if (IsWorthJoining(run, next)) {
        Append(run, next);
        if (HasWhole(run)) {
          std::swap(runs_[open++], run);
          continue;
        }
        Consider(run, known_.best);
      }
      if (&run == &runs_.front()) KeepStarts(run);
    }
    runs_.resize(open);
    const bool whole = !next.empty() && std::all_of(next.begin(), next.end(),
                                                    [](const Start& one) { return one.whole; });
    if (runs_.empty() && whole) runs_.push_back(next);
    if (runs_.size() == kMaxRuns) runs_.erase(runs_.begin() + 1);
  }

  // A run that begins behind the last piece.
  void Begin(Starts with) { runs_.push_back(std::move(with)); }

  void Finish() {
    for (const Starts& run : runs_) Consider(run, known_.best);
    if (first_) known_.starts = std::move(runs_.front());
  }

 private:
  // The starts of the sequence are those of its first run.
  void KeepStarts(Starts& run) {
    if (!first_) return;
    first_ = false;
    EndAll(run);
    known_.starts = std::move(run);
  }

  Known& known_;
  std::vector<Starts> runs_ = {{Start()}};
  bool first_ = true;  // runs_.front() is the first run
};

// All ways through a tree.
class Reader {
 public:
  explicit Reader(const Syntax& syntax) : syntax_(syntax) {}

  Known Read(const Node& node) const {
    switch (node.kind) {
      case Node::Kind::kGroup:
        return Read(node.children.front());
      case Node::Kind::kAssertion:
        return {.starts = {Start()}, .best = {}};
      case Node::Kind::kSet:
        return {.starts = StartsOf(node), .best = {}};
      case Node::Kind::kRepeat:
        return ReadRepeat(node);
      case Node::Kind::kAlternatives:
        return ReadAlternatives(node);
      case Node::Kind::kSequence:
        return ReadSequence(node);
    }
    return {};
  }

 private:
  Starts StartsOf(const Node& set) const {
    Starts starts;
    const std::string letters = FoldedCharacters(syntax_, syntax_.sets[set.set], kMaxClass);
    for (const char c : letters) starts.push_back({std::string(1, c), true});
    return starts;
  }

  Known ReadRepeat(const Node& node) const {
    const Node& child = node.children.front();
    if (node.min == 0 && node.max > 1) return {};
    Known known = Read(child);
    if (node.min == 0) {
      if (!known.starts.empty()) known.starts.push_back(Start());
      known.best = {};
      return known;
    }
    if (node.min > 1 && HasWhole(known.starts)) Repeat(node.min, known.starts);
    if (node.max > kMaxTimes || node.min != node.max) EndAll(known.starts);
    return known;
  }

  static void Repeat(size_t times, Starts& starts) {
    const Starts once = starts;
    for (size_t i = 1; i < std::min(times, kMaxTimes); ++i) {
      if (!HasWhole(starts) || !IsWorthJoining(starts, once)) {
        EndAll(starts);
        return;
      }
      Append(starts, once);
    }
  }

  Known ReadAlternatives(const Node& node) const {
    Known all;
    all.best.searchable = true;
    bool known_starts = true;
    bool known_texts = true;
    for (const Node& child : node.children) {
      Known one = Read(child);
      known_starts &= !one.starts.empty() && all.starts.size() + one.starts.size() <= kMaxTexts;
      if (known_starts)
        std::move(one.starts.begin(), one.starts.end(), std::back_inserter(all.starts));
      known_texts &=
          !one.best.texts.empty() && all.best.texts.size() + one.best.texts.size() <= kMaxUnion;
      if (known_texts) AddTo(all.best, std::move(one.best));
    }
    if (!known_starts) all.starts.clear();
    if (!known_texts) all.best = {};
    return all;
  }

  static void AddTo(Candidate& all, Candidate&& one) {
    std::move(one.texts.begin(), one.texts.end(), std::back_inserter(all.texts));
    all.cost += one.cost;
    all.searchable &= one.searchable;
  }

  Known ReadSequence(const Node& node) const {
    Known known;
    OpenRuns runs(known);
    for (const Node& piece : node.children) {
      if (const auto literal = LiteralOf(syntax_, piece)) {
        runs.Add(*literal);
        continue;
      }
      Known next = Read(piece);
      Consider(std::move(next.best), known.best);
      runs.Add(next.starts);
      if (next.starts.size() != 1 || !next.starts.front().whole) runs.Begin(EndOf(piece));
    }
    runs.Finish();
    return known;
  }

  // What stands right in front of what follows a piece without a whole start.
  Starts EndOf(const Node& piece) const {
    if (piece.kind != Node::Kind::kRepeat || piece.min == 0) return {Start()};
    const auto literal = LiteralOf(syntax_, piece.children.front());
    return literal ? Starts{{std::string(1, *literal), true}} : Starts{Start()};
  }

  const Syntax& syntax_;
};

// Leaves out texts that hold another one.
void LeaveOutLonger(Texts& texts) {
  Texts kept;
  std::sort(texts.begin(), texts.end(),
            [](const std::string& a, const std::string& b) { return a.size() < b.size(); });
  for (std::string& text : texts) {
    const bool found = std::any_of(kept.begin(), kept.end(), [&](const std::string& part) {
      return text.find(part) != std::string::npos;
    });
    if (!found) kept.push_back(std::move(text));
  }
  texts = std::move(kept);
}

Texts TextsOf(const Syntax& syntax, const Node& node) {
  Texts texts = Runs(syntax).Of(node);
  if (ShortestOf(texts) >= LiteralScan::kShortestText) return texts;
  return std::move(Reader(syntax).Read(node).best.texts);
}

}  // namespace

size_t ShortestOf(const Texts& texts) {
  size_t shortest = std::string::npos;
  for (const std::string& text : texts) shortest = std::min(shortest, text.size());
  return texts.empty() ? 0 : shortest;
}

double ExpectedShare(const Texts& texts) {
  double share = 0;
  for (const std::string& text : texts) share += Expected(text);
  return share;
}

Texts RequiredTexts(const Syntax& syntax) {
  Texts texts = TextsOf(syntax, syntax.root);
  for (const auto& [node, ahead] : syntax.left_out) {
    if (!ahead || syntax.root.kind == Node::Kind::kAlternatives) continue;
    if (ShortestOf(texts) >= LiteralScan::kShortestText) break;
    Texts more = TextsOf(syntax, node);
    if (IsLonger(more, texts)) texts = std::move(more);
  }
  if (texts.size() > 1) LeaveOutLonger(texts);
  return texts;
}

}  // namespace ospatrol::pattern
