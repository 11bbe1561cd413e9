#include "analysisd/decoder_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "decoding.h"
#include "log/messages.h"

namespace ospatrol::analysisd {
namespace {

using testing::HasSubstr;

constexpr std::string_view kRoot = "<decoder name=\"r\"><prematch>^r</prematch></decoder>";

struct BadDecoder {
  std::string_view xml;  // behind a root decoder `r`, which is line 1
  int id;                // of the only error
  int line;
  std::string_view text;  // in it
};

void PrintTo(const BadDecoder& bad, std::ostream* out) { *out << bad.xml; }

class DecoderErrors : public testing::TestWithParam<BadDecoder> {};

TEST_P(DecoderErrors, NameFileLineAndExpectation) {
  const BadDecoder& bad = GetParam();
  config::Problems problems;
  Decoders(std::string(kRoot) + "\n" + std::string(bad.xml), problems);
  ASSERT_EQ(problems.error_count(), 1u) << ProblemText(problems);
  const config::Problem& problem = problems.all().back();
  EXPECT_EQ(problem.id, bad.id) << problem.Line();
  EXPECT_EQ(problem.file, "etc/decoder.xml");
  EXPECT_EQ(problem.line, bad.line) << problem.Line();
  EXPECT_THAT(problem.Line(), HasSubstr(bad.text));
  if (problem.id != msg::kBadPattern.id) {
    EXPECT_THAT(problem.remedy, testing::ContainsRegex("^(expected|did you mean) "));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, DecoderErrors,
    testing::Values(
        BadDecoder{"<rule/>", 1230, 2, "<rule> in a decoder file"},
        BadDecoder{"<decoder><prematch>a</prematch></decoder>", 1230, 2, "has no name"},
        BadDecoder{"<decoder name=\"\"><prematch>a</prematch></decoder>", 1230, 2, "has no name"},
        BadDecoder{"<decoder name=\"a\" id=\"1\"><prematch>a</prematch></decoder>", 1230, 2,
                   "unknown attribute 'id'"},
        BadDecoder{"<decoder name=\"a\">\n<prematch>a</prematch>\n<regexp>b</regexp></decoder>",
                   1230, 4, "did you mean 'regex'"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><Type>ids</Type></decoder>", 1230, 2,
                   "unknown element <Type>"}));

INSTANTIATE_TEST_SUITE_P(
    Parents, DecoderErrors,
    testing::Values(BadDecoder{"<decoder name=\"a\"><parent>rr</parent></decoder>", 2101, 2,
                               "no decoder 'rr' before this one"},
                    BadDecoder{"<decoder name=\"a\"><parent></parent></decoder>", 2101, 2,
                               "no decoder ''"},
                    BadDecoder{"<decoder name=\"a\"><parent>r</parent></decoder>"
                               "<decoder name=\"b\"><parent>a</parent></decoder>",
                               2101, 2, "parent 'a' has a parent itself"},
                    BadDecoder{"<decoder name=\"a\"></decoder>", 2108, 2, "tests nothing"},
                    BadDecoder{"<decoder name=\"a\"><regex>(x)</regex><order>id</order></decoder>",
                               2108, 2, "a <program_name> or a <prematch>"}));

INSTANTIATE_TEST_SUITE_P(
    Siblings, DecoderErrors,
    testing::Values(
        BadDecoder{
            "<decoder name=\"a\"><parent>r</parent><regex>(x)</regex><order>id</order></decoder>\n"
            "<decoder name=\"a\"><parent>r</parent><prematch>p</prematch><regex>(x)</regex>"
            "<order>id</order></decoder>",
            2102, 3, "cannot have a <prematch>"},
        BadDecoder{
            "<decoder name=\"a\"><parent>r</parent><regex>(x)</regex><order>id</order></decoder>\n"
            "<decoder name=\"a\"><parent>r</parent><regex>(x)</regex><order>id</order>"
            "<fts>id</fts></decoder>",
            2103, 3, "cannot have <fts>"},
        BadDecoder{
            "<decoder name=\"a\"><parent>r</parent><regex>(x)</regex><order>id</order></decoder>\n"
            "<decoder name=\"a\"><parent>r</parent><pcre2>(x)</pcre2><order>id</order></decoder>",
            2104, 3, "etc/decoder.xml:2"},
        BadDecoder{
            "<decoder name=\"a\"><parent>r</parent><pcre2>(x)</pcre2><order>id</order></decoder>\n"
            "<decoder name=\"a\"><parent>r</parent></decoder>",
            2104, 3, "same kind"}));

INSTANTIATE_TEST_SUITE_P(
    Patterns, DecoderErrors,
    testing::Values(
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><order>id</order></decoder>", 2107, 2,
                   "<order> without a pattern"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><regex>(b)</regex></decoder>", 2107,
                   2, "a pattern without <order>"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><fts>id</fts></decoder>", 2107, 2,
                   "<fts> without a pattern"},
        BadDecoder{"<decoder name=\"a\"><prematch>a(</prematch></decoder>", 1450, 2,
                   "<prematch> does not compile"},
        BadDecoder{"<decoder name=\"a\"><prematch></prematch></decoder>", 1450, 2, "<prematch>"},
        BadDecoder{"<decoder name=\"a\"><prematch_pcre2>(</prematch_pcre2></decoder>", 1450, 2,
                   "<prematch_pcre2>"},
        BadDecoder{"<decoder name=\"a\"><program_name_pcre2>[</program_name_pcre2></decoder>", 1450,
                   2, "<program_name_pcre2>"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><regex>\\q</regex>"
                   "<order>id</order></decoder>",
                   1450, 2, "<regex>"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><pcre2>a)</pcre2>"
                   "<order>id</order></decoder>",
                   1450, 2, "<pcre2>"}));

INSTANTIATE_TEST_SUITE_P(
    Offsets, DecoderErrors,
    testing::Values(
        BadDecoder{"<decoder name=\"a\"><prematch offset=\"after_parent\">a</prematch></decoder>",
                   2120, 2, "without a <parent>"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><regex offset=\"after_parent\">(b)"
                   "</regex><order>id</order></decoder>",
                   2120, 2, "need a <parent>"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><pcre2 offset=\"after_regex\">(b)"
                   "</pcre2><order>id</order></decoder>",
                   2120, 2, "need a <parent>"},
        BadDecoder{"<decoder name=\"a\"><parent>r</parent><regex offset=\"after_prematch\">(b)"
                   "</regex><order>id</order></decoder>",
                   2120, 2, "without a <prematch>"},
        BadDecoder{"<decoder name=\"a\"><parent>r</parent><regex offset=\"after_regex\">(b)"
                   "</regex><order>id</order></decoder>",
                   2120, 2, "offset after_regex without an earlier decoder"},
        BadDecoder{"<decoder name=\"a\"><parent>r</parent>"
                   "<prematch offset=\"after_prematch\">b</prematch></decoder>",
                   2120, 2, "invalid offset 'after_prematch'"},
        BadDecoder{"<decoder name=\"a\"><parent>r</parent><regex offset=\"behind\">(b)</regex>"
                   "<order>id</order></decoder>",
                   2120, 2, "after_parent, after_prematch or after_regex"},
        BadDecoder{"<decoder name=\"a\"><prematch type=\"pcre2\">b</prematch></decoder>", 2121, 2,
                   "prematch_pcre2"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><regex x=\"y\">(b)</regex>"
                   "<order>id</order></decoder>",
                   2121, 2, "expected 'offset', the only attribute"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><regex>(b)</regex>\n"
                   "<regex offset=\"after_prematch\">(c)</regex><order>id</order></decoder>",
                   2109, 3, "only the first"}));

INSTANTIATE_TEST_SUITE_P(
    Values, DecoderErrors,
    testing::Values(
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><type>Syslog</type></decoder>", 1235,
                   2, "syslog, firewall, ids, web-log, squid, windows, host-information, ossec"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><regex>(b)</regex>"
                   "<order>id,,url</order></decoder>",
                   1235, 2, "empty name"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><regex>(b)</regex>"
                   "<order></order></decoder>",
                   1235, 2, "empty name"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><regex>(b)</regex><order>id</order>"
                   "<fts>bananas</fts></decoder>",
                   1235, 2, "unknown name 'bananas'"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><regex>(b)</regex><order>id</order>"
                   "<fts>id,id,id,id,id,id,id,id,id</fts></decoder>",
                   1235, 2, "at most 8"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch>"
                   "<plugin_decoder>pf_decoder</plugin_decoder></decoder>",
                   2110, 2, "PF_Decoder, SymantecWS_Decoder"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><regex>(b)</regex>"
                   "<plugin_decoder>PF_Decoder</plugin_decoder></decoder>",
                   2111, 2, "cannot stand beside"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><order>id</order>"
                   "<plugin_decoder>PF_Decoder</plugin_decoder></decoder>",
                   2111, 2, "cannot stand beside"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><plugin_decoder "
                   "offset=\"after_regex\">JSON_Decoder</plugin_decoder></decoder>",
                   2121, 2, "after_parent"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><json_null_field>no</json_null_field>"
                   "</decoder>",
                   1235, 2, "string or empty or discard"},
        BadDecoder{"<decoder name=\"a\"><prematch>a</prematch><json_array_structure>list"
                   "</json_array_structure></decoder>",
                   1235, 2, "array or csv"}));

TEST(DecoderLoader, RefusesMoreNamesOrCapturesThanAnOrderMayHave) {
  EngineOptions options = TestOptions();
  options.decoder_order_size = 8;
  config::Problems problems;
  Decoders(R"(<decoder name="a"><prematch>a</prematch>
<regex>(1)(2)(3)(4)(5)(6)(7)(8)(9)</regex><order>id</order></decoder>
<decoder name="b"><prematch>a</prematch><regex>(1)</regex><order>a,b,c,d,e,f,g,h,i</order></decoder>
<decoder name="c"><prematch>a</prematch><regex>(1)(2)(3)(4)(5)(6)(7)(8)</regex><order>id</order></decoder>)",
           problems, options);
  ASSERT_EQ(problems.error_count(), 2u) << ProblemText(problems);
  EXPECT_THAT(problems.all()[0].Line(), HasSubstr("9 capturing groups"));
  EXPECT_THAT(problems.all()[1].Line(), HasSubstr("<order> has 9 names"));
}

TEST(DecoderLoader, RefusesTextsThatAreTooLong) {
  config::Problems problems;
  std::string xml = "<decoder name=\"a\">";
  for (int i = 0; i < 3; ++i)
    xml += "<prematch_pcre2>" + std::string(8000, 'x') + "</prematch_pcre2>";
  Decoders(xml + "</decoder>", problems);
  ASSERT_GE(problems.error_count(), 1u);
  EXPECT_EQ(problems.all()[0].id, 1104);
}

TEST(DecoderLoader, ReportsEveryErrorOnceAndNoneThatFollowsFromAnother) {
  config::Problems problems;
  Decoders(R"(<decoder name="a"><prematch>(</prematch></decoder>
<decoder name="c"><parent>a</parent><regex>(x)</regex><order>id</order></decoder>
<decoder name="d"><parent>c</parent></decoder>
<decoder name="b"><prematch>b</prematch><bad/><worse/></decoder>)",
           problems);
  EXPECT_EQ(problems.error_count(), 3u) << ProblemText(problems);
}

TEST(DecoderLoader, AcceptsTheStatusAttributeOfOldDocumentation) {
  config::Problems problems;
  const auto set =
      Decoders("<decoder name=\"a\" status=\"x\"><prematch>a</prematch></decoder>", problems);
  EXPECT_EQ(ProblemText(problems), "");
  EXPECT_EQ(set->decoders().size(), 1u);
}

TEST(DecoderLoader, WarnsOfPatternsInBothFormsAndTakesThePlainOne) {
  config::Problems problems;
  const auto set = Decoders(
      "<decoder name=\"a\"><prematch_pcre2>x.y</prematch_pcre2><prematch>x.z</prematch></decoder>",
      problems);
  EXPECT_FALSE(problems.HasErrors());
  ASSERT_EQ(problems.all().size(), 1u);
  EXPECT_THAT(problems.all()[0].Line(), HasSubstr("<prematch_pcre2> has no effect"));
  Event event;
  Receive(event, "x.z");
  set->Decode(event);
  EXPECT_NE(event.decoder, nullptr);
}

TEST(DecoderLoader, JoinsRepeatedTextsWithoutSeparator) {
  config::Problems problems;
  const auto set =
      Decoders(R"(<decoder name="a"><program_name>^p</program_name><program_name>q$</program_name>
<PREMATCH>^on</PREMATCH><prematch>e </prematch><regex offset="after_prematch">^(\w+)</regex><regex> (\w+)</regex>
<order>id</order><order>url, status</order><ftscomment>none</ftscomment></decoder>)",
               problems);
  ASSERT_EQ(ProblemText(problems), "");
  Event event;
  Receive(event, "Feb  9 11:44:56 h pq: one a b");
  set->Decode(event);
  EXPECT_EQ(FieldLine(event), "url=a status=b");
}

TEST(DecoderLoader, ExpandsVariables) {
  config::Problems problems;
  const auto set = Decoders(
      R"(<var name="WHO">^bob|^eve</var><decoder name="a"><prematch>$WHO</prematch></decoder>)",
      problems);
  ASSERT_EQ(ProblemText(problems), "");
  Event event;
  Receive(event, "eve");
  set->Decode(event);
  EXPECT_NE(event.decoder, nullptr);
}

TEST(DecoderLoader, KnowsEveryOrderName) {
  config::Problems problems;
  const auto set = Decoders(
      "<decoder name=\"a\"><prematch>^a</prematch><regex>"
      R"((\d)(\d)(\d)(\d)(\d)(\d)(\d)(\d)(\d)(\d)(\d)(\d)(\d)(\d)(\d))"
      "</regex><order>srcuser,dstuser, srcip "
      ",\n\tdstip\t,srcport,dstport,protocol,action,id,url,data,"
      "status,system_name,the_filename_is,Some.Thing else</order></decoder>",
      problems);
  ASSERT_EQ(ProblemText(problems), "");
  Event event;
  Receive(event, "a123456789012345");
  set->Decode(event);
  EXPECT_EQ(
      FieldLine(event),
      "srcuser=1 dstuser=2 srcip=3 dstip=4 srcport=5 dstport=6 protocol=7 action=8 id=9 url=0 "
      "data=1 status=2 systemname=3 filename=4 Some.Thing=5");
}

TEST(DecoderLoader, MapsSynonymsOfOrderNames) {
  config::Problems problems;
  const auto set = Decoders(R"(<decoder name="a"><prematch>^a</prematch><regex>(\d)(\d)(\d)</regex>
<order>user,extra_data,User</order></decoder>)",
                            problems);
  Event event;
  Receive(event, "a123");
  set->Decode(event);
  EXPECT_EQ(FieldLine(event), "dstuser=1 data=2 User=3");
}

TEST(DecoderLoader, KnowsEveryFtsName) {
  const std::pair<std::string, unsigned> kCases[] = {{"user", kFtsDstUser},
                                                     {"dstuser", kFtsDstUser},
                                                     {"srcuser", kFtsSrcUser},
                                                     {"the user", kFtsDstUser},
                                                     {"srcip", kFtsSrcIp},
                                                     {"dstip", kFtsDstIp},
                                                     {"id", kFtsId},
                                                     {"location", kFtsLocation},
                                                     {"data", kFtsData},
                                                     {"extra_data", kFtsData},
                                                     {"system_name", kFtsSystemName},
                                                     {"name", kFtsName},
                                                     {"name, user", kFtsName | kFtsDstUser}};
  for (const auto& [names, bits] : kCases) {
    config::Problems problems;
    const auto set = Decoders(
        "<decoder name=\"a\"><prematch>a</prematch><regex>(b)</regex><order>id</order><fts>" +
            names + "</fts></decoder>",
        problems);
    ASSERT_EQ(ProblemText(problems), "");
    EXPECT_EQ(set->decoders()[0]->fts, bits) << names;
  }
}

TEST(DecoderLoader, KnowsEveryType) {
  const std::pair<std::string, Category> kCases[] = {
      {"syslog", Category::kSyslog},
      {"firewall", Category::kFirewall},
      {"ids", Category::kIds},
      {"web-log", Category::kWebLog},
      {"squid", Category::kSquid},
      {"windows", Category::kWindows},
      {"host-information", Category::kHostInformation},
      {"ossec", Category::kOssec}};
  for (const auto& [name, category] : kCases) {
    config::Problems problems;
    const auto set = Decoders(
        "<decoder name=\"a\"><prematch>a</prematch><type>" + name + "</type></decoder>", problems);
    ASSERT_EQ(ProblemText(problems), "");
    EXPECT_EQ(set->decoders()[0]->category, category) << name;
  }
}

TEST(DecoderLoader, AcceptsEveryPlugin) {
  for (const Plugin& plugin : Plugins()) {
    config::Problems problems;
    const auto set = Decoders("<decoder name=\"a\"><prematch>a</prematch><plugin_decoder>" +
                                  std::string(plugin.name) + "</plugin_decoder></decoder>",
                              problems);
    EXPECT_EQ(ProblemText(problems), "");
    EXPECT_EQ(set->decoders()[0]->plugin, &plugin);
  }
}

TEST(DecoderLoader, LeavesAttributesOfOtherElementsAlone) {
  config::Problems problems;
  Decoders(
      "<decoder name=\"a\"><program_name x=\"y\">a</program_name><type "
      "z=\"1\">ids</type></decoder>",
      problems);
  EXPECT_EQ(ProblemText(problems), "");
}

TEST(DecoderLoader, LetsAChildHaveAProgramNameWithoutEffect) {
  config::Problems problems;
  const auto set = Decoders(
      std::string(kRoot) + R"(<decoder name="c"><parent>r</parent><program_name>^zzz</program_name>
<regex>x=(\d)</regex><order>id</order></decoder>)",
      problems);
  ASSERT_EQ(ProblemText(problems), "");
  Event event;
  Receive(event, "r x=1");
  set->Decode(event);
  EXPECT_EQ(FieldLine(event), "id=1");
}

}  // namespace
}  // namespace ospatrol::analysisd
