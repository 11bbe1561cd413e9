// One pass over a subject that tells which of many literal texts occur in it, in any case. Its cost
// grows with the subject, hardly with the number of texts: about 10 ns for every 25 bytes.
//
// Vectorscan does the work. Where the library was not there at build time, or the processor lacks
// what it needs, there is no scan, and callers ask every pattern instead: slower, same answers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ospatrol::pattern {

class LiteralScan {
 public:
  // Null when it is not possible here, or when there is nothing to search for. Texts: ASCII,
  // letters in lower case, not empty.
  static std::unique_ptr<const LiteralScan> Compile(const std::vector<std::string>& texts);

  ~LiteralScan();
  LiteralScan(const LiteralScan&) = delete;
  LiteralScan& operator=(const LiteralScan&) = delete;

  // Calls found(position in texts) for each text that occurs, some of them more than once, in no
  // particular order. False: the scan failed, anything may occur. Thread-safe; memory is per thread
  // and used again.
  template <typename Found>
  bool Scan(std::string_view subject, Found&& found) const {
    return Scan(
        subject,
        [](unsigned text, void* context) {
          (*static_cast<std::remove_reference_t<Found>*>(context))(text);
        },
        &found);
  }

 private:
  struct Database;
  using Report = void (*)(unsigned text, void* context);

  explicit LiteralScan(std::unique_ptr<const Database> database);
  bool Scan(std::string_view subject, Report report, void* context) const;

  std::unique_ptr<const Database> database_;
};

}  // namespace ospatrol::pattern
