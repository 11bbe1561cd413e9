// Records that are made and not yet written: of each output file its bytes, and how many records
// they are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace ospatrol::analysisd {

enum class OutputFile { kAlerts, kAlertsJson, kSpool, kArchives, kArchivesJson, kFirewall, kCount };
inline constexpr size_t kOutputFiles = static_cast<size_t>(OutputFile::kCount);

class RecordBatch {
 public:
  struct Part {
    std::string text;
    uint64_t records = 0;
  };

  Part& of(OutputFile file) { return parts_[static_cast<size_t>(file)]; }
  const Part& of(OutputFile file) const { return parts_[static_cast<size_t>(file)]; }

  // Where the next record of a file goes; it counts from now on.
  std::string& Next(OutputFile file) {
    Part& part = of(file);
    ++part.records;
    return part.text;
  }

  // Takes all records of `later`, which is empty afterwards and keeps memory to be used again.
  void Take(RecordBatch& later);
  // Empties one file's part.
  static void Clear(Part& part);

  uint64_t records() const;
  size_t bytes() const;

 private:
  std::array<Part, kOutputFiles> parts_;
};

}  // namespace ospatrol::analysisd
