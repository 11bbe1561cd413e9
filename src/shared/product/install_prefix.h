// Which installation a program belongs to when nobody says it with -D.
#pragma once

#include <filesystem>
#include <system_error>

#include "product/paths.h"
#include "product/product.h"

namespace ospatrol::product {

// The directory whose bin/ the running program lies in, if an installation is there; else
// kDefaultPrefix. So a tool of an installation elsewhere never works on the one in /var. To be
// called before a chroot.
inline std::filesystem::path InstallPrefix() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto directory = program.parent_path();
  if (!error && directory.filename() == "bin" &&
      std::filesystem::exists(directory.parent_path() / paths::kInit, error)) {
    return directory.parent_path();
  }
  return kDefaultPrefix;
}

}  // namespace ospatrol::product
