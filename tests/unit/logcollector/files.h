// Files that are collected, as a program writes them.
#pragma once

#include <filesystem>
#include <fstream>
#include <string_view>

#include "../temporary_directory.h"

namespace ospatrol::logcollector {

inline void Write(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}
inline void Append(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary | std::ios::app) << bytes;
}

}  // namespace ospatrol::logcollector
