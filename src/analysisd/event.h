// One event on its way through the engine: the received text, its header parts, the decoded fields.
// All views look into memory that the event owns (or into the decoders, which outlive it).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <ctime>
#include <forward_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace ospatrol::analysisd {

struct Decoder;
struct Rule;

// Decides the rule category of an event (rules-and-decoders 3.2 `type`, 4.3 `category`).
enum class Category : uint8_t {
  kSyslog,
  kFirewall,
  kIds,
  kWebLog,
  kSquid,
  kWindows,
  kHostInformation,
  kOssec
};

inline constexpr size_t kCategoryCount = static_cast<size_t>(Category::kOssec) + 1;

// The fixed fields (rules-and-decoders 8). Dynamic ones are kept by name.
enum class Field : uint8_t {
  kSrcUser,
  kDstUser,
  kSrcIp,
  kDstIp,
  kSrcPort,
  kDstPort,
  kProtocol,
  kAction,
  kId,
  kUrl,
  kData,
  kStatus,
  kSystemName,
  kFilename,
  kSrcGeoip,
  kDstGeoip,
  kCount
};

inline constexpr size_t kFieldCount = static_cast<size_t>(Field::kCount);

// A field is unset (data() == nullptr) or set, possibly to the empty text.
inline bool IsSet(std::string_view value) { return value.data() != nullptr; }

// Before/after facts of an integrity event; empty = unknown.
struct FileFacts {
  std::string md5_before, md5_after, sha1_before, sha1_after, sha256_before, sha256_after;
  std::string size_before, size_after, owner_before, owner_after, gowner_before, gowner_after;
  int64_t perm_before = -1, perm_after = -1;
};

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;  // views look into members
  Event& operator=(const Event&) = delete;

  // Fetches the beginning of it: for who goes from event to event.
  void Fetch() const {
    constexpr size_t kLine = 64;
    constexpr size_t kUsual = 6 * kLine;
    const auto* const begin = reinterpret_cast<const char*>(this);
    for (size_t i = 0; i < kUsual; i += kLine) __builtin_prefetch(begin + i);
  }

  // Makes it ready for a new message; keeps memory.
  void Reset();

  // Copies location and the cleaned text (rules-and-decoders 1.2) into the event; full_log = log =
  // all of it.
  void Assign(char kind, std::string_view location, std::string_view text, base::Seconds time);

  // As Assign, but looks into the caller's memory where nothing has to be cleaned: both texts must
  // stay as they are while the event is in use.
  void Refer(char kind, std::string_view location, std::string_view text, base::Seconds time);

  // A text that is no part of the message (a plugin's or the JSON decoder's), kept as long as the
  // event.
  std::string_view Keep(std::string text);

  std::string_view Get(Field field) const { return fields_[static_cast<size_t>(field)]; }
  void Set(Field field, std::string_view value) {
    fields_[static_cast<size_t>(field)] = value;
    extraction_.push_back({field, 0});
  }

  // Name comparison ignores case. Unset when the event has no such field. A later Set of the same
  // name overwrites.
  std::string_view GetDynamic(std::string_view name) const;
  void SetDynamic(std::string_view name, std::string_view value);  // `name` must outlive the event

  // One extraction: a fixed field, or (field == kCount) dynamic_fields[dynamic].
  struct Extracted {
    Field field;
    uint32_t dynamic;
  };
  // Every Set and SetDynamic since Reset, in order; a field that was set twice is there twice.
  const std::vector<Extracted>& Extraction() const { return extraction_; }

  // What every event sets comes first: an event lies in few lines of memory.
  char kind = '1';
  Category category = Category::kSyslog;
  bool first_seen = false;  // rootcheck's own first-time flag
  bool dropped = false;     // by a plugin: no rules, no archive
  base::Seconds time = 0;   // receipt, wall clock

  std::string_view location;
  std::string_view full_log;
  std::string_view log;  // what decoders and rules see
  std::string_view hostname;
  std::string_view program_name;  // unset when the header names none

  const Decoder* decoder = nullptr;  // nullptr: nothing matched; no name
  std::string_view decoder_name;  // as `decoded_as` compares it and alerts print it; unset = none
  const Rule* relayed_rule = nullptr;  // OSSECAlert plugin: fires this rule directly
  std::string_view relay;  // OSSECAlert plugin: "<hostname>-><location>" of the relaying manager,
                           // for queue/agent-info; not yet safe for a path

  // What the event can match (candidate_index.h).
  struct Candidates {
    // What is one whatever the texts of the message say: each has those before it, too.
    enum class Reach : uint8_t {
      kMessage,    // every value that is looked at is a part of the message
      kElsewhere,  // only the text behind the header is
      kUnknown,    // not even that, or nothing was searched for
    };
    Reach reach = Reach::kUnknown;
    std::vector<uint64_t> prematches;  // of decoders, a bit each; none: all of them
    std::vector<uint32_t> texts;       // of the message, by which rules are filed
  };
  Candidates candidates;
  bool IsCandidate(uint32_t prematch) const {
    const size_t word = prematch / 64;
    const std::vector<uint64_t>& bits = candidates.prematches;
    return word >= bits.size() || (bits[word] >> (prematch % 64) & 1) != 0;
  }

  std::vector<std::pair<std::string_view, std::string_view>> dynamic_fields;
  std::unique_ptr<FileFacts> file;  // of integrity events, else null

 private:
  void Start(char kind, base::Seconds time);

  std::vector<Extracted> extraction_;
  std::forward_list<std::string> kept_;
  std::string location_buffer_;
  std::string text_buffer_;
  std::optional<base::Seconds>
      local_time_;  // what `local` was made of: the next event is often of the same second
  std::array<std::string_view, kFieldCount> fields_{};  // those that are set stand in extraction_

 public:
  std::tm local{};  // `time` in local time: hour, minute and weekday conditions
};

}  // namespace ospatrol::analysisd
