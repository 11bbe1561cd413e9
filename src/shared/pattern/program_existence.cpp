// Is there a match at all? Without order and captures, the places that are live at one position are
// just a set, and what becomes of a set when a character is read depends on nothing else. So each
// set is given a number when it is first met, and where it leads for each symbol is remembered:
// from then on a character costs one look-up (a deterministic automaton, built as far as the
// subject needs it).
//
// Cost: a few nanoseconds per character once the sets are known; O(size of program) for each new
// (set, symbol), several times what the ordered matcher needs for it. The number of sets can be
// exponential in the pattern, so after kMaxStates all are forgotten and the search goes on; and
// after kMaxSteps, some tenths of a second, this is the wrong way, and the ordered matcher takes
// over. Memory: some 10 MiB per thread at most. Nothing is kept between searches, since a search
// gets here only after PCRE2's machine code could not answer.
//
// Assertions look at both sides of a position. They stay in the set until the next symbol is known
// (or the end), and the set knows what stood before. `$` before a final LF would need a second
// character: Program::Search sends such subjects to the ordered matcher.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "pattern/characters.h"
#include "pattern/program.h"

namespace ospatrol::pattern {
namespace {

constexpr size_t kMaxStates = 2000;
constexpr uint64_t kMaxSteps = 2'000'000;
constexpr uint32_t kUnknown = 0;  // transitions: not computed yet
constexpr uint32_t kMatched = 1;
constexpr uint32_t kDead = 2;
constexpr uint32_t kFirstState = 3;
constexpr char32_t kOtherWide = 0x120000;  // stands for characters above ASCII that no set names

bool IsWord(char32_t code) {
  return code < 0x80 && (base::IsAlnum(static_cast<char>(code)) || code == '_');
}

// What stands before a position.
enum class Before : uint8_t { kNothing, kWord, kOther };

// A set of places with what stood before it. Places are sorted.
struct State {
  Before before = Before::kNothing;
  std::vector<uint32_t> places;

  auto operator<=>(const State&) const = default;
};

struct Memory {
  std::map<State, uint32_t> numbers;
  std::vector<const State*> states;  // by number, less kFirstState
  std::vector<uint32_t> transitions;
  std::vector<uint32_t> seen;  // by place: the round in which it was visited
  std::vector<uint32_t> pending;
  uint32_t round = 0;
};

Memory& LocalMemory() {
  thread_local Memory memory;
  return memory;
}

}  // namespace

Program::Symbols Program::FindSymbols() const {
  const size_t bytes = characters_ ? 0x80 : 0x100;
  Symbols symbols;
  symbols.of_byte.resize(bytes);
  std::vector<uint16_t> split;
  size_t count = 1;
  // Splits each symbol into those for which `belongs` holds and the others.
  const auto refine = [&](auto belongs) {
    split.assign(count * 2, 0);
    size_t next = 0;
    for (size_t byte = 0; byte < bytes; ++byte) {
      uint16_t& symbol = symbols.of_byte[byte];
      uint16_t& number = split[symbol * 2U + (belongs(static_cast<uint8_t>(byte)) ? 1 : 0)];
      if (number == 0) number = static_cast<uint16_t>(++next);
      symbol = static_cast<uint16_t>(number - 1);
    }
    count = next;
  };
  for (const CharSet& set : sets_) refine([&](uint8_t byte) { return set.HasByte(byte); });
  const bool boundaries = std::any_of(code_.begin(), code_.end(), [](const Instruction& step) {
    return step.op == Op::kAssert && (step.a == static_cast<uint32_t>(Assertion::kWordBoundary) ||
                                      step.a == static_cast<uint32_t>(Assertion::kNoWordBoundary));
  });
  if (boundaries) refine([](uint8_t byte) { return IsWord(byte); });
  std::vector<char32_t>& characters = symbols.characters;
  characters.resize(count);
  for (size_t byte = 0; byte < bytes; ++byte) {
    characters[symbols.of_byte[byte]] = static_cast<char32_t>(byte);
  }
  if (!characters_) return symbols;
  characters.push_back(kOtherWide);
  for (const CharSet& set : sets_) {
    for (const char32_t code : set.exceptions) {
      if (std::find(characters.begin(), characters.end(), code) == characters.end())
        characters.push_back(code);
    }
  }
  return symbols;
}

class Program::Existence {
 public:
  explicit Existence(const Program& program)
      : program_(program),
        symbols_(program.symbols_.Get([&] { return program.FindSymbols(); })),
        memory_(LocalMemory()),
        end_(symbols_.characters.size()),
        columns_(end_ + 1) {
    Forget();
    if (memory_.seen.size() < program.code_.size()) memory_.seen.resize(program.code_.size());
  }

  std::optional<bool> Search(std::string_view subject) {
    State first;
    BeginRound();
    Follow(first.places, 0, Before::kNothing);
    uint32_t state = NumberOf(std::move(first));
    for (size_t at = 0; at < subject.size() && state >= kFirstState;) {
      size_t size = 1;
      const size_t symbol = SymbolAt(subject, at, size);
      state = Next(state, symbol);
      if (steps_ > kMaxSteps) return std::nullopt;
      at += size;
    }
    if (state >= kFirstState) state = Next(state, end_);
    return state == kMatched;
  }

 private:
  size_t SymbolAt(std::string_view subject, size_t at, size_t& size) const {
    const auto byte = static_cast<uint8_t>(subject[at]);
    if (!program_.characters_ || byte < 0x80) return symbols_.of_byte[byte];
    const Character character = DecodeCharacter(subject, at);
    size = character.size;
    const auto& known = symbols_.characters;
    const auto found = std::find(known.rbegin(), known.rend(), character.code);
    if (found != known.rend()) return static_cast<size_t>(known.rend() - found) - 1;
    return static_cast<size_t>(std::find(known.begin(), known.end(), kOtherWide) - known.begin());
  }

  uint32_t Next(uint32_t state, size_t symbol) {
    const size_t cell = (state - kFirstState) * columns_ + symbol;
    if (memory_.transitions[cell] != kUnknown) return memory_.transitions[cell];
    State next;
    const uint32_t number =
        Step(*memory_.states[state - kFirstState], symbol, next) ? kMatched : kDead;
    if (number == kMatched || symbol == end_) return memory_.transitions[cell] = number;
    if (memory_.states.size() >= kMaxStates) {
      Forget();
      return NumberOf(std::move(next));
    }
    const uint32_t known = NumberOf(std::move(next));
    memory_.transitions[cell] = known;
    return known;
  }

  // True: matched, before or by reading the symbol.
  bool Step(const State& from, size_t symbol, State& next) {
    std::vector<uint32_t> settled;
    BeginRound();
    steps_ += from.places.size();
    for (const uint32_t place : from.places) {
      const Instruction& step = program_.code_[place];
      if (step.op != Op::kAssert) {
        settled.push_back(place);
      } else {
        Settle(settled, place, from.before, symbol);
      }
    }
    const auto accepts = [&](uint32_t place) { return program_.code_[place].op == Op::kAccept; };
    if (std::any_of(settled.begin(), settled.end(), accepts)) return true;
    if (symbol == end_) return false;
    const char32_t code = symbols_.characters[symbol];
    next.before = IsWord(code) ? Before::kWord : Before::kOther;
    BeginRound();
    for (const uint32_t place : settled) {
      if (Fits(program_.sets_[program_.code_[place].a], code))
        Follow(next.places, place + 1, next.before);
    }
    if (!program_.anchored_) Follow(next.places, 0, next.before);
    std::sort(next.places.begin(), next.places.end());
    return std::any_of(next.places.begin(), next.places.end(), accepts);
  }

  bool Fits(const CharSet& set, char32_t code) const {
    return program_.characters_ ? set.HasCharacter(code) : set.HasByte(static_cast<uint8_t>(code));
  }

  // Everything behind an assertion, now that both sides are known.
  void Settle(std::vector<uint32_t>& settled, uint32_t assertion, Before before, size_t symbol) {
    Walk(assertion, [&](uint32_t place, const Instruction& step) {
      if (step.op != Op::kAssert) {
        settled.push_back(place);
        return false;
      }
      return Holds(static_cast<Assertion>(step.a), before, symbol);
    });
  }

  // Everything that `start` leads to without reading; assertions wait, except those that can't hold
  // any more.
  void Follow(std::vector<uint32_t>& places, uint32_t start, Before before) {
    Walk(start, [&](uint32_t place, const Instruction& step) {
      const bool tied =
          step.op == Op::kAssert && step.a == static_cast<uint32_t>(Assertion::kStart);
      if (!tied || before == Before::kNothing) places.push_back(place);
      return false;
    });
  }

  // Visits each place once a round. `meet` is called for sets, accepts and assertions; true: go on
  // behind it.
  template <typename Meet>
  void Walk(uint32_t start, Meet meet) {
    auto& pending = memory_.pending;
    pending.push_back(start);
    while (!pending.empty()) {
      const uint32_t place = pending.back();
      pending.pop_back();
      ++steps_;
      if (memory_.seen[place] == memory_.round) continue;
      memory_.seen[place] = memory_.round;
      const Instruction& step = program_.code_[place];
      switch (step.op) {
        case Op::kSplit:
          pending.push_back(step.b);
          pending.push_back(step.a);
          break;
        case Op::kJump:
          pending.push_back(step.a);
          break;
        case Op::kSave:
          pending.push_back(place + 1);
          break;
        case Op::kSet:
        case Op::kAccept:
        case Op::kAssert:
          if (meet(place, step)) pending.push_back(place + 1);
          break;
      }
    }
  }

  bool Holds(Assertion assertion, Before before, size_t symbol) const {
    const bool at_end = symbol == end_;
    const bool word_behind = !at_end && IsWord(symbols_.characters[symbol]);
    switch (assertion) {
      case Assertion::kStart:
        return before == Before::kNothing;
      case Assertion::kEnd:
      case Assertion::kEndOrFinalNewline:
        return at_end;
      case Assertion::kWordBoundary:
        return (before == Before::kWord) != word_behind;
      case Assertion::kNoWordBoundary:
        return (before == Before::kWord) == word_behind;
    }
    return false;
  }

  uint32_t NumberOf(State state) {
    if (state.places.empty()) return kDead;
    std::sort(state.places.begin(), state.places.end());
    const auto number = static_cast<uint32_t>(memory_.states.size()) + kFirstState;
    const auto [known, is_new] = memory_.numbers.emplace(std::move(state), number);
    if (is_new) {
      memory_.states.push_back(&known->first);
      memory_.transitions.resize(memory_.transitions.size() + columns_, kUnknown);
    }
    return known->second;
  }

  void BeginRound() {
    if (++memory_.round == 0) {  // after 2^32 rounds
      std::fill(memory_.seen.begin(), memory_.seen.end(), 0);
      memory_.round = 1;
    }
  }

  void Forget() {
    memory_.numbers.clear();
    memory_.states.clear();
    memory_.transitions.clear();
  }

  const Program& program_;
  const Symbols& symbols_;
  Memory& memory_;
  const size_t end_;      // the symbol of the end
  const size_t columns_;  // of the transition table
  uint64_t steps_ = 0;
};

std::optional<bool> Program::Exists(std::string_view subject) const {
  return Existence(*this).Search(subject);
}

}  // namespace ospatrol::pattern
