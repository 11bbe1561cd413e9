// Lines and strings of client.keys as text: making, checking, exporting, importing.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/digest.h"
#include "base/random.h"
#include "base/text.h"
#include "secure/keys_file.h"

namespace ospatrol::secure {

namespace {

constexpr size_t kKeyBytes = 32;
constexpr size_t kMaxImportedLine = 256;
constexpr uint32_t kLastId = 99'999'999;  // eight digits

int Base64Value(char c) {
  if (base::IsUpper(c)) return c - 'A';
  if (base::IsLower(c)) return c - 'a' + 26;
  if (base::IsDigit(c)) return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

// Everything outside the alphabet is ignored, padding included; bits that fill no byte are dropped.
std::string DecodeBase64(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = Base64Value(c);
    if (value < 0) continue;
    bits = (bits << 6) | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>((bits >> count) & 0xFF);
  }
  return bytes;
}

ImportedKey Refused(std::string reason) { return {.agent = {}, .reason = std::move(reason)}; }

bool IsHexDigit(char c) {
  return base::IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

std::string MakeKey() { return base::ToHex(base::RandomBytes(kKeyBytes)); }

std::string FormatKeyLine(const AgentKey& agent) {
  return fmt::format("{} {} {} {}", agent.id, agent.name, agent.address_text, agent.key);
}

std::optional<AgentKey> MakeAgentKey(std::string_view id, std::string_view name,
                                     std::string_view address_text, std::string_view key) {
  const auto rule = AddressRule::Parse(address_text);
  if (!rule) return std::nullopt;
  return AgentKey{.id = std::string(id),
                  .name = std::string(name),
                  .address = std::string(address_text.substr(0, address_text.find('/'))),
                  .address_text = std::string(address_text),
                  .rule = *rule,
                  .key = std::string(key)};
}

std::optional<std::string> IdFault(std::string_view id) {
  if (base::AllDigits(id) && id.size() <= kMaxIdDigits) return std::nullopt;
  return fmt::format("it must have 1 to {} digits and nothing else", kMaxIdDigits);
}

std::optional<std::string> NameFault(std::string_view name) {
  if (name.size() < kMinNameLength || name.size() > kMaxNameLength) {
    return fmt::format("it has {} bytes; {} to {} are allowed", name.size(), kMinNameLength,
                       kMaxNameLength);
  }
  const bool allowed = std::all_of(name.begin(), name.end(), [](char c) {
    return base::IsAlnum(c) || c == '-' || c == '_' || c == '.';
  });
  if (!allowed) return "it may hold letters, digits, '-', '_' and '.' only";
  if (name.find("..") != std::string_view::npos) return "it must not hold '..'";
  return std::nullopt;
}

std::optional<std::string> AddressFault(std::string_view address_text) {
  if (AddressRule::Parse(address_text)) return std::nullopt;
  return "expected an IPv4 or IPv6 address, address/length, or 'any'";
}

std::optional<std::string> KeyFault(std::string_view key) {
  if (key.size() == 2 * kKeyBytes && std::all_of(key.begin(), key.end(), IsHexDigit)) {
    return std::nullopt;
  }
  return fmt::format("expected {} hex digits", 2 * kKeyBytes);
}

std::optional<std::string> PaddedId(std::string_view digits) {
  if (IdFault(digits)) return std::nullopt;
  const auto number = base::ParseNumber<uint32_t>(digits);
  return fmt::format("{:03}", number.value_or(0));
}

std::string SuggestedId(const KeyTable& keys) {
  uint32_t highest = 0;
  const auto consider = [&](std::string_view id) {
    const auto number = IdFault(id) ? std::nullopt : base::ParseNumber<uint32_t>(id);
    highest = std::max(highest, number.value_or(0));
  };
  for (const AgentKey& agent : keys.entries()) consider(agent.id);
  for (const std::string& id : keys.removed_ids()) consider(id);
  return fmt::format("{:03}", highest + 1);
}

std::optional<std::string> FreeId(const KeyTable& keys, uint32_t first) {
  std::unordered_set<uint32_t> taken;
  const auto consider = [&](std::string_view id) {
    const auto number = base::ParseNumber<uint32_t>(id);
    if (number && *number >= first) taken.insert(*number);
  };
  for (const AgentKey& agent : keys.entries()) consider(agent.id);
  for (const std::string& id : keys.removed_ids()) consider(id);
  uint32_t id = first;
  while (taken.contains(id)) ++id;
  if (id > kLastId) return std::nullopt;
  return fmt::format("{}", id);
}

std::string ExportString(const AgentKey& agent) {
  const std::string line = FormatKeyLine(agent);
  std::string text((line.size() + 2) / 3 * 4, '\0');
  // EVP_EncodeBlock writes a NUL behind the text, where std::string keeps its own.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                  reinterpret_cast<const unsigned char*>(line.data()),
                  static_cast<int>(line.size()));
  return text;
}

ImportedKey ImportString(std::string_view text) {
  const std::string line = DecodeBase64(text);
  if (line.size() > kMaxImportedLine) {
    return Refused(fmt::format("it decodes to {} bytes; a key line has at most {}", line.size(),
                               kMaxImportedLine));
  }
  if (base::HasControlBytes(line)) return Refused("it decodes to control characters");
  if (std::count(line.begin(), line.end(), ' ') < 3) {
    return Refused("it does not decode to 'ID NAME ADDRESS KEY'");
  }
  std::vector<KeyProblem> problems;
  KeyTable table = ParseKeys(line, problems);
  if (table.size() != 1) return Refused("it does not decode to 'ID NAME ADDRESS KEY'");
  const AgentKey& agent = table.entries().front();
  if (const auto fault = IdFault(agent.id)) return Refused("its id: " + *fault);
  if (const auto fault = NameFault(agent.name)) return Refused("its name: " + *fault);
  return {.agent = agent, .reason = {}};
}

}  // namespace ospatrol::secure
