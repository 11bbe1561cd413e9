// How messages name a file.
#pragma once

#include <filesystem>
#include <string>

namespace ospatrol::product {

// As the user knows it: relative to the prefix where it lies below that, else in full.
inline std::string ShownPath(const std::filesystem::path& file,
                             const std::filesystem::path& prefix) {
  const std::filesystem::path relative = file.lexically_relative(prefix);
  const bool below = !relative.empty() && *relative.begin() != "..";
  return below ? relative.native() : file.native();
}

}  // namespace ospatrol::product
