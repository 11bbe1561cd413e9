#include "secure/merged_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/digest.h"
#include "wire_vectors.h"

namespace ospatrol::secure {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::map<std::string, std::string> AsMap(const std::vector<SharedFile>& files) {
  std::map<std::string, std::string> result;
  for (const SharedFile& file : files) result[file.name] = file.content;
  return result;
}

TEST(MergedFile, WritesAndReadsTheVectors) {
  size_t merged = 0;
  for (const auto& vector : Vectors()["merged_mg"]) {
    SCOPED_TRACE(vector["id"].get<std::string>());
    const std::string text = vector["merged_text"];
    if (!vector.contains("files_in_order")) continue;
    ++merged;
    std::vector<SharedFile> files;
    for (const auto& file : vector["files_in_order"]) {
      files.push_back({file["name"], file["content_text"]});
    }
    EXPECT_EQ(Concatenate(files), text);
    EXPECT_EQ(base::Md5Hex(text), vector["merged_md5"].get<std::string>());
    const SplitFiles split = Split(text);
    ASSERT_TRUE(split.files);
    EXPECT_TRUE(split.problems.empty());
    EXPECT_EQ(AsMap(*split.files), AsMap(files));
  }
  EXPECT_EQ(merged, 4U);
}

TEST(MergedFile, IsTolerantWhereTheVectorsAre) {
  for (const auto& vector : Vectors()["merged_mg"]) {
    if (!vector.contains("unmerge_result")) continue;
    SCOPED_TRACE(vector["id"].get<std::string>());
    const SplitFiles split = Split(vector["merged_text"].get<std::string>());
    if (vector["id"] == "MG-06") {
      EXPECT_FALSE(split.files) << "short content refuses all of it";
      EXPECT_EQ(split.problems.size(), 1U);
      continue;
    }
    ASSERT_TRUE(split.files);
    EXPECT_EQ(AsMap(*split.files),
              (vector["unmerge_result"].get<std::map<std::string, std::string>>()));
  }
}

TEST(Merge, SortsSoThatTheSumIsStable) {
  const Merged one = Merge({{"b", "2"}, {"a", "1"}});
  const Merged other = Merge({{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(one.text, "!1 a\n1!1 b\n2");
  EXPECT_EQ(one.text, other.text);
}

TEST(Merge, LeavesOutWhatCannotBeSentAndSaysWhy) {
  const Merged merged = Merge({{"ok", "x"},
                               {".hidden", "x"},
                               {"a/b", "x"},
                               {"", "x"},
                               {"merged.mg", "x"},
                               {"new\nline", "x"},
                               {"nul", std::string("a\0b", 3)},
                               {"large", std::string(kMaxSharedFile + 1, 'x')}});
  EXPECT_EQ(merged.text, "!1 ok\nx");
  EXPECT_EQ(merged.problems.size(), 7U);
}

TEST(Merge, HasALimitForAllTogether) {
  std::vector<SharedFile> files;
  for (char c = 'a'; c <= 't'; ++c) {
    files.push_back({std::string(1, c), std::string(kMaxSharedFile, c)});
  }
  const Merged merged = Merge(std::move(files));
  EXPECT_LE(merged.text.size(), kMaxMergedFile);
  EXPECT_FALSE(merged.problems.empty());
  EXPECT_TRUE(Split(merged.text).files);
}

TEST(Split, LeavesOutBadNamesOnly) {
  const SplitFiles split =
      Split("!1 ../evil\nx!1 .hidden\nx!1 a/b\nx!1 good\nx!1 \nx!1 merged.mg\nx!2 tab\tname\nxx");
  ASSERT_TRUE(split.files);
  EXPECT_EQ(AsMap(*split.files), (std::map<std::string, std::string>{{"good", "x"}}));
  EXPECT_EQ(split.problems.size(), 6U);
}

TEST(Split, RefusesAllWhenContentIsCut) {
  for (const char* text : {"!5 a\nabc", "!1 ok\nx!9223372036854775807 directory\nrest",
                           "!18446744073709551615 x\n", "!1 a"}) {
    const SplitFiles split = Split(text);
    EXPECT_FALSE(split.files) << text;
    EXPECT_FALSE(split.problems.empty());
  }
}

TEST(Split, TakesTheLastOfTwoWithOneName) {
  const SplitFiles split = Split("!1 a\n1!1 b\nx!1 a\n2");
  ASSERT_TRUE(split.files);
  EXPECT_EQ(AsMap(*split.files), (std::map<std::string, std::string>{{"a", "2"}, {"b", "x"}}));
  EXPECT_THAT(split.problems, ElementsAre(HasSubstr("twice")));
}

TEST(Split, SkipsHeadersWithoutASize) {
  const SplitFiles split = Split("!\n!x name\n!-1 name\n!99999999999999999999 name\n!1 a\nx");
  ASSERT_TRUE(split.files);
  EXPECT_EQ(split.files->size(), 1U);
  EXPECT_EQ(split.problems.size(), 4U);
}

TEST(Split, OfNothingIsNothing) {
  const SplitFiles split = Split("");
  ASSERT_TRUE(split.files);
  EXPECT_TRUE(split.files->empty());
}

}  // namespace
}  // namespace ospatrol::secure
