// Symantec Web Security: "20070717,73613,1=5,11=10.1.1.3,10=userc,3=1,2=1,60=http://...":
// code=value items.
#include <algorithm>

#include "analysisd/plugin.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kMaxId = 9;

void SetFirst(Event& event, Field field, std::string_view value, size_t limit) {
  if (!IsSet(event.Get(field))) event.Set(field, value.substr(0, limit));
}

}  // namespace

void DecodeSymantecWs(Event& event, const PluginContext& context) {
  std::string_view text = context.input;
  for (size_t comma = text.find(','); comma != std::string_view::npos; comma = text.find(',')) {
    text.remove_prefix(comma + 1);
    const std::string_view item = text.substr(0, text.find(','));
    if (item.starts_with("10=")) {
      SetFirst(event, Field::kDstUser, item.substr(3), 128);
    } else if (item.starts_with("11=")) {
      SetFirst(event, Field::kSrcIp, item.substr(3), 128);
    } else if (item.starts_with("60=")) {
      SetFirst(event, Field::kUrl, item.substr(3), 1024);
    } else if (item.starts_with("3=") || item.starts_with("2=")) {
      SetFirst(event, Field::kId, text,
               kMaxId);  // with its code, and into the next item: "3=1,2=1"
    }
  }
}

}  // namespace ospatrol::analysisd
