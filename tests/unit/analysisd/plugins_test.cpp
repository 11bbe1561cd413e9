#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "analysisd/json_fields.h"
#include "analysisd/plugin.h"
#include "analysisd/rule.h"
#include "decoding.h"

namespace ospatrol::analysisd {
namespace {

// What a plugin finds in a line.
class PluginTest : public testing::Test {
 protected:
  std::string Run(std::string_view plugin, std::string_view text, Decoder&& decoder = {}) {
    Receive(event_, text);
    const RuleFinder find_rule = [&](int id) { return id == rule_.id ? &rule_ : nullptr; };
    FindPlugin(plugin)->run(event_, {decoder, event_.log, find_rule});
    return FieldLine(event_);
  }

  Event event_;
  Rule rule_;
};

TEST_F(PluginTest, AreFoundByTheirExactNames) {
  EXPECT_EQ(Plugins().size(), 5u);
  EXPECT_NE(FindPlugin("PF_Decoder"), nullptr);
  EXPECT_EQ(FindPlugin("pf_decoder"), nullptr);
  EXPECT_EQ(FindPlugin(""), nullptr);
}

struct PluginCase {
  std::string_view text, fields;
};

class PfTest : public PluginTest, public testing::WithParamInterface<PluginCase> {};
TEST_P(PfTest, ReadsTheLogLine) {
  EXPECT_EQ(Run("PF_Decoder", GetParam().text), GetParam().fields);
}

INSTANTIATE_TEST_SUITE_P(
    Plugins, PfTest,
    testing::Values(
        PluginCase{
            "rule 3/0(match): pass in on fxp0: 10.1.1.1.1234 > 10.2.2.2.80: S 1:1(0)",
            "srcip=10.1.1.1 dstip=10.2.2.2 srcport=1234 dstport=80 protocol=TCP action=pass"},
        PluginCase{
            "rule 3/0(match): block in on fxp0: 10.1.1.1.53 > 10.2.2.2.5353:  udp 12",
            "srcip=10.1.1.1 dstip=10.2.2.2 srcport=53 dstport=5353 protocol=UDP action=block"},
        PluginCase{"rule 3/0(match): block in on fxp0: 10.1.1.1 > 10.2.2.2: icmp: echo request",
                   "srcip=10.1.1.1 dstip=10.2.2.2 protocol=ICMP action=block"},
        PluginCase{
            "rule 1/0(match): pass in on em0: fe80::1.546 > ff02::1:2.547: dhcp6 solicit",
            "srcip=fe80::1 dstip=ff02::1:2 srcport=546 dstport=547 protocol=TCP action=pass"},
        PluginCase{"rule 1/0(match): pass in on em0: fe80::1 > ff02::1: icmp6: x",
                   "srcip=fe80::1 dstip=ff02::1 protocol=ICMP action=pass"},
        PluginCase{"rule 1/0(match): rdr in on em0: 1.1.1.1 > 2.2.2.2: x", ""},
        PluginCase{"rule 1/0(match): pass in", "action=pass"},
        PluginCase{"rule 1/0(match): pass in on em0: 1.2.3.4.5", "action=pass"},
        PluginCase{"rule 1/0(match): pass in on em0: 1.2.3.4.5 < x",
                   "srcip=1.2.3.4 srcport=5 action=pass"},
        PluginCase{"rule 1/0(match): pass in on em0: 1.2.3.4 > 5.6.7.8",
                   "srcip=1.2.3.4 action=pass"},
        PluginCase{"rule 1/0(match): pass in on em0: 1.2.3.4 > 5.6.7.8:",
                   "srcip=1.2.3.4 dstip=5.6.7.8 protocol=TCP action=pass"},
        PluginCase{"no bracket", ""}, PluginCase{")", ""}, PluginCase{") ", ""},
        PluginCase{"", ""}));

class SymantecTest : public PluginTest, public testing::WithParamInterface<PluginCase> {};
TEST_P(SymantecTest, ReadsTheItems) {
  EXPECT_EQ(Run("SymantecWS_Decoder", GetParam().text), GetParam().fields);
}

INSTANTIATE_TEST_SUITE_P(
    Plugins, SymantecTest,
    testing::Values(
        PluginCase{"20070717,73613,1=5,11=10.1.1.3,10=userc,3=1,2=1",
                   "dstuser=userc srcip=10.1.1.3 id=3=1,2=1"},
        PluginCase{"20070717,73614,1=5,60=http://x/,2=1,3=1,9=z", "id=2=1,3=1,9 url=http://x/"},
        PluginCase{"x,3=1,2=1,60=http://y/,10=a,10=b", "dstuser=a id=3=1,2=1,6 url=http://y/"},
        PluginCase{"10=a", ""}, PluginCase{",", ""}, PluginCase{",10=", "dstuser="}));

class SonicWallTest : public PluginTest, public testing::WithParamInterface<PluginCase> {};

constexpr std::string_view kSonicAddresses = "src=10.0.0.1:3000:WAN dst=10.0.0.2:80:LAN ";

TEST_F(PluginTest, SonicWallSetsTheTypeOfTheEvent) {
  const std::string addresses(kSonicAddresses);
  const std::string fields = "srcip=10.0.0.1 dstip=10.0.0.2 srcport=3000 dstport=80 ";
  const auto run = [&](std::string_view head, std::string_view tail) {
    return Run("SonicWall_Decoder",
               std::string(head) + " msg=\"x\" " + addresses + std::string(tail));
  };
  EXPECT_EQ(run("pri=1 c=32 m=83", "proto=tcp/http"), fields + "protocol=tcp id=83 status=1");
  EXPECT_EQ(event_.category, Category::kIds);
  for (const std::string id : {"98", "597", "598"}) {
    EXPECT_EQ(run("pri=6 c=1 m=" + id, "proto=udp/53"),
              fields + "protocol=udp action=pass id=" + id + " status=6");
    EXPECT_EQ(event_.category, Category::kFirewall);
  }
  for (const std::string id : {"36", "37", "38", "173", "174"}) {
    EXPECT_EQ(run("pri=6 c=1 m=" + id, "proto=longname"),
              fields + "protocol=longna action=drop id=" + id + " status=6");
    EXPECT_EQ(event_.category, Category::kFirewall);
  }
  EXPECT_EQ(run("pri=6 c=1024 m=537", "rest"), fields + "action=close id=537 status=6");
  EXPECT_EQ(event_.category, Category::kFirewall);
  EXPECT_EQ(run("pri=6 c=1 m=97", "proto=tcp/http op=GET result=200 dstname=a.b arg=/c"),
            fields + "protocol=tcp id=200 url=a.b/c status=6");
  EXPECT_EQ(event_.category, Category::kSquid);
  EXPECT_EQ(run("pri=6 c=1 m=97", "proto=tcp/http"), fields + "protocol=tcp id=97 status=6");
  EXPECT_EQ(event_.category, Category::kSquid);
  EXPECT_EQ(run("pri=6 c=1 m=1", "x"), fields + "id=1 status=6");
  EXPECT_EQ(event_.category, Category::kSyslog);
}

TEST_F(PluginTest, SonicWallKeepsWhatItFoundBeforeAMisfit) {
  EXPECT_EQ(Run("SonicWall_Decoder", "pri=6 c=1 m=98 nothing"), "id=98 status=6");
  EXPECT_EQ(Run("SonicWall_Decoder", "pri=x c=1 m=98 nothing"), "");
}

constexpr std::string_view kRelayed =
    "Alert Level: 10; Rule: 5712 - SSHD brute force; Location: (gw) 1.1.1.1->/var/log/auth.log; "
    "srcip: "
    "198.51.100.7; user: root;  May  7 10:11:11 gw1 sshd[811]: Failed";

TEST_F(PluginTest, OssecAlertBecomesTheOriginalEvent) {
  rule_.id = 5712;
  for (const std::string prefix : {"", "ossec: "}) {
    EXPECT_EQ(Run("OSSECAlert_Decoder", prefix + std::string(kRelayed)),
              "dstuser=root srcip=198.51.100.7");
    EXPECT_EQ(event_.relayed_rule, &rule_);
    EXPECT_FALSE(event_.dropped);
    EXPECT_EQ(event_.log, "May  7 10:11:11 gw1 sshd[811]: Failed");
    EXPECT_EQ(event_.full_log, event_.log);
    EXPECT_EQ(event_.location, "/var/log/x|(gw) 1.1.1.1->/var/log/auth.log");
    EXPECT_EQ(event_.hostname, event_.location);
    EXPECT_EQ(event_.relay, "manager->/var/log/x");
  }
}

TEST_F(PluginTest, OssecAlertReadsFieldsUpToTheFirstOtherWord) {
  rule_.id = 5712;
  EXPECT_EQ(
      Run("OSSECAlert_Decoder",
          "Alert Level: 3; Rule: 5712 - T; Location: l; classification:  syslog,sshd,; srcip: "
          "1.2.3.4; Previous MD5: x; note: this; is the log"),
      "srcip=1.2.3.4");
  EXPECT_EQ(event_.log, "note: this; is the log");
}

TEST_F(PluginTest, OssecAlertWithAnUnknownRuleOrBadFormIsDropped) {
  rule_.id = 1;
  for (const std::string_view text :
       {kRelayed, std::string_view("Alert Level: 10; Rule: x - T; Location: l; m"),
        std::string_view("Alert Level: 10"), std::string_view("Alert Level: 10; Rule: 1 - T"),
        std::string_view("Alert Level: 10; Rule: 1 - T; Location: open")}) {
    EXPECT_EQ(Run("OSSECAlert_Decoder", text), "");
    EXPECT_TRUE(event_.dropped) << text;
    EXPECT_EQ(event_.location, "/var/log/x");
    EXPECT_EQ(event_.relayed_rule, nullptr);
  }
}

TEST_F(PluginTest, OssecAlertLeavesOtherTextsAlone) {
  EXPECT_EQ(Run("OSSECAlert_Decoder", "ossec: Agent started"), "");
  EXPECT_FALSE(event_.dropped);
}

TEST_F(PluginTest, OssecAlertCutsTheLocationAt255Bytes) {
  rule_.id = 7;
  Run("OSSECAlert_Decoder",
      "Alert Level: 3; Rule: 7 - T; Location: " + std::string(300, 'l') + "; x");
  EXPECT_EQ(event_.location.size(), 255u);
}

class JsonTest : public PluginTest, public testing::WithParamInterface<PluginCase> {};
TEST_P(JsonTest, FlattensTheObject) {
  EXPECT_EQ(Run("JSON_Decoder", GetParam().text), GetParam().fields);
}

INSTANTIATE_TEST_SUITE_P(
    Plugins, JsonTest,
    testing::Values(
        PluginCase{R"({"a":{"b":1,"c":{"d":"x"}},"e":true})", "a.b=1 a.c.d=x e=true"},
        PluginCase{R"({"a":{"b":1},"c":2})", "a.b=1 c=2"},
        PluginCase{R"(  {"a":"b"} trailing {"c":1})", "a=b"},
        PluginCase{R"({"n":null,"f":false,"e":{},"s":""})", "n=null f=false s="},
        PluginCase{R"({"i":-5,"b":5000000000,"f":3.5,"z":3.0,"u":18446744073709551615,"x":1e300})",
                   "i=-5 b=5000000000 f=3.5 z=3 u=18446744073709551615 x=1e+300"},
        PluginCase{
            R"({"srcip":"1.2.3.4","dstip":"2","srcport":1,"dstport":2,"protocol":"p","action":"a",)"
            R"("srcuser":"s","dstuser":"d","id":7,"status":"t","url":"u","data":"x","systemname":"h"})",
            "srcuser=s dstuser=d srcip=1.2.3.4 dstip=2 srcport=1 dstport=2 protocol=p "
            "action=a id=7 url=u data=x status=t systemname=h"},
        PluginCase{R"({"a":{"srcip":"1"},"system_name":"n","extra_data":"e"})",
                   "data=e a.srcip=1 system_name=n"},
        PluginCase{R"({"user":"a"})", "dstuser=a"},
        PluginCase{R"({"dstuser":"a","user":"b"})", "dstuser=a user=b"},
        PluginCase{R"({"k":1,"k":2})", "k=1"},
        PluginCase{R"({"l":["a", "b"],"m":[],"n":[1,[2,null],true]})",
                   R"(l=["a", "b"] m=[] n=[1, [2, null], true])"},
        PluginCase{R"({"a":[{"b":1,"c":"\"x\\"},2],"d":3})",
                   "a=[{\n\t\t\"b\":\t1,\n\t\t\"c\":\t\"\\\"x\\\\\"\n\t}, 2] d=3"},
        PluginCase{R"({"u":"\u00e4\ud83d\ude00\n"})", "u=\xc3\xa4\xf0\x9f\x98\x80\n"},
        PluginCase{"{\"bad\":\"\xff\",\"b\":1}", "bad=\xef\xbf\xbd b=1"},
        PluginCase{R"({"a":1)", ""}, PluginCase{R"({"a":1,)", ""}, PluginCase{"[1]", ""},
        PluginCase{"\"x\"", ""}, PluginCase{"{}", ""}, PluginCase{"", ""}, PluginCase{"text", ""},
        PluginCase{R"({"":1,"a":2})", "a=2"}));

TEST_F(PluginTest, JsonObeysTheStyleOfItsDecoder) {
  Decoder decoder;
  decoder.json_discard_null = true;
  EXPECT_EQ(Run("JSON_Decoder", R"({"a":null,"b":[null]})", std::move(decoder)), "b=[null]");
  Decoder csv;
  csv.json_arrays_as_csv = true;
  EXPECT_EQ(Run("JSON_Decoder", R"({"a":["x",1,{"c":2},[3],true]})", std::move(csv)), "a=x,1,true");
}

TEST_F(PluginTest, JsonKeepsTheFirst256Fields) {
  std::string text = "{\"a\":0";
  for (int i = 0; i < 300; ++i) text += ",\"k" + std::to_string(i) + "\":1";
  Run("JSON_Decoder", text + "}");
  EXPECT_EQ(event_.dynamic_fields.size(), 256u);
  EXPECT_TRUE(IsSet(event_.GetDynamic("k254")));
  EXPECT_FALSE(IsSet(event_.GetDynamic("k255")));
}

TEST_F(PluginTest, JsonRefusesMoreThan1000Levels) {
  const auto nested = [](size_t levels) {
    std::string text = "{\"a\":";
    for (size_t i = 2; i <= levels; ++i) text += "[";
    return text + std::string(levels - 1, ']') + "}";
  };
  EXPECT_NE(Run("JSON_Decoder", nested(1000)), "");
  EXPECT_EQ(Run("JSON_Decoder", nested(1001)), "");
  EXPECT_EQ(Run("JSON_Decoder", nested(30000)), "");
}

TEST_F(PluginTest, JsonBoundsTheTextOfAnArray) {
  std::string text = "{\"a\":";
  for (int i = 0; i < 400; ++i) text += "[{\"b\":";
  text += "[{";
  for (int i = 0; i < 5000; ++i) text += (i == 0 ? "\"c\":1" : ",\"c\":1");
  text += "}]";
  for (int i = 0; i < 400; ++i) text += "}]";
  const JsonFields fields = FlattenJson(text + "}", {}, 10);
  ASSERT_EQ(fields.fields.size(), 1u);
  EXPECT_EQ(fields.fields[0].value.size(), 65535u);
}

}  // namespace
}  // namespace ospatrol::analysisd
