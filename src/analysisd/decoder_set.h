// All decoders of one load, and the algorithm that applies them to an event
// (rules-and-decoders 3.5, 3.6).
//
// An event with a program name is tried against the program list only, one without against the
// plain list only; the first root that fits is final. Both lists are indexed by how what they test
// begins (root_index.h), so that a root whose anchored pattern begins otherwise costs nothing; what
// fits a program name is remembered besides (program_roots.h).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysisd/decoder.h"
#include "analysisd/event.h"
#include "analysisd/geoip.h"
#include "analysisd/plugin.h"
#include "analysisd/program_roots.h"
#include "analysisd/root_index.h"

namespace ospatrol::analysisd {

// Immutable after load; Decode is thread-safe.
class DecoderSet {
 public:
  DecoderSet();
  ~DecoderSet();
  DecoderSet(const DecoderSet&) = delete;
  DecoderSet& operator=(const DecoderSet&) = delete;

  // Finds the decoder and extracts the fields. REQUIRES: Predecode(event). Sets decoder,
  // decoder_name, category and fields; allocates only in plugins and for GeoIP. The views it sets
  // are into the event and into this set.
  void Decode(Event& event) const;

  // Id of a name that a decoder was declared with or goes by, built-in names included; 0 = unknown.
  // An event answers to it when `event.decoder != nullptr && event.decoder->name_id == id`.
  int NameId(std::string_view name) const;
  // False for the declared name of children that all took their parents' names: `decoded_as` never
  // matches it.
  bool IsNameInUse(int name_id) const;
  int NameCount() const;  // ids are 1..NameCount()

  // The bits of prematches are 0..PrematchCount()-1.
  uint32_t PrematchCount() const { return prematch_count_; }

  // In load order.
  const std::vector<std::unique_ptr<Decoder>>& decoders() const { return decoders_; }

  // Null when no database is configured.
  const GeoIp* geoip() const { return geoip_.get(); }

  // Rules for the OSSECAlert plugin. Called once by Ruleset::Load, before the first Decode.
  void SetRuleFinder(RuleFinder find_rule) { find_rule_ = std::move(find_rule); }

 private:
  friend class DecoderLoader;

  int Intern(std::string_view name);
  void BuildIndex();  // after the last decoder

  // False when its prematch does not fit.
  bool DecodeBy(const Decoder& root, Event& event) const;
  void DecodeFrom(const Decoder& root, size_t parent_end, Event& event) const;
  // `chain`: the chosen node and its later siblings.
  void RunChain(std::span<const Decoder* const> chain, size_t parent_end, size_t prematch_end,
                Event& event) const;
  static void Deliver(const Decoder& node, std::string_view subject, const pattern::Match& match,
                      Event& event);
  void AddGeo(Field field, std::string_view address, Event& event) const;

  std::vector<std::unique_ptr<Decoder>> decoders_;
  ProgramRoots by_program_;
  RootIndex by_log_;

  uint32_t prematch_count_ = 0;
  std::unordered_map<std::string, int> name_ids_;
  std::vector<bool> name_in_use_;
  std::shared_ptr<const GeoIp> geoip_;
  RuleFinder find_rule_;
};

}  // namespace ospatrol::analysisd
