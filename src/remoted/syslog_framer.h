// Messages out of the bytes of a syslog connection over TCP (wire-protocol 3.5, RFC 6587): one a
// line, or counted ("LENGTH SP MESSAGE") when the connection begins with a digit 1-9, more digits
// and a blank.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace ospatrol::remoted {

class SyslogFramer {
 public:
  static constexpr size_t kMaxText = 6016;        // longer ones are cut
  static constexpr size_t kMaxCounted = 1 << 20;  // a larger LENGTH is none
  using Sink = std::function<void(std::string_view message)>;

  // Gives the messages that end in `bytes` to `sink`; empty lines are left out. False: not the
  // framing that the connection began with; end it. Memory: at most kMaxText.
  bool Feed(std::string_view bytes, const Sink& sink);

  // The connection ended: a last line without its end is a message too.
  void End(const Sink& sink);

  size_t cut() const { return cut_; }  // messages that were cut

 private:
  enum class Mode { kUnknown, kLines, kLength, kMessage };

  bool FeedByMode(std::string_view& bytes, const Sink& sink);
  void FeedLines(std::string_view& bytes, const Sink& sink);
  bool FeedLength(std::string_view& bytes);
  void FeedMessage(std::string_view& bytes, const Sink& sink);
  void Keep(std::string_view part);
  void Emit(const Sink& sink);

  Mode mode_ = Mode::kUnknown;
  std::string text_;       // of the message that has not ended; of the LENGTH in kLength
  bool too_long_ = false;  // something of it was left out
  size_t missing_ = 0;     // bytes of a counted message that are still to come
  size_t cut_ = 0;
};

}  // namespace ospatrol::remoted
