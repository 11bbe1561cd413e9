// libraries: agentd
// under test: agentd/spool_record.cpp agentd/segment_reader.cpp agentd/spool.cpp
// A segment of any bytes: the spool opens, gives what is valid in it, and takes events again that
// can be read after another opening.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "agentd/spool.h"
#include "log/log.h"

namespace {

using ospatrol::agentd::Spool;

constexpr int64_t kNow = 1'763'800'000'000;
constexpr std::string_view kEvent = "1:fuzz:event";

const std::filesystem::path& Directory() {
  static const std::filesystem::path directory = [] {
    std::string name = (std::filesystem::temp_directory_path() / "spool-fuzz-XXXXXX").native();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    ospatrol::log::Configure("spool_fuzz", name + "/log", false);
    std::filesystem::create_directory(name + "/spool");
    return std::filesystem::path(name) / "spool";
  }();
  return directory;
}

// Number of the last event, reading all.
uint64_t ReadAll(Spool& spool) {
  uint64_t last = 0;
  while (const auto event = spool.Read(last + 1)) {
    if (event->number <= last || event->number >= spool.next()) std::abort();
    last = event->number;
  }
  return last;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::filesystem::path& directory = Directory();
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    std::filesystem::remove(file.path());
  }
  std::ofstream(directory / "0000000000000001.seg", std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  uint64_t number = 0;
  {
    Spool spool(directory, Spool::LimitsOf(0, false), kNow);
    ReadAll(spool);
    number = spool.next();
    if (spool.Append(std::span(&kEvent, 1), kNow) != Spool::Outcome::kStored) std::abort();
    if (ReadAll(spool) != number) std::abort();
  }
  Spool again(directory, Spool::LimitsOf(0, false), kNow);
  const auto event = again.Read(number);
  if (!event || event->number != number || event->message != kEvent) std::abort();
  return 0;
}
