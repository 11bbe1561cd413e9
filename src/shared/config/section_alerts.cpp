// <alerts> (configuration-and-operation 3.6).
#include "config/option.h"
#include "config/registry.h"

namespace ospatrol::config {
namespace {

constexpr OptionRow<AlertsSection> kOptions[] = {
    {"log_alert_level", Number<&AlertsSection::log_alert_level, 0, 255>},
    {"email_alert_level", Number<&AlertsSection::email_alert_level, 0, 255>},
    {"use_geoip", NoEffect},
};

}  // namespace

void ReadAlerts(const SectionContext& context) {
  ReadOptions({context.section, context.file, context.problems}, kOptions,
              context.configuration.alerts);
}

}  // namespace ospatrol::config
