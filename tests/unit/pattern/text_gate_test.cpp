#include "pattern/text_gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/text.h"

namespace ospatrol::pattern {
namespace {

TEST(TextGate, OpensForEachTextInAnyCase) {
  const TextGate gate({"+", "%0", "cd;", "cmd.exe", "../.."});
  for (const char* subject :
       {"+", "a+", "+b", "/%0a", "%0", "/CD;ls", "cd;", "x/Cmd.EXE", "a../.."}) {
    EXPECT_TRUE(gate.Opens(subject)) << subject;
  }
  for (const char* subject :
       {"", "%", "cd", "/cmd.ex", "0%", "/index.html?a=b", "cmd exe", "./.."}) {
    EXPECT_FALSE(gate.Opens(subject)) << subject;
  }
}

TEST(TextGate, FindsWhatACarefulLoopFinds) {
  std::mt19937 engine(5);
  const auto text = [&](size_t least, size_t most) {
    constexpr std::string_view kBytes = "aAbB1%. @`";
    std::string all;
    for (size_t left = least + engine() % (most - least + 1); left > 0; --left) {
      all += kBytes[engine() % kBytes.size()];
    }
    return all;
  };
  size_t found = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::string> texts(1 + engine() % 12);
    for (std::string& one : texts) one = base::ToLower(text(1 + i % 4, 12));
    const std::string subject = text(0, 30);
    const std::string lower = base::ToLower(subject);
    const bool expected = std::any_of(texts.begin(), texts.end(), [&](const std::string& one) {
      return lower.find(one) != std::string::npos;
    });
    found += expected ? 1 : 0;
    ASSERT_EQ(TextGate(texts).Opens(subject), expected) << subject;
  }
  EXPECT_GE(found, 2000U);
  EXPECT_LE(found, 18'000U);
}

}  // namespace
}  // namespace ospatrol::pattern
