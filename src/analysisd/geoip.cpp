#include "analysisd/geoip.h"

#include <array>
#include <map>
#include <mutex>

#ifdef OSPATROL_HAVE_GEOIP
#include <maxminddb.h>
#endif

namespace ospatrol::analysisd {

#ifdef OSPATROL_HAVE_GEOIP

struct GeoIp::Impl {
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (open) MMDB_close(&database);
  }

  MMDB_s database{};
  bool open = false;
};

namespace {

// The text at a path of the record; empty when there is none.
std::string_view TextAt(const MMDB_lookup_result_s& result, const char* const* path) {
  MMDB_lookup_result_s entry = result;
  MMDB_entry_data_s data{};
  if (MMDB_aget_value(&entry.entry, &data, path) != MMDB_SUCCESS || !data.has_data ||
      data.type != MMDB_DATA_TYPE_UTF8_STRING) {
    return {};
  }
  return {data.utf8_string, data.data_size};
}

constexpr std::array<const char*, 3> kCountryCode = {"country", "iso_code", nullptr};
constexpr std::array<const char*, 5> kRegionName = {"subdivisions", "0", "names", "en", nullptr};

}  // namespace

std::shared_ptr<const GeoIp> GeoIp::Open(const std::filesystem::path& database,
                                         std::string* error) {
  static std::mutex mutex;
  static std::map<std::filesystem::path, std::weak_ptr<const GeoIp>> in_use;
  const std::scoped_lock lock(mutex);
  std::shared_ptr<GeoIp> geoip(new GeoIp);
  const int status = MMDB_open(database.c_str(), MMDB_MODE_MMAP, &geoip->impl_->database);
  if (status != MMDB_SUCCESS) {
    *error = MMDB_strerror(status);
    return status == MMDB_FILE_OPEN_ERROR ? in_use[database].lock() : nullptr;
  }
  geoip->impl_->open = true;
  in_use[database] = geoip;
  return geoip;
}

std::string GeoIp::Lookup(std::string_view ip) const {
  // Longest text form of an address, with the NUL that the library wants.
  std::array<char, 46> text{};
  if (ip.empty() || ip.size() >= text.size()) return {};
  ip.copy(text.data(), ip.size());
  int syntax_error = 0;
  int database_error = MMDB_SUCCESS;
  // Numeric addresses only: the library asks the resolver with AI_NUMERICHOST.
  const MMDB_lookup_result_s result =
      MMDB_lookup_string(&impl_->database, text.data(), &syntax_error, &database_error);
  if (syntax_error != 0 || database_error != MMDB_SUCCESS || !result.found_entry) return {};
  std::string place(TextAt(result, kCountryCode.data()));
  if (place.empty()) return {};
  const std::string_view region = TextAt(result, kRegionName.data());
  if (!region.empty()) place.append(" / ").append(region);
  return place;
}

#else

struct GeoIp::Impl {};

std::shared_ptr<const GeoIp> GeoIp::Open(const std::filesystem::path& /*database*/,
                                         std::string* error) {
  *error = "this build has no GeoIP support";
  return nullptr;
}

std::string GeoIp::Lookup(std::string_view /*ip*/) const { return {}; }

#endif

GeoIp::GeoIp() : impl_(std::make_unique<Impl>()) {}
GeoIp::~GeoIp() = default;

}  // namespace ospatrol::analysisd
