#include "analysisd/syscheck_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "analysisd/decoder.h"
#include "base/text.h"
#include "log/log.h"

namespace ospatrol::analysisd {
namespace {

constexpr std::string_view kCompleted = "syscheck-db-completed";
constexpr size_t kMaxShownName = 756;
constexpr size_t kLongSum = 512;

// "size:perm:uid:gid:md5:sha1[:sha256]", split.
class Sum {
 public:
  enum Part { kSize, kPerm, kUid, kGid, kMd5, kSha1, kSha256, kRest, kParts };

  explicit Sum(std::string_view text) : text_(text) {
    while (count_ < kParts) {
      const size_t colon = text.find(':');
      parts_[count_++] = text.substr(0, colon);
      if (colon == std::string_view::npos) break;
      text.remove_prefix(colon + 1);
    }
  }

  bool IsDeleted() const { return text_.starts_with("-1"); }
  bool IsComplete() const { return count_ > kSha1 && text_.size() < kLongSum; }
  std::string_view at(Part part) const { return parts_[part]; }

  // A hash that was computed.
  bool Knows(Part hash) const { return !parts_[hash].empty() && !parts_[hash].starts_with("xxx"); }

 private:
  std::string_view text_;
  std::array<std::string_view, kParts> parts_{};
  size_t count_ = 0;
};

constexpr std::array kAttributes = {Sum::kSize, Sum::kPerm, Sum::kUid, Sum::kGid};
constexpr std::array kHashes = {Sum::kMd5, Sum::kSha1, Sum::kSha256};

bool HashDiffers(const Sum& old_sum, const Sum& new_sum, Sum::Part hash) {
  return old_sum.Knows(hash) && new_sum.Knows(hash) && old_sum.at(hash) != new_sum.at(hash);
}

// False when the two differ only in what one of them did not compute.
bool IsRealChange(const Sum& old_sum, const Sum& new_sum) {
  if (!old_sum.IsComplete() || !new_sum.IsComplete()) return true;
  const auto attribute = [&](Sum::Part part) { return old_sum.at(part) != new_sum.at(part); };
  const auto hash = [&](Sum::Part part) { return HashDiffers(old_sum, new_sum, part); };
  return std::any_of(kAttributes.begin(), kAttributes.end(), attribute) ||
         std::any_of(kHashes.begin(), kHashes.end(), hash);
}

// How often a file has changed, as its record says it: "+++", "!++", "!!+", "!!!", "!!?" (three
// times or more).
class ChangeCounter {
 public:
  static constexpr size_t kMany = 3;

  explicit ChangeCounter(std::string_view counter)
      : changes_(counter == "!!?" ? kMany
                                  : std::min(counter.find_first_not_of('!'), counter.size())) {}

  size_t changes() const { return changes_; }

  std::string Next() const {
    constexpr std::array<std::string_view, kMany + 1> kNext = {"!++", "!!+", "!!!", "!!?"};
    return std::string(kNext[std::min(changes_, kMany)]);
  }

 private:
  size_t changes_;
};

// "(script) user@host->syscheck": stat -c %a gives the mode in octal there.
bool IsAgentless(std::string_view location) {
  if (!location.starts_with('(')) return false;
  const size_t name_end = location.find(") ");
  if (name_end == std::string_view::npos) return false;
  const std::string_view host = location.substr(name_end, location.find("->", name_end) - name_end);
  return host.find('@') != std::string_view::npos;
}

// st_mode, or 0 when the text is no mode.
int64_t Mode(std::string_view text, std::string_view location) {
  const bool octal_digits = text.find_first_not_of("01234567") == std::string_view::npos;
  const bool octal =
      octal_digits && (text.size() == 3 || (text.size() <= 4 && IsAgentless(location)));
  if (!octal) return base::ParseNumber<int64_t>(text).value_or(0);
  int64_t mode = 0;
  for (const char c : text) mode = mode * 8 + (c - '0');
  return mode;
}

std::string ModeText(int64_t mode) {
  std::string text = "rwxrwxrwx";
  for (size_t i = 0; i < text.size(); ++i) {
    if ((mode & (0400 >> i)) == 0) text[i] = '-';
  }
  if ((mode & 04000) != 0) text[2] = 's';
  if ((mode & 02000) != 0) text[5] = 's';
  if ((mode & 01000) != 0) text[8] = 't';
  return text;
}

// One message, split.
struct Message {
  std::string_view sum, name, diff;
};

Message Split(std::string_view text, size_t blank) {
  Message message;
  message.sum = text.substr(0, blank);
  const std::string_view rest = text.substr(blank + 1);
  const size_t line = rest.find('\n');
  message.name = rest.substr(0, line);
  if (line != std::string_view::npos) message.diff = rest.substr(line + 1);
  return message;
}

template <typename... Args>
void Append(std::string& text, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
}

// The text of a change, and the facts that go with it.
class ChangeReport {
 public:
  ChangeReport(Event& event, const Sum& old_sum, const Sum& new_sum)
      : file_(*(event.file = std::make_unique<FileFacts>())),
        location_(event.location),
        old_(old_sum),
        new_(new_sum) {}

  std::string Write(const Message& message) {
    Append(text_, "Integrity checksum changed for: '{}'\n", message.name.substr(0, kMaxShownName));
    Pair("Size changed from '{}' to '{}'\n", Sum::kSize, file_.size_before, file_.size_after);
    Permissions();
    Pair("Ownership was '{}', now it is '{}'\n", Sum::kUid, file_.owner_before, file_.owner_after);
    Pair("Group ownership was '{}', now it is '{}'\n", Sum::kGid, file_.gowner_before,
         file_.gowner_after);
    Hash("md5", Sum::kMd5, file_.md5_before, file_.md5_after);
    Hash("sha1", Sum::kSha1, file_.sha1_before, file_.sha1_after);
    Hash("sha256", Sum::kSha256, file_.sha256_before, file_.sha256_after);
    if (!message.diff.empty()) Append(text_, "What changed:\n{}", message.diff);
    return std::move(text_);
  }

 private:
  void Pair(fmt::format_string<std::string_view, std::string_view> format, Sum::Part part,
            std::string& before, std::string& after) {
    if (old_.at(part) == new_.at(part)) return;
    before = old_.at(part);
    after = new_.at(part);
    Append(text_, format, old_.at(part), new_.at(part));
  }

  void Permissions() {
    if (old_.at(Sum::kPerm) == new_.at(Sum::kPerm)) return;
    const int64_t before = Mode(old_.at(Sum::kPerm), location_);
    const int64_t after = Mode(new_.at(Sum::kPerm), location_);
    if (before <= 0 || after <= 0) return;
    file_.perm_before = before;
    file_.perm_after = after;
    Append(text_, "Permissions changed from '{}' to '{}'\n", ModeText(before), ModeText(after));
  }

  void Hash(std::string_view name, Sum::Part part, std::string& before, std::string& after) {
    if (!HashDiffers(old_, new_, part)) return;
    before = old_.at(part);
    after = new_.at(part);
    Append(text_, "Old {}sum was: '{}'\nNew {}sum is : '{}'\n", name, before, name, after);
  }

  FileFacts& file_;
  std::string_view location_;
  const Sum& old_;
  const Sum& new_;
  std::string text_;
};

std::string NewFileText(Event& event, std::string_view name, const Sum& sum) {
  const auto known = [&](Sum::Part hash) {
    return sum.Knows(hash) ? std::string(sum.at(hash)) : std::string();
  };
  FileFacts& file = *(event.file = std::make_unique<FileFacts>());
  file.sha1_after = known(Sum::kSha1);
  file.md5_after = known(Sum::kMd5);
  file.sha256_after = known(Sum::kSha256);
  const auto shown = [](const std::string& hash) {
    return hash.empty() ? std::string_view("Unknown") : std::string_view(hash);
  };
  std::string text;
  Append(text, "New file '{}' added to the file system.\n", name.substr(0, kMaxShownName));
  Append(text, "New sha1sum is : '{}'\nNew md5sum is : '{}'\n", shown(file.sha1_after),
         shown(file.md5_after));
  if (!file.sha256_after.empty()) Append(text, "New sha256sum is : '{}'\n", file.sha256_after);
  return text;
}

bool Raise(Event& event, BuiltinDecoder decoder, std::string_view name, std::string text) {
  event.decoder = &Builtin(decoder);
  // Rules tell the five apart by their ids; people know them all by this name.
  event.decoder_name = Builtin(BuiltinDecoder::kSyscheckChanged).name;
  event.category = Category::kOssec;
  event.full_log = event.log = event.Keep(std::move(text));
  event.Set(Field::kFilename, name);
  return true;
}

bool IsIgnored(std::string_view name, const EngineOptions& options) {
  const auto& ignored = options.syscheck_ignore;
  return std::any_of(ignored.begin(), ignored.end(), [&](const std::string& prefix) {
    return base::StartsWithIgnoreCase(name, prefix);
  });
}

bool HandleNew(Event& event, const Message& message, EngineState& state,
               const EngineOptions& options) {
  state.StoreFile(event.location, message.name, {"+++", std::string(message.sum)}, event.time);
  const Sum sum(message.sum);
  if (state.AcceptSilently(event.location, "new", message.name, event.time)) return false;
  if (sum.IsDeleted() || !options.syscheck_alert_new_files) return false;
  if (!state.BaselineComplete(event.location)) return false;
  return Raise(event, BuiltinDecoder::kSyscheckNew, message.name,
               NewFileText(event, message.name, sum));
}

BuiltinDecoder DecoderOfChange(size_t changes) {
  switch (changes) {
    case 0:
      return BuiltinDecoder::kSyscheckChanged;
    case 1:
      return BuiltinDecoder::kSyscheckChanged2nd;
    default:
      return BuiltinDecoder::kSyscheckChanged3rd;
  }
}

bool HandleKnown(Event& event, const Message& message, const EngineState::FileRecord& known,
                 EngineState& state, const EngineOptions& options) {
  if (known.sum == message.sum) return false;
  const Sum old_sum(known.sum);
  const Sum new_sum(message.sum);
  const auto store = [&](std::string counter) {
    state.StoreFile(event.location, message.name, {std::move(counter), std::string(message.sum)},
                    event.time);
  };
  if (!IsRealChange(old_sum, new_sum) ||
      state.AcceptSilently(event.location, "modify", message.name, event.time)) {
    store("+++");
    return false;
  }
  const ChangeCounter counter(known.counter);
  const bool tired = options.syscheck_auto_ignore && counter.changes() >= ChangeCounter::kMany;
  if (tired && !new_sum.IsDeleted()) {
    // A file that is back must be known as present, or its next deletion would be no change.
    if (old_sum.IsDeleted()) store(known.counter);
    return false;
  }
  store(counter.Next());

  const std::string_view shown = message.name.substr(0, kMaxShownName);
  if (new_sum.IsDeleted()) {
    return Raise(event, BuiltinDecoder::kSyscheckDeleted, message.name,
                 fmt::format("File '{}' was deleted. Unable to retrieve checksum.", shown));
  }
  if (old_sum.IsDeleted()) {
    return Raise(event, BuiltinDecoder::kSyscheckNew, message.name,
                 fmt::format("File '{}' was re-added.", shown));
  }
  const size_t changes = options.syscheck_auto_ignore ? counter.changes() : 0;
  return Raise(event, DecoderOfChange(changes), message.name,
               ChangeReport(event, old_sum, new_sum).Write(message));
}

}  // namespace

bool DecodeSyscheck(Event& event, EngineState& state, const EngineOptions& options) {
  const std::string_view text = event.full_log;
  const size_t blank = text.find(' ');
  if (blank == std::string_view::npos) {
    if (text == kCompleted) {
      state.SetBaselineComplete(event.location);
    } else {
      thread_local log::Limited<msg::kSyscheckMessage> error;
      error.Write(event.location, text.substr(0, 80));
    }
    return false;
  }
  const Message message = Split(text, blank);
  if (IsIgnored(message.name, options)) return false;
  const EngineState::KnownFile known = state.LastFile(event.location, message.name);
  // Neither new nor changed: what is stored stays as it is.
  if (!known.readable) return false;
  return known.record ? HandleKnown(event, message, *known.record, state, options)
                      : HandleNew(event, message, state, options);
}

}  // namespace ospatrol::analysisd
