// Why: a backtracking engine tries ways one after the other, so a pattern such as `(\S+) (\S+)
// (\S+):` takes time in the cube of a line made for it, and `(a+)+$` takes exponential time. An
// attacker who can write log lines could stall the manager, or hide an event behind the engine's
// limits. This matcher follows all ways at once (Thompson's construction, as described by Pike): it
// walks the subject once and keeps, for each position, the list of places in the pattern that can
// be reached, in the order in which a backtracking engine would have tried them. Two ways that
// reach the same place are one from there on, and only the preferred one is kept; that is what
// bounds the work, and because the list is ordered the answer, captures included, is the same.
//
// Cost: O(size of subject x size of program) steps of a few nanoseconds, plus a copy of the
// captures per step when captures are asked for; a typical line has fewer than ten live places.
// Memory: O(size of program x captures), per thread, kept for the next search. PCRE2's compiled
// code is 5 to 50 times faster on ordinary lines, so it goes first, and this is what it falls back
// to (regex_search.cpp).
//
// Limits: only what is regular. No back references, no look-around, no atomic groups; and no
// repetition of something that can be empty, where engines disagree about captures (syntax.h
// refuses to build it). Counted repetition is written out; programs above kMaxInstructions are not
// made. A pattern such as `a[ab]{1000}b[ab]{1000}` has thousands of live places on a line made for
// it: after kMaxSteps, some half a second, a search is given up. With fewer than 512 places that
// takes a line of more than 64 KiB, which no event has.
#include "pattern/program.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/text.h"
#include "pattern/characters.h"
#include "pattern/given_up.h"

namespace ospatrol::pattern {
namespace {

constexpr size_t kMaxInstructions = 8192;
constexpr size_t kLong =
    256;  // bytes of a subject worth asking first whether there is a match at all
constexpr uint64_t kMaxSteps = 512 * 65536;
constexpr uint32_t kUnset = std::numeric_limits<uint32_t>::max();

bool IsWord(char c) { return base::IsAlnum(c) || c == '_'; }

bool Holds(Assertion assertion, std::string_view subject, size_t at) {
  const auto at_boundary = [&] {
    const bool before = at > 0 && IsWord(subject[at - 1]);
    return before != (at < subject.size() && IsWord(subject[at]));
  };
  switch (assertion) {
    case Assertion::kStart:
      return at == 0;
    case Assertion::kEnd:
      return at == subject.size();
    case Assertion::kEndOrFinalNewline:
      return at == subject.size() || (at + 1 == subject.size() && subject[at] == '\n');
    case Assertion::kWordBoundary:
      return at_boundary();
    case Assertion::kNoWordBoundary:
      return !at_boundary();
  }
  return false;
}

// Places in the program that are reached at one position of the subject, preferred ones first, each
// with the captures of the way that reached it.
struct PlaceList {
  std::vector<uint32_t> places;
  std::vector<uint32_t> position;  // of a place in `places`; valid when it points back
  std::vector<uint32_t> captures;  // `slots` for each place of the program

  void Prepare(size_t program_size, size_t slots) {
    places.clear();
    places.reserve(program_size);
    if (position.size() < program_size) position.resize(program_size);
    if (captures.size() < program_size * slots) captures.resize(program_size * slots);
  }

  bool Insert(uint32_t place) {
    const uint32_t known = position[place];
    if (known < places.size() && places[known] == place) return false;
    position[place] = static_cast<uint32_t>(places.size());
    places.push_back(place);
    return true;
  }
};

// What Follow still has to visit; or a capture slot to set back once everything behind it has been
// visited.
struct Pending {
  uint32_t place;
  uint32_t slot = kUnset;
  uint32_t value = 0;
};

// Reused by all searches of a thread.
struct Memory {
  PlaceList now;
  PlaceList next;
  std::vector<Pending> pending;
  std::vector<uint32_t> captures;
  std::vector<uint32_t> best;
};

Memory& LocalMemory() {
  thread_local Memory memory;
  return memory;
}

}  // namespace

class Program::Compiler {
 public:
  explicit Compiler(Program& program) : code_(program.code_) {}

  // False when the program gets too long.
  bool Emit(const Node& node) {
    if (code_.size() > kMaxInstructions) return false;
    switch (node.kind) {
      case Node::Kind::kSequence:
        return std::all_of(node.children.begin(), node.children.end(),
                           [this](const Node& child) { return Emit(child); });
      case Node::Kind::kSet:
        Add(Op::kSet, node.set);
        return true;
      case Node::Kind::kAssertion:
        Add(Op::kAssert, static_cast<uint32_t>(node.assertion));
        return true;
      case Node::Kind::kGroup:
        return EmitGroup(node);
      case Node::Kind::kAlternatives:
        return EmitAlternatives(node);
      case Node::Kind::kRepeat:
        return EmitRepeat(node);
    }
    return false;
  }

  uint32_t Add(Op op, uint32_t a = 0) {
    code_.push_back({.op = op, .a = a});
    return Here() - 1;
  }

 private:
  uint32_t Here() const { return static_cast<uint32_t>(code_.size()); }

  // A split whose preferred way follows it when `stay`, else its other way.
  void Branch(uint32_t split, bool stay, uint32_t there) {
    code_[split].a = stay ? split + 1 : there;
    code_[split].b = stay ? there : split + 1;
  }

  bool EmitGroup(const Node& node) {
    if (node.group == 0) return Emit(node.children.front());
    Add(Op::kSave, node.group * 2 - 2);
    if (!Emit(node.children.front())) return false;
    Add(Op::kSave, node.group * 2 - 1);
    return true;
  }

  bool EmitAlternatives(const Node& node) {
    std::vector<uint32_t> jumps;
    for (size_t i = 0; i + 1 < node.children.size(); ++i) {
      const uint32_t split = Add(Op::kSplit);
      if (!Emit(node.children[i])) return false;
      jumps.push_back(Add(Op::kJump));
      Branch(split, true, Here());
    }
    if (!Emit(node.children.back())) return false;
    for (const uint32_t jump : jumps) code_[jump].a = Here();
    return true;
  }

  bool EmitRepeat(const Node& node) {
    const Node& body = node.children.front();
    for (uint32_t i = 0; i < node.min; ++i) {
      if (!Emit(body)) return false;
    }
    if (node.max == Node::kUnlimited) {
      const uint32_t split = Add(Op::kSplit);
      if (!Emit(body)) return false;
      Add(Op::kJump, split);
      Branch(split, node.greedy, Here());
      return true;
    }
    std::vector<uint32_t> splits;
    for (uint32_t i = node.min; i < node.max; ++i) {
      splits.push_back(Add(Op::kSplit));
      if (!Emit(body)) return false;
    }
    for (const uint32_t split : splits) Branch(split, node.greedy, Here());
    return true;
  }

  std::vector<Instruction>& code_;
};

std::optional<Program> Program::From(const Syntax& syntax) {
  Program program;
  program.sets_ = syntax.sets;
  program.groups_ = syntax.groups;
  program.characters_ = syntax.characters;
  Compiler compiler(program);
  if (!compiler.Emit(syntax.root)) return std::nullopt;
  compiler.Add(Op::kAccept);
  program.before_final_newline_ =
      std::any_of(program.code_.begin(), program.code_.end(), [](const Instruction& step) {
        return step.op == Op::kAssert &&
               step.a == static_cast<uint32_t>(Assertion::kEndOrFinalNewline);
      });
  program.FindFirstBytes();
  program.code_.shrink_to_fit();
  return program;
}

// Follows everything that consumes nothing from the start of the program.
void Program::FindFirstBytes() {
  anchored_ = true;
  std::vector<bool> seen(code_.size() * 2);
  std::vector<std::pair<uint32_t, bool>> pending{{0, false}};  // place, behind a kStart assertion
  while (!pending.empty()) {
    const auto [place, tied] = pending.back();
    pending.pop_back();
    if (seen[place * 2 + (tied ? 1 : 0)]) continue;
    seen[place * 2 + (tied ? 1 : 0)] = true;
    const Instruction& step = code_[place];
    switch (step.op) {
      case Op::kSet:
        anchored_ &= tied;
        first_.Add(sets_[step.a]);
        if (characters_ && (sets_[step.a].wide || !sets_[step.a].exceptions.empty()))
          first_.AddRange(0x80, 0xFF);
        break;
      case Op::kAccept:
        anchored_ &= tied;
        any_first_ = true;
        break;
      case Op::kSplit:
        pending.emplace_back(step.b, tied);
        pending.emplace_back(step.a, tied);
        break;
      case Op::kJump:
        pending.emplace_back(step.a, tied);
        break;
      case Op::kAssert:
        pending.emplace_back(place + 1, tied || step.a == static_cast<uint32_t>(Assertion::kStart));
        break;
      case Op::kSave:
        pending.emplace_back(place + 1, tied);
        break;
    }
  }
}

// One search.
class Program::Run {
 public:
  Run(const Program& program, std::string_view subject, bool captures)
      : program_(program),
        subject_(subject),
        slots_(captures ? program.groups_ * 2 : 0),
        memory_(LocalMemory()) {
    memory_.now.Prepare(program.code_.size(), slots_);
    memory_.next.Prepare(program.code_.size(), slots_);
    memory_.captures.assign(slots_, kUnset);
    memory_.best.assign(slots_, kUnset);
  }

  // Nothing when it is given up. `existence`: any match will do, so the first one found ends the
  // search.
  std::optional<bool> Search(bool existence) {
    PlaceList* now = &memory_.now;
    PlaceList* next = &memory_.next;
    uint64_t steps = 0;
    for (size_t at = 0;;) {
      if (now->places.empty()) {
        if (found_ || (program_.anchored_ && at > 0)) break;
        at = SkipTo(at);
      }
      if (!found_ && (at == 0 || !program_.anchored_)) {
        std::fill(memory_.captures.begin(), memory_.captures.end(), kUnset);
        Follow(*now, 0, at);
      }
      // Captures are copied with each place.
      steps += now->places.size() * (1 + slots_ / 16);
      if (steps > kMaxSteps) return std::nullopt;
      const Character character = CharacterAt(at);
      Step(*now, *next, at, character);
      if (existence && found_) return true;
      if (at >= subject_.size()) break;
      at += character.size;
      std::swap(now, next);
      next->places.clear();
    }
    return found_;
  }

  void Deliver(Match& match) const {
    match.end = static_cast<uint32_t>(end_);
    match.capture_count = 0;
    for (size_t i = 0; i + 1 < memory_.best.size() && match.capture_count < Match::kMaxCaptures;
         i += 2) {
      if (memory_.best[i + 1] == kUnset) continue;
      match.captures[match.capture_count++] = {memory_.best[i], memory_.best[i + 1]};
    }
  }

 private:
  Character CharacterAt(size_t at) const {
    if (at >= subject_.size()) return {0, 0};
    if (program_.characters_) return DecodeCharacter(subject_, at);
    return {static_cast<uint8_t>(subject_[at]), 1};
  }

  // Next position where a match can begin. Stands at the start of a character, because either all
  // bytes above ASCII can begin a match or none.
  size_t SkipTo(size_t at) const {
    if (program_.any_first_ || program_.anchored_) return at;
    while (at < subject_.size() && !program_.first_.HasByte(static_cast<uint8_t>(subject_[at])))
      ++at;
    return at;
  }

  bool Fits(const CharSet& set, const Character& character) const {
    return program_.characters_ ? set.HasCharacter(character.code)
                                : set.HasByte(static_cast<uint8_t>(character.code));
  }

  void Step(PlaceList& now, PlaceList& next, size_t at, const Character& character) {
    for (const uint32_t place : now.places) {
      const Instruction& step = program_.code_[place];
      if (step.op == Op::kAccept) {
        found_ = true;
        end_ = at;
        Load(now, place, memory_.best);
        return;  // ways behind this one are less preferred
      }
      if (step.op != Op::kSet || character.size == 0 || !Fits(program_.sets_[step.a], character))
        continue;
      Load(now, place, memory_.captures);
      Follow(next, place + 1, at + character.size);
    }
  }

  void Load(const PlaceList& list, uint32_t place, std::vector<uint32_t>& captures) const {
    std::copy_n(list.captures.begin() + static_cast<std::ptrdiff_t>(place * slots_), slots_,
                captures.begin());
  }

  // Adds to `list` all places that `place` leads to without consuming anything, in order of
  // preference.
  void Follow(PlaceList& list, uint32_t place, size_t at) {
    auto& pending = memory_.pending;
    pending.push_back({place});
    while (!pending.empty()) {
      const Pending todo = pending.back();
      pending.pop_back();
      if (todo.slot != kUnset) {
        memory_.captures[todo.slot] = todo.value;
      } else if (list.Insert(todo.place)) {
        Visit(list, todo.place, at);
      }
    }
  }

  void Visit(PlaceList& list, uint32_t place, size_t at) {
    auto& pending = memory_.pending;
    const Instruction& step = program_.code_[place];
    switch (step.op) {
      case Op::kSet:
      case Op::kAccept:
        std::copy_n(memory_.captures.begin(), slots_,
                    list.captures.begin() + static_cast<std::ptrdiff_t>(place * slots_));
        break;
      case Op::kSplit:
        pending.push_back({step.b});
        pending.push_back({step.a});
        break;
      case Op::kJump:
        pending.push_back({step.a});
        break;
      case Op::kAssert:
        if (Holds(static_cast<Assertion>(step.a), subject_, at)) pending.push_back({place + 1});
        break;
      case Op::kSave:
        if (slots_ != 0) {
          pending.push_back({place, step.a, memory_.captures[step.a]});
          memory_.captures[step.a] = static_cast<uint32_t>(at);
        }
        pending.push_back({place + 1});
        break;
    }
  }

  const Program& program_;
  const std::string_view subject_;
  const size_t slots_;
  Memory& memory_;
  bool found_ = false;
  size_t end_ = 0;
};

bool Program::Search(std::string_view subject, Match* match, std::string_view text) const {
  // What Exists() cannot answer: `$` before a final LF.
  const bool ordered = before_final_newline_ && subject.ends_with('\n');
  if (!ordered && (match == nullptr || subject.size() >= kLong)) {
    const std::optional<bool> exists = Exists(subject);
    if (exists == false || (exists && match == nullptr)) return *exists;
  }
  Run run(*this, subject, match != nullptr);
  const std::optional<bool> found = run.Search(match == nullptr);
  if (!found) CountGivenUp(text);
  if (!found.value_or(false)) return false;
  if (match != nullptr) run.Deliver(*match);
  return true;
}

}  // namespace ospatrol::pattern
