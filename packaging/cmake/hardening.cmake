# Warnings and hardening for every target of the product. Nothing here is optional.

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

add_library(ospatrol_flags INTERFACE)
target_compile_options(ospatrol_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Wformat=2 -Wundef -Wvla -Werror
  -fstack-protector-strong -fno-strict-aliasing)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlaps in std::string that do not exist (GCC bug 105651).
  target_compile_options(ospatrol_flags INTERFACE -Wno-restrict)
endif()

if(OSPATROL_SANITIZE)
  target_compile_options(ospatrol_flags INTERFACE
    -fsanitize=${OSPATROL_SANITIZE} -fno-omit-frame-pointer -O1)
  if(OSPATROL_SANITIZE MATCHES "undefined")
    target_compile_options(ospatrol_flags INTERFACE -fno-sanitize-recover=undefined)
  endif()
  if(OSPATROL_SANITIZE MATCHES "thread")
    # The sanitizer knows no fences; those of Asio order what its mutexes order as well.
    target_compile_definitions(ospatrol_flags INTERFACE ASIO_DISABLE_FENCED_BLOCK)
  endif()
  target_link_options(ospatrol_flags INTERFACE -fsanitize=${OSPATROL_SANITIZE})
  if(OSPATROL_FUZZ)
    # Also counts lines: packaging/fuzz.sh --coverage reads it with llvm-cov.
    target_compile_options(ospatrol_flags INTERFACE
      -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping)
    target_link_options(ospatrol_flags INTERFACE -fprofile-instr-generate)
  endif()
else()
  target_link_options(ospatrol_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(ospatrol_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
endif()
