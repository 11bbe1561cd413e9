// libraries: analysisd
// under test: analysisd/cdb.cpp analysisd/list_set.cpp
// The bytes as a compiled list and as the text of one: no read outside, and what is compiled is
// found again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "analysisd/cdb.h"
#include "analysisd/list_set.h"

namespace {

using namespace ospatrol::analysisd;  // NOLINT: a fuzz target

void LookUp(const ListTable& table) {
  for (const std::string_view key :
       {"", "a", "key", "10.0.0.5", "10.", "192.168.1.7", "2001:db8::7", "::ffff:10.0.0.5"}) {
    table.Find(key);
    table.FindAddress(key);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto table = ListTable::FromCompiled(std::string(bytes))) LookUp(*table);

  const auto compiled = CompileCdb(bytes);
  if (!compiled) return 0;
  const auto cdb = Cdb::FromBytes(*compiled);
  if (!cdb) std::abort();
  size_t entries = 0;
  ForEachEntry(bytes, [&](std::string_view key, std::string_view) {
    ++entries;
    if (!cdb->Find(key)) std::abort();
  });
  size_t records = 0;
  cdb->ForEach([&](std::string_view, std::string_view) { ++records; });
  if (records != entries) std::abort();
  LookUp(*ListTable::FromText(bytes));
  return 0;
}
