// Finds the decoders without a parent whose program name fits that of an event.
//
// Which ones fit depends on the name alone, and few programs write most events: each thread
// remembers the answers for the names that it has seen.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "analysisd/root_index.h"

namespace ospatrol::analysisd {

class ProgramRoots {
 public:
  ProgramRoots();
  ProgramRoots(const ProgramRoots&) = delete;
  ProgramRoots& operator=(const ProgramRoots&) = delete;

  // As RootIndex. REQUIRES: the root has a program name.
  void Add(const Decoder& root, const std::vector<pattern::Beginning>& beginnings) {
    index_.Add(root, beginnings);
  }
  void Build() { index_.Build(); }

  // In load order. Thread-safe; valid until the next call on the same thread.
  std::span<const Decoder* const> Of(std::string_view program) const;

 private:
  std::vector<const Decoder*> Find(std::string_view program) const;

  RootIndex index_;
  const uint64_t number_;  // no other object ever has it
};

}  // namespace ospatrol::analysisd
