// Part of every program that is built with a sanitizer.
//
// Daemons turn their standard error to /dev/null and leave for a chroot: what a sanitizer has to
// say then would be lost, and nobody would miss a daemon that was being stopped anyway. So all
// programs append to one file that is opened before main; tests/e2e/run.py fails where it grew.
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

// Programs end with what they still hold, and are started without our environment, too: leaks are
// looked for where ASAN_OPTIONS asks for it, in unit tests (packaging/sanitize.sh).
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }

namespace {

using SetReport = void (*)(void*);

constexpr int kAboveOthers = 100;  // the number of the report's descriptor is that or more

int report = -1;
std::vector<SetReport> set_report;  // one of each sanitizer's library

int FindSetReport(dl_phdr_info* object, std::size_t, void*) {
  if (std::strstr(object->dlpi_name, "san.so") == nullptr) return 0;
  void* library = dlopen(object->dlpi_name, RTLD_LAZY | RTLD_NOLOAD);
  if (library == nullptr) return 0;
  void* found = dlsym(library, "__sanitizer_set_report_fd");
  if (found != nullptr) set_report.push_back(reinterpret_cast<SetReport>(found));
  return 0;
}

// A library closes the descriptor that it has when it starts, and when a forked child reports: each
// one gets its own, and a child must do so again.
void UseReport() {
  for (const SetReport set : set_report) {
    const std::intptr_t own = fcntl(report, F_DUPFD_CLOEXEC, kAboveOthers);
    if (own >= 0) set(reinterpret_cast<void*>(own));
  }
}

[[gnu::constructor]] void OpenReport() {
  const int file = open(OSPATROL_SANITIZER_REPORT, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file < 0) return;  // nobody would read it
  report = fcntl(file, F_DUPFD_CLOEXEC, kAboveOthers);
  close(file);
  dl_iterate_phdr(FindSetReport, nullptr);
  UseReport();
  pthread_atfork(nullptr, nullptr, UseReport);
}

}  // namespace

// UndefinedBehaviorSanitizer asks for this before it writes; it starts no earlier than that.
extern "C" void __ubsan_on_report();
extern "C" void __ubsan_on_report() { UseReport(); }
