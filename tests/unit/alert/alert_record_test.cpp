#include "alert/alert_record.h"

#include <gtest/gtest.h>

#include <string>

namespace ospatrol::alert {
namespace {

using Kind = FoundRecord::Kind;

TEST(JsonRecordId, IsTheKeyOfTheOutermostObjectOnly) {
  struct Case {
    std::string_view line, id;
  };
  for (const Case& c :
       std::initializer_list<Case>{{R"({"id":"1715083200.7"})", "1715083200.7"},
                                   {R"({"rule":{"id":"5712.1","level":3},"id":"1.2"})", "1.2"},
                                   {R"({"rule":{"id":"5712.1"}})", ""},
                                   {R"({"full_log":"\"id\":\"9.9\"","id":"1.2"})", "1.2"},
                                   {R"({"a":[{"id":"3.3"}],"id":"1.2","TimeStamp":1})", "1.2"},
                                   {R"({"id":"1.2","id":"3.4"})", "1.2"},
                                   {R"({"id":17.3})", ""},
                                   {R"({"id":"x"})", ""},
                                   {R"({"id":"1."})", ""},
                                   {R"({"id":".1"})", ""},
                                   {R"({"id":"1.2")", ""},
                                   {R"({"id":"1.2","full_log":"torn{"rule":{}})", ""},
                                   {R"({"id":"1.2"} x)", ""},
                                   {R"(["id","1.2"])", ""},
                                   {R"("id")", ""},
                                   {"", ""},
                                   {"\xff\xfe", ""}}) {
    EXPECT_EQ(JsonRecordId(c.line), c.id) << c.line;
  }
  EXPECT_EQ(JsonRecordId(std::string(100000, '[')), "");
}

TEST(FindRecord, TellsRecordsFromWhatIsNone) {
  struct Case {
    RecordForm form;
    std::string_view text;
    Kind kind;
    size_t length;
  };
  constexpr std::string_view kRecord =
      "** Alert 1.2: - a,\n2024 May 07 10:11:12 h->l\nRule: 1 (level 2) -> 'c'\nlog\n\n";
  const std::string two = "\n\n" + std::string(kRecord);
  for (const Case& c :
       std::initializer_list<Case>{{RecordForm::kText, kRecord, Kind::kAlert, kRecord.size()},
                                   {RecordForm::kText, kRecord.substr(0, 30), Kind::kIncomplete, 0},
                                   {RecordForm::kText, two, Kind::kBlank, 2},
                                   {RecordForm::kText, "noise\n** Alert", Kind::kBroken, 6},
                                   {RecordForm::kText, "", Kind::kIncomplete, 0},
                                   {RecordForm::kJson, "{\"id\":\"1.2\"}\n{", Kind::kAlert, 13},
                                   {RecordForm::kJson, "{\"id\":\"1.2\"}", Kind::kIncomplete, 0},
                                   {RecordForm::kJson, "\n{", Kind::kBlank, 1},
                                   {RecordForm::kJson, "noise\n{", Kind::kBroken, 6}}) {
    const FoundRecord found = FindRecord(c.form, c.text);
    EXPECT_EQ(found.kind, c.kind) << c.text;
    EXPECT_EQ(found.length, c.length) << c.text;
  }
}

}  // namespace
}  // namespace ospatrol::alert
