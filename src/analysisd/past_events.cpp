#include "analysisd/past_events.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace ospatrol::analysisd {
namespace {

char* Put(char* place, std::string_view text) {
  if (!text.empty()) std::memcpy(place, text.data(), text.size());
  return place + text.size();
}

}  // namespace

std::span<Ring* const> Past::rings() const {
  return {reinterpret_cast<Ring* const*>(record_ + 1), record_->ring_count};
}

std::span<const Past::KeptValue> Past::Values() const {
  const std::span<Ring* const> before = rings();
  return {reinterpret_cast<const KeptValue*>(before.data() + before.size()), record_->value_count};
}

const char* Past::Bytes() const {
  const std::span<const KeptValue> before = Values();
  return reinterpret_cast<const char*>(before.data() + before.size());
}

std::string_view Past::full_log() const { return {Bytes(), record_->log_size}; }

std::string_view Past::Value(size_t position) const {
  const char* const bytes = Bytes() + record_->log_size;
  uint32_t begin = 0;
  for (const KeptValue& value : Values()) {
    if (value.position == position) return {bytes + begin, value.end - begin};
    begin = value.end;
  }
  return {};
}

PastEvents::~PastEvents() {
  while (oldest_ != nullptr) Remove(*oldest_);
}

Past& PastEvents::Add(const Facts& facts, std::span<const PastValue> values,
                      std::span<Ring* const> rings) {
  size_t size = sizeof(Past::Record) + rings.size_bytes() +
                values.size() * sizeof(Past::KeptValue) + facts.full_log.size();
  for (const PastValue& value : values) size += value.text.size();

  Past& past = *std::construct_at(static_cast<Past*>(pool_.Allocate(sizeof(Past))));
  past.mark = static_cast<int16_t>(facts.mark);
  past.rings_left = static_cast<uint16_t>(rings.size());
  past.record_size_ = static_cast<uint32_t>(size);
  past.record_ =
      std::construct_at(static_cast<Past::Record*>(pool_.Allocate(size)),
                        Past::Record{facts.time, facts.sequence, facts.rule,
                                     static_cast<uint32_t>(facts.full_log.size()),
                                     static_cast<uint32_t>(rings.size()),
                                     static_cast<uint32_t>(values.size()), facts.category});
  auto* const ring_places = reinterpret_cast<Ring**>(past.record_ + 1);
  std::copy(rings.begin(), rings.end(), ring_places);
  auto* place = reinterpret_cast<Past::KeptValue*>(ring_places + rings.size());
  char* bytes = Put(reinterpret_cast<char*>(place + values.size()), facts.full_log);
  uint32_t end = 0;
  for (const PastValue& value : values) {
    end += static_cast<uint32_t>(value.text.size());
    *place++ = {value.position, end};
    bytes = Put(bytes, value.text);
  }

  past.older_ = newest_;
  (newest_ != nullptr ? newest_->newer_ : oldest_) = &past;
  newest_ = &past;
  ++size_;
  return past;
}

void PastEvents::Remove(Past& past) {
  (past.older_ != nullptr ? past.older_->newer_ : oldest_) = past.newer_;
  (past.newer_ != nullptr ? past.newer_->older_ : newest_) = past.older_;
  --size_;
  pool_.Free(past.record_, past.record_size_);
  pool_.Free(&past, sizeof(Past));
}

}  // namespace ospatrol::analysisd
