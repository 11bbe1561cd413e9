#include "pattern/literal_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/text.h"

namespace ospatrol::pattern {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// In a block of memory of its own, so that reading beyond it is seen.
std::set<uint32_t> FoundBy(FourByteMap::Method method, const std::vector<std::string>& texts,
                           std::string_view subject) {
  const std::vector<char> exact(subject.begin(), subject.end());
  std::vector<LiteralScan::Text> numbered;
  for (const std::string& text : texts) {
    numbered.push_back({text, static_cast<uint32_t>(numbered.size())});
  }
  std::set<uint32_t> found;
  LiteralScan(numbered, method).Scan({exact.data(), exact.size()}, [&](uint32_t text) {
    found.insert(text);
  });
  return found;
}

std::set<uint32_t> Found(const std::vector<std::string>& texts, std::string_view subject) {
  std::set<uint32_t> found = FoundBy(FourByteMap::Method::kFastest, texts, subject);
  EXPECT_EQ(FoundBy(FourByteMap::Method::kPlain, texts, subject), found) << subject;
  return found;
}

TEST(LiteralScan, FindsAllTextsInAnyCase) {
  const std::vector<std::string> texts{"failed password", "root", "accepted"};
  EXPECT_THAT(Found(texts, "Failed Password for ROOT"), ElementsAre(0u, 1u));
  EXPECT_THAT(Found(texts, "accepted"), ElementsAre(2u));
  EXPECT_THAT(Found(texts, "nothing"), IsEmpty());
}

TEST(LiteralScan, TakesAnyBytesAsTheyAre) {
  const std::vector<std::string> texts{"a.*b", "[xy]", "(ab)", std::string("n\0ll", 4), "@att"};
  EXPECT_THAT(Found(texts, "axxb {xy} `att"), IsEmpty());
  EXPECT_THAT(Found(texts, std::string_view("a.*b [xy] (ab) n\0ll @ATT", 24)),
              ElementsAre(0u, 1u, 2u, 3u, 4u));
}

TEST(LiteralScan, FindsTextsAtBothEndsAndOneInsideAnother) {
  const std::vector<std::string> texts{"abcd", "bcde", "abcde", "wxyz"};
  EXPECT_THAT(Found(texts, "abcde and wxyz"), ElementsAre(0u, 1u, 2u, 3u));
  EXPECT_THAT(Found(texts, "wxyz"), ElementsAre(3u));
  EXPECT_THAT(Found(texts, "wxyzab"), ElementsAre(3u));
  EXPECT_THAT(Found(texts, "wxy"), IsEmpty());
  EXPECT_THAT(Found(texts, ""), IsEmpty());
}

TEST(LiteralScan, FindsNothingWithoutTexts) { EXPECT_THAT(Found({}, "anything"), IsEmpty()); }

// Few letters, so that texts overlap, share bytes and slots.
TEST(LiteralScan, AgreesWithASearchForEachText) {
  std::mt19937 random(1);
  const auto word = [&](size_t shortest, size_t longest, std::string_view letters) {
    std::string made(shortest + random() % (longest - shortest + 1), ' ');
    for (char& c : made) c = letters[random() % letters.size()];
    return made;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> texts;
    for (int i = 0; i < 60; ++i) texts.push_back(word(4, round % 2 == 0 ? 9 : 30, "abc1 ."));
    std::string subject = word(0, 180, "abcABC1 .\xC3");
    // Longer texts do not come about by chance; nor nearly a longer text.
    for (int i = 0; i < 20 && round % 2 != 0; ++i) {
      std::string text = texts[random() % texts.size()];
      if (i % 3 == 0) text[random() % text.size()] = 'C';
      subject.insert(random() % (subject.size() + 1), text);
    }
    std::set<uint32_t> expected;
    for (uint32_t i = 0; i < texts.size(); ++i) {
      if (base::ToLower(subject).find(texts[i]) != std::string::npos) expected.insert(i);
    }
    EXPECT_EQ(Found(texts, subject), expected) << subject;
  }
}

}  // namespace
}  // namespace ospatrol::pattern
