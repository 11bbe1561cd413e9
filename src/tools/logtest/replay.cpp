#include "logtest/replay.h"

#include <fmt/format.h>

#include <istream>
#include <optional>
#include <string_view>
#include <utility>

#include "alert/text_record.h"
#include "analysisd/alert_builder.h"
#include "base/text.h"
#include "base/time.h"
#include "ipc/queue_message.h"
#include "logtest/session.h"

namespace ospatrol::logtest {
namespace {

struct Recorded {
  base::Seconds time;
  ipc::QueueMessage message;
};

std::optional<Recorded> ReadLine(std::string_view line) {
  const size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto time = base::ParseNumber<base::Seconds>(line.substr(0, blank));
  const auto message = ipc::ParseQueueMessage(line.substr(blank + 1));
  if (!time || *time < 0 || !message) return std::nullopt;
  return Recorded{*time, *message};
}

}  // namespace

bool Replay(std::istream& recording, const std::string& name,
            std::shared_ptr<const analysisd::Ruleset> ruleset, void (*write)(const std::string&),
            std::string& problem) {
  Session session(std::move(ruleset));
  analysisd::AlertBuilder builder;
  uint64_t alerts = 0;
  std::string line;
  std::string record;
  for (uint64_t number = 1; std::getline(recording, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    const auto recorded = ReadLine(line);
    if (!recorded) {
      problem = fmt::format("{}:{}: expected SECONDS T:LOCATION:TEXT", name, number);
      return false;
    }
    const ipc::QueueMessage& message = recorded->message;
    session.Decode(message.text, recorded->time, {message.kind, message.location});
    const analysisd::Verdict verdict = session.Judge();
    if (!verdict.alert) continue;
    alert::AlertView& alert = builder.Build(session.event(), verdict);
    const std::string id = fmt::format("{}.{}", recorded->time, ++alerts);
    alert.id = id;
    record.clear();
    alert::AppendTextRecord(alert, record);
    write(record);
  }
  return true;
}

}  // namespace ospatrol::logtest
