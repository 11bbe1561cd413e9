// The life of a daemon as its administrator sees it: exit status, standard error, log, pid file,
// signals.
#include "daemon/daemon.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "../temporary_directory.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "in_a_child.h"
#include "log/log.h"

namespace ospatrol::daemon {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Program kTestd{.name = "ospatrol-testd",
                         .user = "nobody",
                         .chroot = true,
                         .keep_caps = programs::kNoCapabilities,
                         .no_new_privileges = true,
                         .debug_option = "analysisd.debug"};

// Does what its configuration file says.
class TestDaemon : public Daemon {
 public:
  explicit TestDaemon(Context& context) : context_(context) {}

  void Configure(config::Problems& problems) override { Read(problems); }
  void Prepare() override { log::Write<msg::kUnexpected>("prepared"); }
  void Start() override {
    if (Wants("fail")) throw Error(1210, "the queue is not there");
    if (Wants("surprise")) throw std::runtime_error("surprise");
    if (Wants("quit")) context_.Quit(3);
    log::Debug(1, "home {}", context_.home().prefix().native());
    base::WriteFileAtomically(context_.home() / "logs/started", "", 0640);
  }
  void Reload(config::Problems& problems) override { Read(problems); }
  void Stop() override { base::WriteFileAtomically(context_.home() / "logs/stopped", "", 0640); }

 private:
  void Read(config::Problems& problems) {
    content_ = base::ReadFile(context_.options().configuration);
    if (Wants("bad")) problems.Error(1230, "etc/ospatrol.conf", 1, "<bad>: unknown option");
  }
  bool Wants(std::string_view word) const { return content_.find(word) != content_.npos; }

  Context& context_;
  std::string content_;
};

class DaemonTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "a daemon starts as root";
    for (const char* part : {"etc", "logs", "var/run"}) {
      std::filesystem::create_directories(directory_ / part);
    }
    ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
    ASSERT_EQ(chmod((directory_ / "var/run").c_str(), 01777), 0);
    ASSERT_EQ(chown((directory_ / "logs").c_str(), 65534, 65534), 0);
    SetConfiguration("");
    // Orphans, as daemons are, come to us, so that their exit status can be seen.
    ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  }
  void TearDown() override {
    if (daemon_ > 1 && SignalChild(daemon_, SIGKILL)) waitpid(daemon_, nullptr, 0);
    while (waitpid(-1, nullptr, WNOHANG) > 0) {  // daemons that ended by themselves
    }
  }

  void SetConfiguration(std::string_view content) const {
    base::WriteFileAtomically(directory_ / "etc/ospatrol.conf", content, 0644);
  }

  static std::string GroupName() {
    const group* entry = getgrgid(65534);
    return entry == nullptr ? "nogroup" : entry->gr_name;
  }

  // What main() does, with standard error in a file.
  int MainOf(std::vector<std::string> words) const {
    const base::Fd errors =
        base::OpenFile(directory_ / "stderr", O_WRONLY | O_CREAT | O_APPEND, 0666);
    dup2(errors.get(), STDERR_FILENO);
    words.insert(words.begin(), {"program", "-D", directory_.path().native(), "-g", GroupName()});
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    return Main(static_cast<int>(words.size()), argv.data(), kTestd,
                [](Context& context) { return std::make_unique<TestDaemon>(context); });
  }
  int StatusOf(const std::vector<std::string>& words) const {
    return StatusInAChild([&] { return MainOf(words); });
  }

  std::string Errors() const { return base::ReadFileIfPresent(directory_ / "stderr").value_or(""); }
  std::string Log() const {
    return base::ReadFileIfPresent(directory_ / "logs/ospatrol.log").value_or("");
  }
  std::vector<std::filesystem::path> PidFiles() const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "var/run")) {
      files.push_back(entry.path());
    }
    return files;
  }
  pid_t PidInFile() const {
    const auto files = PidFiles();
    if (files.size() != 1) return -1;
    const std::string content = base::ReadFile(files[0]);
    return base::ParseNumber<pid_t>(base::Trim(content)).value_or(-1);
  }

  static bool Eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  bool LogEventuallyHas(std::string_view text) const {
    return Eventually([&] { return Log().find(text) != std::string::npos; });
  }

  // Exit status of the daemon, which was told to end.
  int StatusOfDaemon() {
    int status = 0;
    EXPECT_EQ(waitpid(daemon_, &status, 0), daemon_);
    daemon_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }

  const TemporaryDirectory directory_;
  pid_t daemon_ = -1;
};

TEST_F(DaemonTest, IsReadyWhenItsParentExits) {
  ASSERT_EQ(StatusOf({}), 0);
  daemon_ = PidInFile();
  ASSERT_GT(daemon_, 0);
  EXPECT_EQ(PidFiles()[0].filename(), fmt::format("ospatrol-testd-{}.pid", daemon_));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "logs/started"));
  EXPECT_THAT(Log(), HasSubstr(fmt::format("ospatrol-testd: INFO: Started (pid: {}).", daemon_)));

  const std::string process = fmt::format("/proc/{}/", daemon_);
  const std::string status = base::ReadFile(process + "status");
  EXPECT_THAT(status, HasSubstr("Uid:\t65534\t65534\t65534\t65534"));
  EXPECT_THAT(status, HasSubstr("CapBnd:\t0000000000000000"));
  EXPECT_THAT(status, HasSubstr("Seccomp:\t2"));
  EXPECT_EQ(std::filesystem::read_symlink(process + "root"),
            std::filesystem::canonical(directory_.path()));
  for (const char* descriptor : {"fd/0", "fd/1", "fd/2"}) {
    EXPECT_EQ(std::filesystem::read_symlink(process + descriptor), "/dev/null");
  }
  EXPECT_NE(getsid(daemon_), getsid(0));
}

TEST_F(DaemonTest, EndsInOrderOnSigterm) {
  ASSERT_EQ(StatusOf({}), 0);
  daemon_ = PidInFile();
  ASSERT_GT(daemon_, 0);
  ASSERT_TRUE(SignalChild(daemon_, SIGTERM));
  EXPECT_EQ(StatusOfDaemon(), 0);
  EXPECT_TRUE(std::filesystem::exists(directory_ / "logs/stopped"));
  EXPECT_THAT(PidFiles(), testing::IsEmpty());
  EXPECT_THAT(Log(), HasSubstr("ospatrol-testd(1225): INFO: SIGNAL [(15)-(Terminated)] Received."));
}

TEST_F(DaemonTest, ReadsItsConfigurationAgainInsideTheChroot) {
  ASSERT_EQ(StatusOf({}), 0);
  daemon_ = PidInFile();
  ASSERT_GT(daemon_, 0);
  ASSERT_TRUE(SignalChild(daemon_, SIGHUP));
  EXPECT_TRUE(LogEventuallyHas("ospatrol-testd(9005): INFO: "));
  SetConfiguration("bad");
  ASSERT_TRUE(SignalChild(daemon_, SIGHUP));
  EXPECT_TRUE(LogEventuallyHas("ospatrol-testd(9004): ERROR: "));
  EXPECT_THAT(Log(), HasSubstr("(1230): ERROR: etc/ospatrol.conf:1: <bad>: unknown option"));
  std::filesystem::remove(directory_ / "etc/ospatrol.conf");
  ASSERT_TRUE(SignalChild(daemon_, SIGHUP));
  EXPECT_TRUE(LogEventuallyHas("No such file or directory"));
  ASSERT_TRUE(SignalChild(daemon_, SIGTERM));
  EXPECT_EQ(StatusOfDaemon(), 0);
}

TEST_F(DaemonTest, TheParentReportsAFailureOfTheStart) {
  SetConfiguration("fail");
  EXPECT_EQ(StatusOf({}), 1);
  EXPECT_THAT(Errors(), HasSubstr("ospatrol-testd(1210): ERROR: the queue is not there\n"));
  EXPECT_THAT(Log(), HasSubstr("ospatrol-testd(1210): ERROR: the queue is not there\n"));
  EXPECT_THAT(PidFiles(), testing::IsEmpty());
}

TEST_F(DaemonTest, AnUnexpectedExceptionHasANumberOfItsOwn) {
  SetConfiguration("surprise");
  EXPECT_EQ(StatusOf({}), 1);
  EXPECT_THAT(Errors(), HasSubstr("ospatrol-testd(9000): ERROR: Unexpected failure: surprise\n"));
}

TEST_F(DaemonTest, AConfigurationErrorEndsTheStartBeforeAnythingHappens) {
  SetConfiguration("bad");
  EXPECT_EQ(StatusOf({}), 1);
  EXPECT_THAT(Errors(), HasSubstr("(1230): ERROR: etc/ospatrol.conf:1: <bad>: unknown option"));
  EXPECT_THAT(Errors(), HasSubstr("(1202): ERROR: Configuration error at"));
  EXPECT_THAT(Errors(), Not(HasSubstr("prepared")));
}

TEST_F(DaemonTest, ADaemonWithNothingToDoEndsWithItsStatus) {
  SetConfiguration("quit");
  EXPECT_EQ(StatusOf({}), 3);
  EXPECT_THAT(Log(), Not(HasSubstr("Started")));
  EXPECT_THAT(PidFiles(), testing::IsEmpty());
}

TEST_F(DaemonTest, TheTestOfTheConfigurationLeavesNoTrace) {
  EXPECT_EQ(StatusOf({"-t"}), 0);
  SetConfiguration("bad");
  EXPECT_EQ(StatusOf({"-t"}), 1);
  EXPECT_THAT(Errors(), HasSubstr("(1202): ERROR"));
  EXPECT_TRUE(std::filesystem::is_empty(directory_ / "logs"));
  EXPECT_THAT(PidFiles(), testing::IsEmpty());
}

TEST_F(DaemonTest, TheConfigurationCanBeTestedWithoutRoot) {
  const auto test = [&] { return setresuid(65534, 65534, 65534) != 0 ? 2 : MainOf({"-t"}); };
  base::WriteFileAtomically(directory_ / "stderr", "", 0666);
  EXPECT_EQ(StatusInAChild(test), 0);
}

TEST_F(DaemonTest, StaysInTheForegroundOnDemand) {
  daemon_ = fork();
  if (daemon_ == 0) _exit(MainOf({"-f"}));
  ASSERT_TRUE(Eventually([&] { return PidInFile() == daemon_; }));
  EXPECT_TRUE(LogEventuallyHas("Started (pid: "));
  EXPECT_TRUE(Eventually([&] { return Errors().find("Started (pid: ") != std::string::npos; }));
  ASSERT_TRUE(SignalChild(daemon_, SIGINT));
  EXPECT_EQ(StatusOfDaemon(), 0);
  EXPECT_THAT(Errors(), HasSubstr("SIGNAL [(2)-(Interrupt)]"));
}

TEST_F(DaemonTest, WithoutRootItRunsOnlyInTheForegroundAndSaysSo) {
  base::WriteFileAtomically(directory_ / "stderr", "", 0666);
  EXPECT_EQ(StatusInAChild([&] { return setresuid(65534, 65534, 65534) != 0 ? 2 : MainOf({}); }),
            1);
  EXPECT_THAT(Errors(), HasSubstr("ospatrol-testd(9002): ERROR: Must be started as root"));

  daemon_ = fork();
  if (daemon_ == 0) {
    if (setresuid(65534, 65534, 65534) != 0) _exit(2);
    _exit(MainOf({"-f"}));
  }
  ASSERT_TRUE(LogEventuallyHas("Started (pid: "));
  EXPECT_THAT(Log(), HasSubstr("ospatrol-testd(9003): WARN: "));
  const std::string status = base::ReadFile(fmt::format("/proc/{}/status", daemon_));
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(status, HasSubstr("Seccomp:\t2"));
  ASSERT_TRUE(SignalChild(daemon_, SIGTERM));
  EXPECT_EQ(StatusOfDaemon(), 0);
}

TEST_F(DaemonTest, HoldsNoPipeOfItsCallerOpen) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const base::Fd reader(ends[0]);
  base::Fd writer(ends[1]);
  ASSERT_EQ(StatusInAChild([&] {
              dup2(writer.get(), STDOUT_FILENO);
              writer.reset();
              return MainOf({});
            }),
            0);
  daemon_ = PidInFile();
  writer.reset();
  char byte;
  EXPECT_EQ(read(reader.get(), &byte, 1), 0);  // would hang if the daemon had kept it
}

TEST_F(DaemonTest, TakesTheDebugLevelFromTheFlagOrTheInternalOption) {
  ASSERT_EQ(StatusOf({"-d"}), 0);
  daemon_ = PidInFile();
  EXPECT_THAT(Log(), HasSubstr("ospatrol-testd: DEBUG: home /\n"));
  ASSERT_TRUE(SignalChild(daemon_, SIGTERM));
  StatusOfDaemon();

  std::filesystem::remove(directory_ / "logs/ospatrol.log");
  base::WriteFileAtomically(directory_ / "etc/internal_options.conf", "analysisd.debug=1\n", 0644);
  ASSERT_EQ(StatusOf({}), 0);
  daemon_ = PidInFile();
  EXPECT_THAT(Log(), HasSubstr("ospatrol-testd: DEBUG: home /\n"));
}

TEST_F(DaemonTest, RefusesAnUnknownUserAndAMissingPrefix) {
  EXPECT_EQ(StatusOf({"-u", "no-such-user"}), 1);
  EXPECT_THAT(Errors(), HasSubstr("ospatrol-testd(1203): ERROR: Invalid user 'no-such-user'"));
  EXPECT_EQ(StatusOf({"-D", directory_ / "missing"}), 1);
  EXPECT_THAT(Errors(), HasSubstr("ospatrol-testd(9006): ERROR: "));
}

TEST_F(DaemonTest, PrintsHelpAndVersionOnStandardError) {
  EXPECT_EQ(StatusOf({"-h"}), 0);
  EXPECT_THAT(Errors(), HasSubstr("Usage: ospatrol-testd"));
  EXPECT_EQ(StatusOf({"-V"}), 0);
  EXPECT_THAT(Errors(), HasSubstr("\nOSPatrol v"));
  EXPECT_EQ(StatusOf({"-z"}), 1);
}

TEST(Context, OnlyProgramsMeantForItMayRunOthers) {
  Context analysisd(programs::kAnalysisd, {});
  EXPECT_THROW(analysisd.AllowPrograms(), Error);
  Context logcollector(programs::kLogcollector, {});
  EXPECT_FALSE(logcollector.programs_allowed());
  logcollector.AllowPrograms();
  EXPECT_TRUE(logcollector.programs_allowed());
}

TEST(Context, RebasesTheConfigurationWhenTheRootChanges) {
  Options options;
  options.prefix = "/srv/x";
  options.configuration = "/srv/x/etc/ospatrol.conf";
  Context inside(programs::kAnalysisd, options);
  inside.EnteredChroot();
  EXPECT_EQ(inside.options().configuration, "/etc/ospatrol.conf");
  EXPECT_EQ(inside.home().prefix(), "/");

  options.configuration = "/tmp/other.conf";
  Context outside(programs::kAnalysisd, options);
  testing::internal::CaptureStderr();
  outside.EnteredChroot();
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("(9007): WARN"));
  EXPECT_EQ(outside.options().configuration, "/tmp/other.conf");
}

}  // namespace
}  // namespace ospatrol::daemon
