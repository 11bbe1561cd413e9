#include "analysisd/hostinfo_decoder.h"

#include <string_view>

#include "analysisd/decoder.h"
#include "log/log.h"

namespace ospatrol::analysisd {
namespace {

constexpr std::string_view kBeginning = "Host: ";

bool Refuse(const Event& event) {
  thread_local log::Limited<msg::kHostInfoMessage> error;
  error.Write(event.location, event.full_log.substr(0, 80));
  return false;
}

}  // namespace

bool DecodeHostInfo(Event& event, EngineState& state, const EngineOptions& /*options*/) {
  const std::string_view text = event.full_log;
  const size_t comma = text.find(',');
  if (!text.starts_with(kBeginning) || comma == std::string_view::npos) return Refuse(event);
  const std::string_view host = text.substr(kBeginning.size(), comma - kBeginning.size());
  const std::string_view address = host.substr(0, host.find(' '));
  const std::string_view ports = text.substr(comma + 1);
  if (address.empty()) return Refuse(event);

  const auto known = state.HostPorts(address);
  if (known && *known == ports) return false;
  state.StoreHostPorts(address, ports);
  const Decoder& decoder =
      Builtin(known ? BuiltinDecoder::kHostinfoModified : BuiltinDecoder::kHostinfoNew);
  event.decoder = &decoder;
  event.decoder_name = decoder.name;
  event.category = decoder.category;
  return true;
}

}  // namespace ospatrol::analysisd
