#include "pattern/literal_scan.h"

#ifdef OSPATROL_HAVE_VECTORSCAN
#include <hs/hs.h>

#include <atomic>
#endif

namespace ospatrol::pattern {

#ifdef OSPATROL_HAVE_VECTORSCAN

namespace {

// Working memory of one thread. It fits every database that it was shown to; which one that was
// last is told by a number, because an address may be used again.
class Scratch {
 public:
  Scratch() = default;
  ~Scratch() { hs_free_scratch(scratch_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  hs_scratch_t* For(const hs_database_t* database, uint64_t number) {
    if (number_ != number) {
      if (hs_alloc_scratch(database, &scratch_) != HS_SUCCESS) return nullptr;
      number_ = number;
    }
    return scratch_;
  }

 private:
  hs_scratch_t* scratch_ = nullptr;
  uint64_t number_ = 0;
};

struct Caller {
  void (*report)(unsigned text, void* context);
  void* context;
};

int OnMatch(unsigned text, unsigned long long, unsigned long long, unsigned, void* caller) {
  const Caller& to = *static_cast<const Caller*>(caller);
  to.report(text, to.context);
  return 0;
}

uint64_t NextNumber() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

struct LiteralScan::Database {
  explicit Database(hs_database_t* compiled) : database(compiled) {}
  ~Database() { hs_free_database(database); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  hs_database_t* database;
  uint64_t number = NextNumber();
};

std::unique_ptr<const LiteralScan> LiteralScan::Compile(const std::vector<std::string>& texts) {
  if (texts.empty() || hs_valid_platform() != HS_SUCCESS) return nullptr;
  std::vector<const char*> starts;
  std::vector<size_t> sizes;
  std::vector<unsigned> ids;
  for (const std::string& text : texts) {
    ids.push_back(static_cast<unsigned>(starts.size()));
    starts.push_back(text.data());
    sizes.push_back(text.size());
  }
  const std::vector<unsigned> flags(texts.size(), HS_FLAG_CASELESS);
  hs_database_t* compiled = nullptr;
  hs_compile_error_t* error = nullptr;
  const hs_error_t result = hs_compile_lit_multi(starts.data(), flags.data(), ids.data(),
                                                 sizes.data(), static_cast<unsigned>(texts.size()),
                                                 HS_MODE_BLOCK, nullptr, &compiled, &error);
  hs_free_compile_error(error);
  if (result != HS_SUCCESS) return nullptr;
  return std::unique_ptr<const LiteralScan>(
      new LiteralScan(std::make_unique<const Database>(compiled)));
}

bool LiteralScan::Scan(std::string_view subject, Report report, void* context) const {
  thread_local Scratch scratch;
  hs_scratch_t* const memory = scratch.For(database_->database, database_->number);
  if (memory == nullptr) return false;
  Caller caller{report, context};
  return hs_scan(database_->database, subject.data(), static_cast<unsigned>(subject.size()), 0,
                 memory, OnMatch, &caller) == HS_SUCCESS;
}

#else

struct LiteralScan::Database {};

std::unique_ptr<const LiteralScan> LiteralScan::Compile(const std::vector<std::string>&) {
  return nullptr;
}

bool LiteralScan::Scan(std::string_view, Report, void*) const { return false; }

#endif

LiteralScan::LiteralScan(std::unique_ptr<const Database> database)
    : database_(std::move(database)) {}

LiteralScan::~LiteralScan() = default;

}  // namespace ospatrol::pattern
