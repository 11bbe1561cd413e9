#include "analysisd/decoder_set.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "decoding.h"

namespace ospatrol::analysisd {
namespace {

// "decoder: fields" of a line.
class DecoderSetTest : public testing::Test {
 protected:
  void Load(std::string_view xml) {
    config::Problems problems;
    set_ = Decoders(xml, problems);
    ASSERT_EQ(ProblemText(problems), "");
  }

  std::string Decode(std::string_view text) {
    Receive(event_, text);
    set_->Decode(event_);
    std::string line(IsSet(event_.decoder_name) ? event_.decoder_name : "(null)");
    const std::string fields = FieldLine(event_);
    return fields.empty() ? line : line + ": " + fields;
  }
  // With a header that names a program.
  std::string DecodeProgram(std::string_view text) {
    return Decode("Feb  9 11:44:56 h " + std::string(text));
  }

  std::unique_ptr<DecoderSet> set_;
  Event event_;
};

constexpr std::string_view kExamples = R"(
<decoder name="dummy"><prematch>^ZZZdummy</prematch></decoder>
<decoder name="par"><program_name>^par$</program_name><regex>a=(\d+)</regex><order>id</order></decoder>
<decoder name="c1"><parent>par</parent><regex>b=(\d+)</regex><order>status</order></decoder>
<decoder name="c2"><parent>par</parent><regex>c=(\d+)</regex><order>url</order></decoder>
<decoder name="p2"><program_name>^p2$</program_name></decoder>
<decoder name="p2a"><parent>p2</parent><prematch>^login </prematch>
  <regex offset="after_prematch">^u=(\S+) </regex><order>user</order></decoder>
<decoder name="p2a"><parent>p2</parent><regex offset="after_regex">^i=(\S+) </regex><order>srcip</order></decoder>
<decoder name="p2a"><parent>p2</parent><regex offset="after_regex">^z=(\S+)</regex><order>zed,extra_data</order></decoder>
<decoder name="p2b"><parent>p2</parent><use_own_name>true</use_own_name><prematch>^logout </prematch>
  <regex offset="after_prematch">u=(\S+)|v=(\S+)</regex><order>user,srcuser</order><type>firewall</type></decoder>
<decoder name="dyn"><program_name>^dyn$</program_name><regex>f=(\S+) g=(\S+)</regex><order>foo.bar, srcip</order></decoder>
<decoder name="r1"><prematch>^alpha</prematch></decoder>
<decoder name="r1c"><parent>r1</parent><prematch>never</prematch></decoder>
<decoder name="r2"><prematch>^alpha beta</prematch><regex offset="after_prematch">^ (\d+)</regex><order>id</order></decoder>
)";

// Answers for program names are remembered, for some names and one set at a time.
TEST_F(DecoderSetTest, KnowsProgramsHoweverManyThereAre) {
  constexpr std::string_view kPrograms = R"(
<decoder name="early"><program_name>^app</program_name><prematch>^first</prematch></decoder>
<decoder name="late"><program_name>^app|^longname</program_name></decoder>)";
  Load(kPrograms);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 3000; ++i) {
      ASSERT_EQ(DecodeProgram(fmt::format("app{}: first", i)), "early");
      ASSERT_EQ(DecodeProgram(fmt::format("app{}: second", i)), "late");
      ASSERT_EQ(DecodeProgram(fmt::format("other{}: first", i)), "(null)");
    }
  }
  const std::string longest = "longname" + std::string(200, 'x');
  EXPECT_EQ(DecodeProgram(longest + ": x"), "late");
  EXPECT_EQ(DecodeProgram(longest + ": x"), "late");
  EXPECT_EQ(DecodeProgram("x" + longest + ": x"), "(null)");

  const auto first_set = std::move(set_);
  Load("<decoder name=\"other\"><program_name>^app1$</program_name></decoder>");
  EXPECT_EQ(DecodeProgram("app1: first"), "other");
  first_set->Decode(event_);
  EXPECT_EQ(event_.decoder_name, "early");
  EXPECT_EQ(DecodeProgram("app1: first"), "other");
}

TEST_F(DecoderSetTest, DecodesTheWorkedExamples) {
  Load(kExamples);
  EXPECT_EQ(DecodeProgram("par: a=1 b=2 c=3"), "par: status=2");
  EXPECT_EQ(DecodeProgram("par: a=1 c=3"), "par");
  EXPECT_EQ(DecodeProgram("p2: login u=bob i=1.2.3.4 z=9 x"),
            "p2: dstuser=bob srcip=1.2.3.4 zed=9");
  EXPECT_EQ(DecodeProgram("p2: login u=bob z=9 x"), "p2: dstuser=bob");
  EXPECT_EQ(DecodeProgram("p2: logout u=bob"), "p2b: dstuser=bob");
  EXPECT_EQ(event_.category, Category::kFirewall);
  EXPECT_EQ(DecodeProgram("p2: logout v=bob"), "p2b: dstuser=bob");
  EXPECT_EQ(event_.category, Category::kFirewall);
  EXPECT_EQ(DecodeProgram("p2: logout none"), "p2b");
  EXPECT_EQ(DecodeProgram("p2: other"), "p2");
  EXPECT_EQ(event_.category, Category::kSyslog);
  EXPECT_EQ(DecodeProgram("dyn: f=x9 g=2.2.2.2"), "dyn: srcip=2.2.2.2 foo.bar=x9");
  EXPECT_EQ(Decode("alpha beta 42"), "r1");
}

TEST_F(DecoderSetTest, NeverTriesOneListForEventsOfTheOther) {
  Load(R"(<decoder name="plain"><prematch>^x</prematch></decoder>
          <decoder name="prog"><program_name>^p$</program_name></decoder>)");
  EXPECT_EQ(Decode("x"), "plain");
  EXPECT_EQ(Decode("y"), "(null)");
  EXPECT_EQ(event_.decoder, nullptr);
  EXPECT_EQ(event_.category, Category::kSyslog);
  EXPECT_EQ(DecodeProgram("q: x"), "(null)");
  EXPECT_EQ(DecodeProgram("p: x"), "prog");
}

TEST_F(DecoderSetTest, TriesRootsInLoadOrderWhateverTheirPrograms) {
  Load(R"(<decoder name="any"><program_name>shd</program_name><prematch>one</prematch></decoder>
          <decoder name="exact"><program_name>^sshd$</program_name><prematch>two</prematch></decoder>
          <decoder name="prefix"><program_name>^ssh</program_name></decoder>
          <decoder name="pcre"><program_name_pcre2>^(?:su|sudo)$</program_name_pcre2></decoder>
          <decoder name="last"><program_name></program_name></decoder>)");
  EXPECT_EQ(DecodeProgram("sshd: one two"), "any");
  EXPECT_EQ(DecodeProgram("SSHD[1]: two"), "exact");
  EXPECT_EQ(DecodeProgram("sshd: three"), "prefix");
  EXPECT_EQ(DecodeProgram("sudo: x"), "pcre");
  EXPECT_EQ(DecodeProgram("sud: x"), "last");
  EXPECT_EQ(DecodeProgram("cron: x"), "last");
}

TEST_F(DecoderSetTest, GivesTheNextRootAChanceWhenTheProgramFitsButThePrematchDoesNot) {
  Load(R"(<decoder name="a"><program_name>^p</program_name><prematch>^a</prematch></decoder>
          <decoder name="b"><program_name>^p</program_name></decoder>)");
  EXPECT_EQ(DecodeProgram("p: a"), "a");
  EXPECT_EQ(DecodeProgram("p: b"), "b");
}

TEST_F(DecoderSetTest, FindsAnchoredRootsBeyondAscii) {
  // U+212A (Kelvin sign) folds to k, U+017F (long s) to s.
  Load(R"(<decoder name="k"><prematch>^kelvin \w+|^other</prematch></decoder>)");
  EXPECT_EQ(Decode("\xe2\x84\xaa"
                   "elvin x"),
            "k");
  EXPECT_EQ(Decode("KELVIN x"), "k");
  EXPECT_EQ(Decode("helvin x"), "(null)");
}

TEST_F(DecoderSetTest, ReadsFromOffsetsAsIfTheTextBeganThere) {
  Load(R"(<decoder name="r"><prematch>^head </prematch></decoder>
<decoder name="a"><parent>r</parent><prematch offset="after_parent">^one </prematch>
  <regex offset="after_parent">^(\w+) (\w+)</regex><order>id, status</order></decoder>
<decoder name="b"><parent>r</parent><prematch>^head two </prematch>
  <regex offset="after_prematch">^(\w+)</regex><order>url</order></decoder>
<decoder name="c"><parent>r</parent><regex>^(\w+)</regex><order>data</order></decoder>)");
  EXPECT_EQ(Decode("head one x"), "r: id=one status=x");
  EXPECT_EQ(Decode("head two y"), "r: url=y");
  EXPECT_EQ(Decode("head three"), "r: data=head");
}

TEST_F(DecoderSetTest, CannotLookBehindAnOffset) {
  Load(R"(<decoder name="r"><prematch>^head</prematch>
  <pcre2 offset="after_prematch">\b (\w+)</pcre2><order>id</order></decoder>)");
  EXPECT_EQ(Decode("head x y"), "r: id=y");
}

TEST_F(DecoderSetTest, TakesTheFirstChildWithoutPrematchAndNoneBehindIt) {
  Load(R"(<decoder name="r"><prematch>^r</prematch></decoder>
<decoder name="a"><parent>r</parent><prematch>A</prematch></decoder>
<decoder name="b"><parent>r</parent><use_own_name>true</use_own_name><regex>b=(\d)</regex><order>id</order></decoder>
<decoder name="c"><parent>r</parent><use_own_name>true</use_own_name><prematch>C</prematch></decoder>)");
  EXPECT_EQ(Decode("r A"), "r");
  EXPECT_EQ(Decode("r C b=1"), "b: id=1");
  EXPECT_EQ(Decode("r C"), "r");  // b is taken, its pattern fails: the root stays the decoder
}

TEST_F(DecoderSetTest, PassesOverTheWholeChainOfAChildWhosePrematchFails) {
  Load(R"(<decoder name="r"><prematch>^r</prematch></decoder>
<decoder name="a"><parent>r</parent><prematch>A</prematch><regex>x=(\d)</regex><order>id</order></decoder>
<decoder name="a"><parent>r</parent><regex>y=(\d)</regex><order>url</order></decoder>
<decoder name="a"><parent>r</parent><regex>z=(\d)</regex><order>data</order></decoder>
<decoder name="b"><parent>r</parent><prematch>B</prematch><regex>x=(\d)</regex><order>status</order></decoder>)");
  EXPECT_EQ(Decode("r B x=1 y=2"), "r: status=1");
  EXPECT_EQ(Decode("r A x=1 y=2 z=3"), "r: id=1 url=2 data=3");
  EXPECT_EQ(Decode("r A y=2 z=3"), "r: url=2 data=3");
  EXPECT_EQ(Decode("r A z=3"), "r: data=3");
}

TEST_F(DecoderSetTest, WalksIntoWhateverStandsBetweenTheLinksOfAChain) {
  Load(R"(<decoder name="r"><prematch>^r</prematch></decoder>
<decoder name="a"><parent>r</parent><prematch>A</prematch><regex>x=(\d)</regex><order>id</order></decoder>
<decoder name="b"><parent>r</parent><prematch>B</prematch><regex>u=(\d)</regex><order>url</order></decoder>
<decoder name="a"><parent>r</parent><regex>y=(\d)</regex><order>data</order></decoder>)");
  EXPECT_EQ(Decode("r A x=1 y=2"), "r: id=1");
  EXPECT_EQ(Decode("r A x=1 u=3 y=2"), "r: id=1 url=3");
}

TEST_F(DecoderSetTest, MovesCapturesUpWhenAGroupTookNoPart) {
  Load(
      R"(<decoder name="d"><prematch>^d</prematch><pcre2>u=(\w+)|(?:n=(\w*)) i=(\w+)</pcre2><order>user, srcuser, id</order></decoder>)");
  EXPECT_EQ(Decode("d u=a"), "d: dstuser=a");
  EXPECT_EQ(Decode("d n=b i=c"), "d: srcuser=c dstuser=b");
  EXPECT_EQ(Decode("d n= i=c"), "d: srcuser=c dstuser=");
}

TEST_F(DecoderSetTest, KeepsNoCapturesOfThePrematchForAPatternWithoutGroups) {
  Load(
      R"(<decoder name="d"><prematch>^(\w+) </prematch><regex>x$</regex><order>id</order></decoder>)");
  EXPECT_EQ(Decode("d x"), "d");
}

TEST_F(DecoderSetTest, LetsALaterValueOverwriteAnEarlierOneAlsoOfDynamicFields) {
  Load(R"(<decoder name="r"><prematch>^r</prematch></decoder>
<decoder name="a"><parent>r</parent><prematch>A</prematch><regex>x=(\d) k=(\d)</regex><order>id, my.Key</order></decoder>
<decoder name="a"><parent>r</parent><regex offset="after_regex">x=(\d) k=(\d)</regex><order>id, my.key</order></decoder>)");
  EXPECT_EQ(Decode("r A x=1 k=2 x=3 k=4"), "r: id=3 my.Key=4");
}

TEST_F(DecoderSetTest, GivesAChildToEveryParentOfTheName) {
  Load(R"(<decoder name="p"><prematch>^one</prematch></decoder>
<decoder name="p"><program_name>^two</program_name></decoder>
<decoder name="c"><parent>p</parent><regex>x=(\d)</regex><order>id</order></decoder>
<decoder name="p"><prematch>^three</prematch></decoder>)");
  EXPECT_EQ(Decode("one x=1"), "p: id=1");
  EXPECT_EQ(DecodeProgram("two: x=2"), "p: id=2");
  EXPECT_EQ(Decode("three x=3"), "p");
}

TEST_F(DecoderSetTest, KnowsBuiltInAndDeclaredNames) {
  Load(R"(<decoder name="r"><prematch>^r</prematch></decoder>
<decoder name="c"><parent>r</parent></decoder>
<decoder name="own"><parent>r</parent><use_own_name>true</use_own_name></decoder>
<decoder name="lax"><parent>r</parent><use_own_name>yes</use_own_name></decoder>)");
  for (const std::string_view name :
       {"rootcheck", "syscheck_integrity_changed", "syscheck_integrity_changed_2nd",
        "syscheck_integrity_changed_3rd", "syscheck_new_entry", "syscheck_deleted", "hostinfo_new",
        "hostinfo_modified", "r", "own"}) {
    EXPECT_TRUE(set_->IsNameInUse(set_->NameId(name))) << name;
  }
  for (const std::string_view name : {"c", "lax"}) {
    EXPECT_NE(set_->NameId(name), 0) << name;
    EXPECT_FALSE(set_->IsNameInUse(set_->NameId(name))) << name;
  }
  EXPECT_EQ(set_->NameId("R"), 0);
  EXPECT_EQ(set_->NameId("nothing"), 0);
  EXPECT_FALSE(set_->IsNameInUse(0));
  EXPECT_EQ(set_->NameId("syscheck_deleted"), Builtin(BuiltinDecoder::kSyscheckDeleted).name_id);
  EXPECT_EQ(set_->NameCount(), 12);
}

TEST_F(DecoderSetTest, IdentifiesDecodersOfTheProgramListAlsoWithoutAPlainOne) {
  Load(R"(<decoder name="p"><program_name>^p$</program_name></decoder>)");
  DecodeProgram("p: x");
  ASSERT_NE(event_.decoder, nullptr);
  EXPECT_EQ(event_.decoder->name_id, set_->NameId("p"));
}

TEST_F(DecoderSetTest, TakesCategoryAndFlagsFromTheNodeThatBecameTheDecoder) {
  Load(R"(<decoder name="r"><prematch>^r</prematch><type>ids</type></decoder>
<decoder name="c"><parent>r</parent><prematch>C</prematch><accumulate/></decoder>)");
  Decode("r x");
  EXPECT_EQ(event_.category, Category::kIds);
  EXPECT_FALSE(event_.decoder->accumulate);
  Decode("r C");
  EXPECT_EQ(event_.category, Category::kSyslog);
  EXPECT_TRUE(event_.decoder->accumulate);
}

TEST_F(DecoderSetTest, RunsAPluginOnTheTextBehindItsOffset) {
  Load(R"(<decoder name="j"><prematch>^J: </prematch></decoder>
<decoder name="j"><parent>j</parent><plugin_decoder offset="after_parent">JSON_Decoder</plugin_decoder></decoder>
<decoder name="k"><prematch>^K: </prematch><plugin_decoder offset="after_prematch">JSON_Decoder</plugin_decoder></decoder>
<decoder name="l"><prematch>^L: </prematch><plugin_decoder>JSON_Decoder</plugin_decoder></decoder>)");
  EXPECT_EQ(Decode(R"(J: {"a":{"b":1}})"), "j: a.b=1");
  EXPECT_EQ(Decode(R"(K: {"srcip":"1.2.3.4"} rest)"), "k: srcip=1.2.3.4");
  EXPECT_EQ(Decode(R"(L: {"a":1})"), "l");
}

}  // namespace
}  // namespace ospatrol::analysisd
