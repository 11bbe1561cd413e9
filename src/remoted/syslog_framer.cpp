#include "remoted/syslog_framer.h"

#include <algorithm>

#include "base/text.h"

namespace ospatrol::remoted {
namespace {

constexpr size_t kMaxLengthDigits = 7;

// What the beginning of a connection says of its framing.
enum class Beginning { kUndecided, kLines, kCounted };

Beginning Judge(std::string_view bytes) {
  if (bytes.empty()) return Beginning::kUndecided;
  if (bytes[0] < '1' || bytes[0] > '9') return Beginning::kLines;
  const auto other = std::find_if_not(bytes.begin(), bytes.end(), base::IsDigit);
  const auto digits = static_cast<size_t>(other - bytes.begin());
  if (digits > kMaxLengthDigits) return Beginning::kLines;
  if (other == bytes.end()) return Beginning::kUndecided;
  return *other == ' ' ? Beginning::kCounted : Beginning::kLines;
}

}  // namespace

bool SyslogFramer::Feed(std::string_view bytes, const Sink& sink) {
  if (mode_ == Mode::kUnknown) {
    // At most kMaxLengthDigits bytes wait here until the first other one.
    std::string beginning = text_;
    beginning += bytes.substr(0, kMaxLengthDigits + 1);
    const Beginning judged = Judge(beginning);
    if (judged == Beginning::kUndecided) {
      text_ += bytes;
      return true;
    }
    mode_ = judged == Beginning::kCounted ? Mode::kLength : Mode::kLines;
  }
  while (!bytes.empty()) {
    if (!FeedByMode(bytes, sink)) return false;
  }
  return true;
}

bool SyslogFramer::FeedByMode(std::string_view& bytes, const Sink& sink) {
  switch (mode_) {
    case Mode::kLength:
      return FeedLength(bytes);
    case Mode::kMessage:
      FeedMessage(bytes, sink);
      return true;
    default:
      FeedLines(bytes, sink);
      return true;
  }
}

void SyslogFramer::FeedLines(std::string_view& bytes, const Sink& sink) {
  const size_t end = bytes.find('\n');
  Keep(bytes.substr(0, end));
  if (end == std::string_view::npos) {
    bytes = {};
    return;
  }
  bytes.remove_prefix(end + 1);
  Emit(sink);
}

bool SyslogFramer::FeedLength(std::string_view& bytes) {
  // Some senders end a counted message with a line feed that they do not count.
  if (text_.empty() && (bytes[0] == '\n' || bytes[0] == '\r')) {
    bytes.remove_prefix(1);
    return true;
  }
  const char byte = bytes[0];
  bytes.remove_prefix(1);
  if (base::IsDigit(byte)) {
    text_ += byte;
    return text_.size() <= kMaxLengthDigits && text_[0] != '0';
  }
  const auto length = base::ParseNumber<size_t>(text_);
  if (byte != ' ' || !length || *length > kMaxCounted) return false;
  text_.clear();
  missing_ = *length;
  mode_ = Mode::kMessage;
  return true;
}

void SyslogFramer::FeedMessage(std::string_view& bytes, const Sink& sink) {
  const std::string_view part = bytes.substr(0, missing_);
  Keep(part);
  bytes.remove_prefix(part.size());
  missing_ -= part.size();
  if (missing_ > 0) return;
  Emit(sink);
  mode_ = Mode::kLength;
}

void SyslogFramer::Keep(std::string_view part) {
  const size_t room = kMaxText - std::min(kMaxText, text_.size());
  text_ += part.substr(0, room);
  if (part.size() > room) too_long_ = true;
}

void SyslogFramer::Emit(const Sink& sink) {
  if (too_long_) ++cut_;
  const std::string_view text = std::string_view(text_).substr(0, text_.find('\r'));
  if (!text.empty()) sink(text);
  text_.clear();
  too_long_ = false;
}

void SyslogFramer::End(const Sink& sink) {
  if (mode_ == Mode::kLines || mode_ == Mode::kUnknown) Emit(sink);
}

}  // namespace ospatrol::remoted
