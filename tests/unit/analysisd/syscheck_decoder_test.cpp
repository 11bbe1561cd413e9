#include "analysisd/syscheck_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "analysisd/memory_state.h"
#include "decoding.h"

namespace ospatrol::analysisd {
namespace {

const std::string kMd5a(32, 'a'), kMd5b(32, 'b');
const std::string kSha1a(40, 'a'), kSha1b(40, 'b');
const std::string kSha256a(64, 'a'), kSha256b(64, 'b');
const std::string kH1 = kMd5a + ":" + kSha1a + ":" + kSha256a;
const std::string kH2 = kMd5b + ":" + kSha1b + ":" + kSha256b;
constexpr std::string_view kAgent = "(web1) 10.0.0.5->syscheck";

class SyscheckTest : public testing::Test {
 protected:
  SyscheckTest() : options_(TestOptions()) {}

  // Name of the decoder that `decoded_as` knows the event by; empty = no event.
  std::string Decode(std::string_view text, std::string_view location = kAgent) {
    Receive(event_, text, location, '8');
    if (!DecodeSyscheck(event_, state_, options_)) return {};
    EXPECT_EQ(event_.decoder_name, "syscheck_integrity_changed");
    EXPECT_EQ(event_.category, Category::kOssec);
    EXPECT_EQ(event_.log, event_.full_log);
    return event_.decoder->name;
  }

  std::string Record(std::string_view name) {
    const auto record = state_.LastFile(kAgent, name).record;
    return record ? record->counter + record->sum : "none";
  }

  EngineOptions options_;
  MemoryState state_;
  Event event_;
};

TEST_F(SyscheckTest, FollowsTheConformanceExample) {
  EXPECT_EQ(Decode("10:33188:0:0:" + kH1 + " /etc/p"), "");
  EXPECT_EQ(Record("/etc/p"), "+++10:33188:0:0:" + kH1);
  EXPECT_EQ(Decode("11:33261:1000:0:" + kH2 + " /etc/p"), "syscheck_integrity_changed");
  EXPECT_EQ(Record("/etc/p"), "!++11:33261:1000:0:" + kH2);
  EXPECT_EQ(event_.log,
            "Integrity checksum changed for: '/etc/p'\n"
            "Size changed from '10' to '11'\n"
            "Permissions changed from 'rw-r--r--' to 'rwxr-xr-x'\n"
            "Ownership was '0', now it is '1000'\n"
            "Old md5sum was: '" +
                kMd5a + "'\nNew md5sum is : '" + kMd5b +
                "'\n"
                "Old sha1sum was: '" +
                kSha1a + "'\nNew sha1sum is : '" + kSha1b +
                "'\n"
                "Old sha256sum was: '" +
                kSha256a + "'\nNew sha256sum is : '" + kSha256b + "'\n");
  EXPECT_EQ(FieldLine(event_), "filename=/etc/p");
  EXPECT_EQ(event_.hostname, kAgent);
  EXPECT_EQ(event_.file->md5_before, kMd5a);
  EXPECT_EQ(event_.file->sha256_after, kSha256b);
  EXPECT_EQ(event_.file->size_before, "10");
  EXPECT_EQ(event_.file->owner_after, "1000");
  EXPECT_EQ(event_.file->gowner_after, "");
  EXPECT_EQ(event_.file->perm_before, 33188);
  EXPECT_EQ(event_.file->perm_after, 33261);

  EXPECT_EQ(Decode("-1 /etc/p"), "syscheck_deleted");
  EXPECT_EQ(event_.log, "File '/etc/p' was deleted. Unable to retrieve checksum.");
  EXPECT_EQ(Record("/etc/p"), "!!+-1");
  EXPECT_EQ(Decode("11:33261:1000:0:" + kH2 + " /etc/p"), "syscheck_new_entry");
  EXPECT_EQ(event_.log, "File '/etc/p' was re-added.");
  EXPECT_EQ(Record("/etc/p"), "!!!11:33261:1000:0:" + kH2);
  EXPECT_EQ(Decode("12:33261:1000:0:" + kH2 + " /etc/p"), "");
  EXPECT_EQ(Record("/etc/p"), "!!!11:33261:1000:0:" + kH2);
  EXPECT_EQ(Decode("11:33261:1000:0:xxx:xxx:xxx /etc/p"), "");
  EXPECT_EQ(Record("/etc/p"), "+++11:33261:1000:0:xxx:xxx:xxx");
  EXPECT_EQ(Decode("syscheck-db-completed"), "");
  EXPECT_TRUE(state_.BaselineComplete(kAgent));
}

TEST_F(SyscheckTest, ShowsTheDiffLineByLine) {
  Decode("10:33188:0:0:" + kH1 + " /etc/q");
  EXPECT_EQ(Decode("10:33188:0:0:" + kH2 + " /etc/q\n1c1\n< a\n---\n> b"),
            "syscheck_integrity_changed");
  EXPECT_THAT(std::string(event_.log), testing::EndsWith("'\nWhat changed:\n1c1\n< a\n---\n> b"));
  EXPECT_EQ(FieldLine(event_), "filename=/etc/q");
}

TEST_F(SyscheckTest, CountsTheChangesOfAFile) {
  const auto change = [&](int size) {
    return Decode(std::to_string(size) + ":33188:0:0:" + kH1 + " /f");
  };
  change(1);
  EXPECT_EQ(change(2), "syscheck_integrity_changed");
  EXPECT_EQ(change(3), "syscheck_integrity_changed_2nd");
  EXPECT_EQ(change(4), "syscheck_integrity_changed_3rd");
  EXPECT_EQ(change(5), "");
  options_.syscheck_auto_ignore = false;
  EXPECT_EQ(change(6), "syscheck_integrity_changed");
  EXPECT_THAT(Record("/f"), testing::StartsWith("!!?6:"));
  EXPECT_EQ(change(7), "syscheck_integrity_changed");
  EXPECT_THAT(Record("/f"), testing::StartsWith("!!?7:"));
}

TEST_F(SyscheckTest, NeverSuppressesADeletion) {
  const auto present = [&](int size) {
    return Decode(std::to_string(size) + ":33188:0:0:" + kH1 + " /f");
  };
  for (int size = 1; size < 9; ++size) present(size);
  EXPECT_EQ(Decode("-1 /f"), "syscheck_deleted");
  EXPECT_EQ(Decode("-1 /f"), "");
  EXPECT_EQ(present(1), "");  // auto-ignored, but known as present
  EXPECT_EQ(Decode("-1 /f"), "syscheck_deleted");
}

TEST_F(SyscheckTest, IgnoresEqualSumsAndPlaceholders) {
  Decode("10:33188:0:0:" + kMd5a + ":" + kSha1a + " /f");
  EXPECT_EQ(Decode("10:33188:0:0:" + kMd5a + ":" + kSha1a + " /f"), "");
  EXPECT_EQ(Decode("10:33188:0:0:" + kH1 + " /f"), "");  // sha256 is new
  EXPECT_EQ(Record("/f"), "+++10:33188:0:0:" + kH1);
  EXPECT_EQ(Decode("10:33188:0:0:xxx:" + kSha1b + ":xxx /f"), "syscheck_integrity_changed");
  EXPECT_THAT(std::string(event_.log), testing::Not(testing::HasSubstr("md5sum")));
  EXPECT_THAT(std::string(event_.log), testing::HasSubstr("New sha1sum is : '" + kSha1b));
}

TEST_F(SyscheckTest, TakesShortOrLongSumsAsChanged) {
  Decode("a:b /f");
  EXPECT_EQ(Decode("a:c /f"), "syscheck_integrity_changed");
  Decode("CreateFile=5 /g");
  EXPECT_EQ(Decode("1:2:3:4:5:6:" + std::string(600, '7') + " /g"), "syscheck_integrity_changed");
}

TEST_F(SyscheckTest, ReportsNewFilesOnRequestAndOnlyBehindTheBaseline) {
  options_.syscheck_alert_new_files = true;
  EXPECT_EQ(Decode("1:33188:0:0:" + kH1 + " /one"), "");
  Decode("syscheck-db-completed", "(other) 1.1.1.1->syscheck");
  EXPECT_EQ(Decode("1:33188:0:0:" + kH1 + " /two"), "");
  Decode("syscheck-db-completed");
  EXPECT_EQ(Decode("1:33188:0:0:" + kH1 + " /three"), "syscheck_new_entry");
  EXPECT_EQ(event_.log, "New file '/three' added to the file system.\nNew sha1sum is : '" + kSha1a +
                            "'\nNew md5sum is : '" + kMd5a + "'\nNew sha256sum is : '" + kSha256a +
                            "'\n");
  EXPECT_EQ(event_.file->md5_after, kMd5a);
  EXPECT_EQ(event_.file->md5_before, "");
  EXPECT_EQ(Decode("1:33188:0:0:xxx:" + kSha1a + " /four"), "syscheck_new_entry");
  EXPECT_EQ(event_.log, "New file '/four' added to the file system.\nNew sha1sum is : '" + kSha1a +
                            "'\nNew md5sum is : 'Unknown'\n");
  EXPECT_EQ(Decode("-1 /never-known"), "");
}

TEST_F(SyscheckTest, AcceptsChangesSilentlyDuringMaintenance) {
  Decode("1:33188:0:0:" + kH1 + " /f");
  Decode("2:33188:0:0:" + kH1 + " /f");
  state_.SetMaintenance(kAgent, true);
  EXPECT_EQ(Decode("3:33188:0:0:" + kH1 + " /f"), "");
  EXPECT_EQ(Record("/f"), "+++3:33188:0:0:" + kH1);
  EXPECT_EQ(Decode("-1 /f"), "");
  EXPECT_EQ(Decode("1:33188:0:0:" + kH1 + " /new"), "");
  EXPECT_EQ(state_.silent_updates(), 3u);
  EXPECT_EQ(Decode("1:33188:0:0:" + kH1 + " /new"), "");
  EXPECT_EQ(state_.silent_updates(), 3u);
}

TEST_F(SyscheckTest, DropsIgnoredNames) {
  options_.syscheck_ignore = {"/etc/MTAB", "C:/temp"};
  EXPECT_EQ(Decode("1:33188:0:0:" + kH1 + " /etc/mtab.lock"), "");
  EXPECT_EQ(Record("/etc/mtab.lock"), "none");
}

TEST_F(SyscheckTest, KeepsBlanksInNames) {
  Decode("1:33188:0:0:" + kH1 + " /a b c");
  EXPECT_NE(Record("/a b c"), "none");
}

TEST_F(SyscheckTest, CutsShownNamesAt756Bytes) {
  const std::string name = "/" + std::string(800, 'n');
  Decode("1:33188:0:0:" + kH1 + " " + name);
  Decode("-1 " + name);
  EXPECT_EQ(event_.log,
            "File '" + name.substr(0, 756) + "' was deleted. Unable to retrieve checksum.");
  EXPECT_EQ(event_.Get(Field::kFilename), name);
}

TEST_F(SyscheckTest, RefusesMessagesWithoutAName) {
  EXPECT_EQ(Decode("nonsense"), "");
  EXPECT_EQ(Decode(""), "");
}

TEST_F(SyscheckTest, ReadsModesInDecimalAndAgentlessOnesInOctal) {
  const auto permissions = [&](std::string_view before, std::string_view after,
                               std::string_view location) {
    const std::string name = " /" + std::string(before) + "-" + std::string(after);
    Decode("1:" + std::string(before) + ":0:0:" + kH1 + name, location);
    Decode("1:" + std::string(after) + ":0:0:" + kH1 + name, location);
    const std::string log(event_.log);
    const size_t from = log.find("Permissions");
    return from == std::string::npos ? "" : log.substr(from, log.find('\n', from) - from);
  };
  constexpr std::string_view kAgentless = "(ssh_integrity) root@host->syscheck";
  EXPECT_EQ(permissions("644", "755", kAgent),
            "Permissions changed from 'rw-r--r--' to 'rwxr-xr-x'");
  EXPECT_EQ(permissions("755", "4755", kAgentless),
            "Permissions changed from 'rwxr-xr-x' to 'rwsr-xr-x'");
  EXPECT_EQ(permissions("36845", "33277", kAgent),
            "Permissions changed from 'rwsr-sr-t' to 'rwxrwxr-x'");
  EXPECT_EQ(permissions("0", "33188", kAgent), "");
  EXPECT_EQ(permissions("x", "33188", kAgent), "");
}

}  // namespace
}  // namespace ospatrol::analysisd
