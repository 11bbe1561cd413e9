// libraries: secure
// under test: shared/secure/enrolment.cpp
// Enrolment lines, both ways: what is complete stays complete whatever follows, a key that is taken
// can stand in client.keys, and what we write is read again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "secure/enrolment.h"
#include "secure/keys_file.h"

namespace {

using namespace ospatrol::secure;
using State = EnrolmentRequest::State;

void Request(std::string_view text) {
  const EnrolmentRequest request = ParseEnrolmentRequest(text);
  if (request.state != State::kComplete) return;
  const std::string longer = std::string(text) + "x";
  const EnrolmentRequest again = ParseEnrolmentRequest(longer);
  if (longer.size() <= kMaxEnrolmentRequest &&
      (again.state != State::kComplete || again.name != request.name)) {
    std::abort();
  }
  // Every beginning of it is one that may go on.
  for (size_t size = 0; size + 1 < text.size() && size < 64; ++size) {
    if (ParseEnrolmentRequest(text.substr(0, size)).state == State::kMalformed) std::abort();
  }
  const std::optional<std::string> password =
      request.password ? std::optional<std::string>(*request.password) : std::nullopt;
  const std::string written = FormatEnrolmentRequest(password, request.name);
  const EnrolmentRequest back = ParseEnrolmentRequest(written);
  if (written.size() <= kMaxEnrolmentRequest &&
      (back.state != State::kComplete || back.name != request.name ||
       back.password != request.password)) {
    std::abort();
  }
}

void Reply(std::string_view text) {
  const EnrolmentReply reply = ParseEnrolmentReply(text);
  if ((reply.state == EnrolmentReply::State::kKey) != reply.agent.has_value()) std::abort();
  if (reply.state == EnrolmentReply::State::kInvalidKey && reply.fault.empty()) std::abort();
  if (!reply.agent) return;
  std::vector<KeyProblem> problems;
  if (ParseKeys(FormatKeyLine(*reply.agent), problems).size() != 1) std::abort();
  if (!ParseEnrolmentReply(FormatEnrolledKey(*reply.agent)).agent) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Request(text);
  Reply(text);
  for (const std::string& error : EnrolmentErrors(text)) {
    if (error.find('\n') != std::string::npos) std::abort();
  }
  const std::string answer = FormatInvalidName(text);
  if (EnrolmentErrors(answer).size() != 2) std::abort();
  return 0;
}
