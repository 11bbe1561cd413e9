// Random bytes from the kernel (getrandom): works in a chroot, never blocks after boot.
#pragma once

#include <cstddef>
#include <string>

namespace ospatrol::base {

std::string RandomBytes(size_t count);

}  // namespace ospatrol::base
