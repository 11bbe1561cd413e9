#include "analysisd/ignore_line.h"

#include "analysisd/rule.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kMaxBytes = 255;

}  // namespace

std::string IgnoreLine(const Event& event, unsigned fields) {
  const auto selected = [&](unsigned bit, std::string_view value) {
    return (fields & bit) != 0 ? value : std::string_view();
  };
  std::string line;
  line += selected(kIgnoreName, event.decoder_name);
  const std::string_view rest[] = {
      selected(kIgnoreId, event.Get(Field::kId)),
      selected(kIgnoreUser, event.Get(Field::kDstUser)),
      selected(kIgnoreSrcIp, event.Get(Field::kSrcIp)),
      selected(kIgnoreDstIp, event.Get(Field::kDstIp)),
      selected(kIgnoreData, event.Get(Field::kData)),
      std::string_view(),  // systemname: no word selects it
      selected(kIgnoreLocation, event.location),
  };
  for (const std::string_view value : rest) {
    line += ' ';
    line += value;
  }
  if (line.size() > kMaxBytes) line.resize(kMaxBytes);
  return line;
}

}  // namespace ospatrol::analysisd
