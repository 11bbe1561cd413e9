#include "analysisd/accumulate.h"

#include "analysisd/decoder.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kMaxKey = 255;
constexpr size_t kMaxValue = 80;
constexpr base::Seconds kLifetime = 120;
constexpr unsigned kSweepLookups = 200;
constexpr base::Seconds kSweepSeconds = 300;

constexpr std::array kRemembered = {Field::kDstUser, Field::kSrcUser, Field::kDstIp, Field::kSrcIp,
                                    Field::kDstPort, Field::kSrcPort, Field::kData};

}  // namespace

bool Accumulator::Apply(Event& event) {
  static_assert(kRemembered.size() == kFields);
  if (event.decoder == nullptr || !event.decoder->accumulate) return false;
  if (!IsSet(event.Get(Field::kId))) return false;
  key_.assign(event.hostname).append(" ").append(event.decoder_name).append(" ");
  key_.append(event.Get(Field::kId));
  if (key_.size() > kMaxKey) return false;
  Sweep(event.time);

  Entry& entry = entries_[key_];
  if (event.time - entry.time >= kLifetime) entry = {};
  entry.time = event.time;
  for (size_t i = 0; i < kFields; ++i) {
    const std::string_view value = event.Get(kRemembered[i]);
    std::string& known = entry.values[i];
    if (value.empty() && !known.empty()) {
      event.Set(kRemembered[i], event.Keep(known));
    } else if (known.empty() && value.size() <= kMaxValue) {
      known = value;
    }
  }
  return true;
}

void Accumulator::Sweep(base::Seconds now) {
  ++lookups_;
  if (lookups_ < kSweepLookups && now - last_sweep_ < kSweepSeconds) return;
  lookups_ = 0;
  last_sweep_ = now;
  std::erase_if(entries_, [&](const auto& entry) { return now - entry.second.time >= kLifetime; });
}

}  // namespace ospatrol::analysisd
