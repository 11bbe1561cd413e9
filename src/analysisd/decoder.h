// One decoder as loaded (rules-and-decoders 3.2-3.5). Immutable; lives as long as its DecoderSet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analysisd/event.h"
#include "pattern/pattern.h"

namespace ospatrol::analysisd {

struct Plugin;  // plugin.h

// What a first-time-seen line is made of (4.11); the decoder name is always in it.
enum FtsField : unsigned {
  kFtsId = 1u << 0,
  kFtsDstUser = 1u << 1,
  kFtsSrcUser = 1u << 2,
  kFtsSrcIp = 1u << 3,
  kFtsDstIp = 1u << 4,
  kFtsData = 1u << 5,
  kFtsSystemName = 1u << 6,
  kFtsLocation = 1u << 7,
  kFtsName = 1u << 8,  // the name alone: "first event of this decoder"
};

// Where a pattern, a prematch or a plugin begins to read.
enum class Offset : uint8_t { kNone, kAfterParent, kAfterPrematch, kAfterRegex };

// Decoders that exist without a file; their order gives their name ids, from 1.
enum class BuiltinDecoder : uint8_t {
  kRootcheck,
  kSyscheckChanged,
  kSyscheckChanged2nd,
  kSyscheckChanged3rd,
  kSyscheckNew,
  kSyscheckDeleted,
  kHostinfoNew,
  kHostinfoModified,
  kCount
};

// A pattern of a decoder. Subjects are parts of the message of `event`.
struct DecoderPattern {
  static constexpr uint32_t kNoBit = UINT32_MAX;

  std::unique_ptr<const pattern::Pattern> pattern;
  uint32_t bit = kNoBit;  // in event.candidates.prematches; only prematches have one

  explicit operator bool() const { return pattern != nullptr; }
  bool Find(std::string_view subject, const Event& event, pattern::Match& match) const {
    return event.IsCandidate(bit) && pattern->Find(subject, match);
  }
};

// Takes one capture: a fixed field or, when `dynamic` is not empty, the dynamic field of that name.
struct OrderEntry {
  Field field = Field::kCount;
  std::string dynamic;
};

struct Decoder {
  int id = 0;                 // from 1 in load order; built-in ones have negative ids
  int name_id = 0;            // equal for equal names; what `decoded_as` compares
  std::string declared_name;  // <decoder name="...">
  std::string name;           // what it goes by: its parent's, unless use_own_name (3.4)

  Category category = Category::kSyslog;
  unsigned fts = 0;  // FtsField bits; 0 = no <fts>
  bool accumulate = false;

  DecoderPattern program_name;
  DecoderPattern prematch;
  Offset prematch_offset = Offset::kNone;
  DecoderPattern regex;
  Offset regex_offset = Offset::kNone;
  std::vector<OrderEntry> order;

  const Plugin* plugin = nullptr;
  Offset plugin_offset = Offset::kNone;
  bool json_discard_null = false;   // <json_null_field>discard
  bool json_arrays_as_csv = false;  // <json_array_structure>csv

  bool get_next = false;                 // 3.5: a later sibling of the same name continues this one
  std::vector<const Decoder*> children;  // in load order
  // What must be known of each child to pass over it, side by side.
  struct Gate {
    uint32_t prematch;  // its bit; DecoderPattern::kNoBit: it has none
    uint32_t next;      // position of the child that is tried when this one does not fit
  };
  std::vector<Gate> gates;
  std::vector<const Decoder*> parents;   // empty: top level

  std::string file;  // where it stands, for messages
  int line = 0;
};

// The object behind a built-in name; category kOssec. Valid for the whole run.
const Decoder& Builtin(BuiltinDecoder which);

}  // namespace ospatrol::analysisd
