// <time>, <weekday>: when the event was received (2.10).
#include <fmt/format.h>

#include <utility>

#include "analysisd/condition_factories.h"
#include "base/text.h"
#include "log/messages.h"
#include "pattern/schedule.h"

namespace ospatrol::analysisd {
namespace {

class TimeCondition : public Condition {
 public:
  TimeCondition(std::string text, pattern::TimeRange range)
      : text_(std::move(text)), range_(range) {}

  bool Holds(const Event& event, ConditionContext&) const override {
    return range_.Contains(event.local.tm_hour * 60 + event.local.tm_min);
  }
  std::string_view element() const override { return "time"; }
  std::string Describe(const Event& event) const override {
    return fmt::format("time '{}' against {:02}:{:02}", text_, event.local.tm_hour,
                       event.local.tm_min);
  }

 private:
  std::string text_;
  pattern::TimeRange range_;
};

class WeekdayCondition : public Condition {
 public:
  WeekdayCondition(std::string text, pattern::DaySet days) : text_(std::move(text)), days_(days) {}

  bool Holds(const Event& event, ConditionContext&) const override {
    return days_.Contains(event.local.tm_wday);
  }
  std::string_view element() const override { return "weekday"; }
  std::string Describe(const Event& event) const override {
    static constexpr const char* kDays[] = {"sunday",   "monday", "tuesday", "wednesday",
                                            "thursday", "friday", "saturday"};
    return fmt::format("weekday '{}' against {}", text_, kDays[event.local.tm_wday % 7]);
  }

 private:
  std::string text_;
  pattern::DaySet days_;
};

}  // namespace

std::unique_ptr<const Condition> MakeTime(const ConditionInput& input) {
  const std::string& text = input.last().content;
  bool differs = false;
  const auto range = pattern::TimeRange::Parse(text, &differs);
  if (!range) {
    input.Error(msg::kRuleTime.id,
                fmt::format("'{}' is no span of time", base::EscapeControls(text)),
                "expected h:mm - h:mm, each with am or pm if wanted");
    return nullptr;
  }
  if (differs) {
    input.Warning(
        fmt::format("'{}' is read as it is meant; OSSEC reads it otherwise (ends of a "
                    "span over midnight, ! on such a span, 12 am)",
                    text));
  }
  return std::make_unique<TimeCondition>(text, *range);
}

std::unique_ptr<const Condition> MakeWeekday(const ConditionInput& input) {
  const std::string& text = input.last().content;
  const auto days = pattern::DaySet::Parse(text);
  if (!days) {
    input.Error(msg::kRuleWeekday.id,
                fmt::format("'{}' is no list of days", base::EscapeControls(text)),
                "expected monday, tue, weekdays, weekends, ... separated by commas or blanks");
    return nullptr;
  }
  return std::make_unique<WeekdayCondition>(text, *days);
}

}  // namespace ospatrol::analysisd
