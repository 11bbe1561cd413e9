// What analysisd takes from <syscheck> (configuration-and-operation 3.16); the rest is syscheckd's
// and not looked at.
#include "config/option.h"
#include "config/registry.h"

namespace ospatrol::config {
namespace {

// Attributes are not looked at: to analysisd every entry is a prefix
// (collection-and-integrity 3.2).
void Ignore(const Option& option, SyscheckManagerSection& syscheck) {
  if (option.trimmed().empty()) return option.Invalid("a path");
  syscheck.ignore.emplace_back(option.trimmed());
}

constexpr OptionRow<SyscheckManagerSection> kOptions[] = {
    {"ignore", Ignore},
    {"auto_ignore", YesNo<&SyscheckManagerSection::auto_ignore>},
    {"alert_new_files", YesNo<&SyscheckManagerSection::alert_new_files>},
};

}  // namespace

void ReadSyscheckManager(const SectionContext& context) {
  ReadOptions({context.section, context.file, context.problems}, kOptions,
              context.configuration.syscheck, UnknownOptions::kIgnore);
}

}  // namespace ospatrol::config
