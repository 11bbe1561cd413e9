#include "analysisd/rootcheck_decoder.h"

#include <memory>
#include <string_view>

#include "analysisd/decoder.h"

namespace ospatrol::analysisd {
namespace {

// What follows `mark`; unset when the text has no such mark.
std::string_view Behind(std::string_view text, std::string_view mark) {
  const size_t at = text.find(mark);
  return at == std::string_view::npos ? std::string_view() : text.substr(at + mark.size());
}

std::string_view Digest(std::string_view text, std::string_view mark, size_t length) {
  const std::string_view digest = Behind(text, mark).substr(0, length);
  const bool hex = digest.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  return hex && digest.size() == length ? digest : std::string_view();
}

}  // namespace

bool DecodeRootcheck(Event& event, EngineState& state, const EngineOptions& /*options*/) {
  const std::string_view text = event.full_log;
  if (text.empty()) return false;
  event.first_seen = state.RememberRootcheck(event.location, text, event.time);

  const Decoder& decoder = Builtin(BuiltinDecoder::kRootcheck);
  event.decoder = &decoder;
  event.decoder_name = decoder.name;
  event.category = decoder.category;

  const std::string_view quoted = Behind(text, " file '");
  const size_t quote = quoted.find('\'');
  if (quote != std::string_view::npos) event.Set(Field::kFilename, quoted.substr(0, quote));
  FileFacts& file = *(event.file = std::make_unique<FileFacts>());
  file.md5_after = Digest(text, " MD5=", 32);
  file.sha1_after = Digest(text, " SHA1=", 40);
  file.sha256_after = Digest(text, " SHA256=", 64);
  return true;
}

}  // namespace ospatrol::analysisd
