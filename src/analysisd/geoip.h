// Country and region of an address, from a MaxMind database on disk. Built without libmaxminddb it
// never finds anything.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace ospatrol::analysisd {

class GeoIp {
 public:
  // nullptr and a reason in `error` when the file cannot be used. A database of that path which is
  // still in use is given when the file cannot be found any more: after the chroot a reload does
  // not see paths outside of the prefix.
  static std::shared_ptr<const GeoIp> Open(const std::filesystem::path& database,
                                           std::string* error);
  ~GeoIp();
  GeoIp(const GeoIp&) = delete;
  GeoIp& operator=(const GeoIp&) = delete;

  // "CC" or "CC / Region name"; empty when the address is invalid or not listed. Thread-safe; no
  // I/O but page faults.
  std::string Lookup(std::string_view ip) const;

 private:
  GeoIp();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ospatrol::analysisd
