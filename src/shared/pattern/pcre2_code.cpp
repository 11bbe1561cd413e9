#define PCRE2_CODE_UNIT_WIDTH 8
#include "pattern/pcre2_code.h"

#include <pcre2.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

namespace ospatrol::pattern {
namespace {

constexpr size_t kUnset = SIZE_MAX;                   // PCRE2_UNSET, PCRE2_ZERO_TERMINATED
constexpr size_t kJitStackStart = size_t{64} * 1024;  // per thread; grown by page faults only
constexpr size_t kJitStackMax = size_t{4} * 1024 * 1024;
constexpr uint32_t kHeapLimitKiB = 64 * 1024;  // of the interpreter; see GiveBackFrames
constexpr uint32_t kDepthLimit = 1'000'000;
constexpr uint32_t kUsualPairs = Match::kMaxCaptures + 1;

struct Free {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};

PCRE2_SPTR Bytes(std::string_view text) {
  // PCRE2 refuses a null pointer even when the length is 0.
  return reinterpret_cast<PCRE2_SPTR>(text.data() == nullptr ? "" : text.data());
}

// What a thread needs for its searches.
class Workspace {
 public:
  Workspace()
      : stack_(pcre2_jit_stack_create(kJitStackStart, kJitStackMax, nullptr)),
        context_(pcre2_match_context_create(nullptr)) {
    if (context_ == nullptr) return;
    pcre2_set_heap_limit(context_.get(), kHeapLimitKiB);
    pcre2_set_depth_limit(context_.get(), kDepthLimit);
    if (stack_ != nullptr) pcre2_jit_stack_assign(context_.get(), nullptr, stack_.get());
  }

  static Workspace& Local() {
    thread_local Workspace workspace;
    return workspace;
  }

  // Null when there is no memory.
  pcre2_match_data* Data(uint32_t pairs) {
    if (data_ == nullptr || pairs_ < pairs) {
      pairs_ = std::max(pairs, kUsualPairs);
      data_.reset(pcre2_match_data_create(pairs_, nullptr));
    }
    return data_.get();
  }

  // The interpreter leaves its frames with the match data.
  void GiveBackFrames() { data_.reset(); }

  // Null when there is no memory. Usually the limits are those of the last search.
  pcre2_match_context* Context(uint32_t match_limit, size_t last_start) {
    if (match_limit_ != match_limit && context_ != nullptr) {
      pcre2_set_match_limit(context_.get(), match_limit);
      match_limit_ = match_limit;
    }
    if (last_start_ != last_start && context_ != nullptr) {
      pcre2_set_offset_limit(context_.get(), last_start);
      last_start_ = last_start;
    }
    return context_.get();
  }

 private:
  std::unique_ptr<pcre2_jit_stack, Free> stack_;
  std::unique_ptr<pcre2_match_context, Free> context_;
  std::unique_ptr<pcre2_match_data, Free> data_;
  uint32_t pairs_ = 0;
  uint32_t match_limit_ = 0;
  size_t last_start_ = SIZE_MAX;  // PCRE2_UNSET: none
};

// What PCRE2 allocated last in this thread, unless it gave that back.
thread_local void* last_allocated = nullptr;

void* Allocate(size_t size, void*) { return last_allocated = std::malloc(size); }
void Release(void* memory, void*) {
  if (memory == last_allocated) last_allocated = nullptr;
  std::free(memory);
}

// Of all patterns; null when there was no memory.
pcre2_compile_context* Memory() {
  static pcre2_compile_context* const kContext = [] {
    pcre2_general_context* general = pcre2_general_context_create(Allocate, Release, nullptr);
    pcre2_compile_context* made = pcre2_compile_context_create(general);
    pcre2_general_context_free(general);
    return made;
  }();
  return kContext;
}

// What a search reads of PCRE2 before its machine code runs: two lines each of the pattern, of what
// describes the machine code, which is the last that was allocated for it, and of the code, whose
// address this begins with. If a version of PCRE2 has it otherwise, searches are a little slower,
// no more.
std::array<const void*, 6> FirstRead(const pcre2_code* code, const void* description) {
  constexpr size_t kLine = 64;
  const char* entry = nullptr;
  std::memcpy(&entry, description, sizeof(entry));
  const auto* pattern = reinterpret_cast<const char*>(code);
  const auto* described = static_cast<const char*>(description);
  return {pattern, pattern + kLine, described, described + kLine, entry, entry + kLine};
}

template <typename Value>
Value Info(const pcre2_code* code, uint32_t what) {
  Value value{};
  pcre2_pattern_info(code, what, &value);
  return value;
}

std::string Reason(int error) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(error, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

// Groups that took no part are left out and the rest moves up (2.7).
void Deliver(pcre2_match_data* data, uint32_t groups, int highest, Match& match) {
  const size_t* pairs = pcre2_get_ovector_pointer(data);
  const uint32_t known = std::min(groups + 1, static_cast<uint32_t>(highest));
  match.end = static_cast<uint32_t>(pairs[1]);
  match.capture_count = 0;
  for (uint32_t i = 1; i < known && match.capture_count < Match::kMaxCaptures; ++i) {
    if (pairs[2 * i] == kUnset) continue;
    const auto begin = static_cast<uint32_t>(pairs[2 * i]);
    const auto end = static_cast<uint32_t>(pairs[2 * i + 1]);
    match.captures[match.capture_count++] = {std::min(begin, end), end};
  }
}

// Null when PCRE2 refuses the text; then `error` is set.
pcre2_code* CompileText(std::string_view text, const Pcre2Code::Options& options,
                        uint32_t more_flags, CompileError& error) {
  uint32_t flags = PCRE2_CASELESS | PCRE2_USE_OFFSET_LIMIT | more_flags;
  if (options.utf) flags |= PCRE2_UTF;
  if (options.dot_all) flags |= PCRE2_DOTALL;
  int number = 0;
  pcre2_code* code =
      pcre2_compile(Bytes(text), text.size(), flags, &number, &error.offset, Memory());
  if (code == nullptr) error.reason = Reason(number);
  return code;
}

bool IsUtf(const pcre2_code* code) {
  return (Info<uint32_t>(code, PCRE2_INFO_ALLOPTIONS) & PCRE2_UTF) != 0;
}

}  // namespace

std::unique_ptr<const Pcre2Code> Pcre2Code::Compile(std::string_view text, const Options& options,
                                                    CompileError& error) {
  pcre2_code* code = CompileText(text, options, 0, error);
  if (code == nullptr) return nullptr;
  if (!options.utf && IsUtf(code)) {
    // (*UTF) in the pattern: subjects are not checked, so the code must take any bytes. \C would
    // split characters.
    pcre2_code_free(code);
    code = CompileText(text, options, PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, error);
    if (code == nullptr) return nullptr;
  }
  std::unique_ptr<Pcre2Code> made(new Pcre2Code(std::string(text), options));
  made->groups_ = Info<uint32_t>(code, PCRE2_INFO_CAPTURECOUNT);
  made->utf_ = IsUtf(code);
  made->Take(code);
  return made;
}

std::unique_ptr<const Pcre2Code> Pcre2Code::Later(std::string text, const Options& options,
                                                  uint32_t groups) {
  std::unique_ptr<Pcre2Code> made(new Pcre2Code(std::move(text), options));
  made->groups_ = groups;
  made->utf_ = options.utf;
  return made;
}

void Pcre2Code::Take(pcre2_code* code) const {
  code_ = code;
  anchored_ = (Info<uint32_t>(code, PCRE2_INFO_ALLOPTIONS) & PCRE2_ANCHORED) != 0;
  single_start_ = anchored_ || text_.find("\\G") != std::string::npos;
  text_ = std::string();
}

// Meanwhile other threads may run the same code in the interpreter, which uses nothing that is
// written here.
Pcre2Code::Machine Pcre2Code::CompileNow() const {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  Machine machine = machine_.load(std::memory_order_relaxed);
  if (machine != Machine::kUnknown) return machine;
  if (code_ == nullptr) {
    CompileError error;
    pcre2_code* code = CompileText(text_, options_, 0, error);
    if (code == nullptr) return Machine::kUnknown;
    Take(code);
  }
  last_allocated = nullptr;
  const bool made = pcre2_jit_compile(code_, PCRE2_JIT_COMPLETE) == 0 &&
                    Info<size_t>(code_, PCRE2_INFO_JITSIZE) != 0;
  if (made && last_allocated != nullptr) first_read_ = FirstRead(code_, last_allocated);
  machine = made ? Machine::kCode : Machine::kNone;
  machine_.store(machine, std::memory_order_release);
  return machine;
}

Pcre2Code::~Pcre2Code() { pcre2_code_free(code_); }

Pcre2Code::Result Pcre2Code::Search(std::string_view subject, const Bounds& bounds,
                                    Match* match) const {
  const Machine machine = Ready();
  Workspace& workspace = Workspace::Local();
  pcre2_match_context* context = workspace.Context(bounds.match_limit, bounds.last_start);
  pcre2_match_data* data = workspace.Data(groups_ + 1);
  if (machine == Machine::kUnknown || context == nullptr || data == nullptr) return Result::kLimit;
  int result = 0;
  if (machine == Machine::kCode && !bounds.interpret) {
    result = pcre2_jit_match(code_, Bytes(subject), subject.size(), bounds.start, 0, data, context);
  } else {
    const uint32_t flags = PCRE2_NO_JIT | (options_.utf ? PCRE2_NO_UTF_CHECK : 0U);
    result = pcre2_match(code_, Bytes(subject), subject.size(), bounds.start, flags, data, context);
  }
  if (result > 0 && match != nullptr) Deliver(data, groups_, result, *match);
  if (result > 0) return Result::kMatch;
  if (result == PCRE2_ERROR_NOMATCH) return Result::kNoMatch;
  return result == PCRE2_ERROR_JIT_STACKLIMIT ? Result::kJitStack : Result::kLimit;
}

void Pcre2Code::GiveBackFrames() { Workspace::Local().GiveBackFrames(); }

}  // namespace ospatrol::pattern
