// ospatrol-logtest: see README.md and rules-and-decoders 7.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "alert/text_record.h"
#include "analysisd/alert_builder.h"
#include "analysisd/rule.h"
#include "base/files.h"
#include "base/time.h"
#include "config/problems.h"
#include "daemon/privileges.h"
#include "log/log.h"
#include "logtest/explain.h"
#include "logtest/first_seen_lines.h"
#include "logtest/json_output.h"
#include "logtest/lint.h"
#include "logtest/mutate.h"
#include "logtest/options.h"
#include "logtest/replay.h"
#include "logtest/rule_tests.h"
#include "logtest/session.h"
#include "logtest/sources.h"
#include "logtest/text_output.h"
#include "logtest/unit_test.h"
#include "product/product.h"

namespace ospatrol::logtest {
namespace {

// Bytes without LF: shorter lines are skipped, the rest of a longer one is the next event.
constexpr size_t kMinLine = 2;
constexpr size_t kMaxLine = 6134;

// One run over standard input in the mode that the options name.
class Run {
 public:
  Run(const Options& options, std::shared_ptr<const analysisd::Ruleset> ruleset)
      : options_(options), session_(std::move(ruleset)) {}

  void Know(const std::vector<std::string>& lines) { session_.Know(lines); }

  int All() {
    std::string line;
    for (uint64_t number = 0; NextLine(line);) {
      ++number;
      if (line.size() < kMinLine && !options_.json) continue;
      One(number, line);
      if (stop_) break;
      // Answer at once when nothing more is waiting: somebody may be typing, or a script wait for
      // it.
      if (std::cin.rdbuf()->in_avail() <= 0 || out_.size() > kFlushBytes ||
          err_.size() > kFlushBytes)
        Flush();
    }
    Flush();
    return status_;
  }

 private:
  static constexpr size_t kFlushBytes = 64 * 1024;

  bool NextLine(std::string& line) {
    if (!rest_.empty()) {
      line = rest_.substr(0, kMaxLine);
      rest_.erase(0, line.size());
      return true;
    }
    if (!std::getline(std::cin, line)) return false;
    if (line.ends_with('\r')) line.pop_back();
    if (line.size() > kMaxLine && !options_.json) {
      rest_ = line.substr(kMaxLine);
      line.resize(kMaxLine);
    }
    return true;
  }

  void One(uint64_t number, const std::string& line) {
    if (options_.full_json) return FullJson(number, line);
    session_.Decode(line, base::WallNow());
    if (options_.json) {
      const analysisd::Verdict verdict = session_.Judge();
      AppendShortJson(number, session_.event(), verdict, out_);
      UnitTest(verdict);
    } else if (options_.alerts_only) {
      const analysisd::Verdict verdict = session_.Judge();
      AlertRecord(verdict);
      UnitTest(verdict);
    } else {
      Phases();
    }
  }

  void Phases() {
    AppendDecoding(session_.event(), err_);
    analysisd::Verdict verdict;
    if (options_.trace) {
      TextTracer tracer(err_);
      verdict = session_.Judge(&tracer);
    } else if (options_.explain) {
      StepTracer tracer;
      verdict = session_.Judge(&tracer);
      AppendExplanation(tracer.steps(), verdict, err_);
    } else {
      verdict = session_.Judge();
    }
    if (verdict.accumulated) err_ += "\n**ACCUMULATOR: LEVEL UP!!**\n\n";
    AppendVerdict(verdict, err_);
    UnitTest(verdict);
  }

  // In every mode: whoever asks for a comparison relies on the exit code.
  void UnitTest(const analysisd::Verdict& verdict) {
    if (!options_.unit_test) return;
    const analysisd::Event& event = session_.event();
    const std::string_view name = event.decoder == nullptr ? "NULL" : event.decoder_name;
    err_ += fmt::format("\nlf->decoder_info->name: '{}'\nut_decoder_name       : '{}'\n", name,
                        options_.unit_test->decoder);
    status_ = Compare(*options_.unit_test, event, verdict);
    const bool objects = options_.json || options_.full_json;  // nothing else on standard output
    if (status_ == kSame && !objects) out_ += "0";
    if (status_ == kDecoderDiffers) {
      err_ += fmt::format("decoder matched : '{}'\ndecoder expected: '{}'\n", name,
                          options_.unit_test->decoder);
    }
    if (status_ == kNoRule) {
      err_ += fmt::format("no rule matched; rule {} was expected\n", options_.unit_test->rule);
      stop_ = true;
    }
  }

  void AlertRecord(const analysisd::Verdict& verdict) {
    if (!verdict.alert) return;
    ++alerts_;
    alert::AlertView& alert = builder_.Build(session_.event(), verdict);
    const std::string id = fmt::format("{}.{}", session_.event().time, alerts_);
    alert.id = id;
    alert::AppendTextRecord(alert, out_);
  }

  void FullJson(uint64_t number, const std::string& line) {
    const auto start = std::chrono::steady_clock::now();
    session_.Decode(line, base::WallNow());
    const auto decoded = std::chrono::steady_clock::now();
    StepTracer tracer;
    const analysisd::Verdict verdict = session_.Judge(&tracer);
    const auto judged = std::chrono::steady_clock::now();
    AppendFullJson(number, session_.event(), verdict, tracer.steps(),
                   std::chrono::nanoseconds(decoded - start).count(),
                   std::chrono::nanoseconds(judged - decoded).count(), out_);
    UnitTest(verdict);
  }

  void Flush() {
    std::fwrite(err_.data(), 1, err_.size(), stderr);
    std::fwrite(out_.data(), 1, out_.size(), stdout);
    std::fflush(stdout);
    err_.clear();
    out_.clear();
  }

  const Options& options_;
  Session session_;
  analysisd::AlertBuilder builder_;
  std::string rest_;  // of an over-long line
  std::string out_, err_;
  uint64_t alerts_ = 0;
  int status_ = 0;
  bool stop_ = false;
};

int RunReplay(std::istream& recording, const std::string& name,
              const std::shared_ptr<const analysisd::Ruleset>& ruleset) {
  std::string problem;
  const auto print = [](const std::string& record) {
    std::fwrite(record.data(), 1, record.size(), stdout);
  };
  if (Replay(recording, name, ruleset, print, problem)) return 0;
  throw Error(problem);
}

void TellDecoderFiles(const Sources& sources) {
  for (const std::string& file : sources.decoder_files()) {
    log::WriteLine(0, log::Level::kInfo,
                   file.empty() ? "Reading local decoder file."
                                : fmt::format("Reading decoder file {}.", file));
  }
}

int Main(int argc, char** argv) {
  Leave leave{};
  const std::optional<Options> options = ParseOptions(argc, argv, leave);
  if (!options) return leave.status;
  log::Configure("ospatrol-testrule", {}, true);
  log::SetDebugLevel(options->debug);
  base::LoadTimeZone((Home(options->prefix) / paths::kLocalTime).string());

  config::Problems problems;
  const auto sources = Sources::Read(*options, problems);
  const auto ruleset = sources ? sources->Load(problems) : nullptr;
  if (options->lint) return RunLint(sources ? &*sources : nullptr, ruleset.get(), problems);
  problems.WriteToLog();
  if (ruleset == nullptr) {
    log::Write<msg::kConfigurationError>(options->configuration.string());
    return 1;
  }
  if (options->test) return 0;
  if (options->mutate) return RunMutants(*options, *sources);
  if (options->run_tests) return RunTestFiles(*options, ruleset);

  std::ifstream recording;
  if (!options->replay.empty()) {
    recording.open(options->replay, std::ios::binary);
    if (!recording) {
      throw Error(fmt::format("{}: cannot read: {}", options->replay, base::ErrnoText(errno)));
    }
  }

  // What follows handles text from anywhere: not as root.
  Home home(options->prefix);
  if (geteuid() == 0) {
    const Program program{"ospatrol-logtest", product::kUser, true, programs::kNoCapabilities,
                          true};
    daemon::BecomeProgram(
        program, daemon::LookUpIdentity(std::string(product::kUser), std::string(product::kGroup)),
        options->prefix);
    home = Home("/");
  }
  if (recording.is_open()) return RunReplay(recording, options->replay, ruleset);
  const bool objects = options->json || options->full_json;
  if (!options->quiet && !objects) TellDecoderFiles(*sources);
  if (!objects) log::Write<msg::kStarted>(getpid());
  if (!objects && !options->alerts_only)
    fmt::print(stderr, "ospatrol-testrule: Type one log per line.\n\n");
  std::ios::sync_with_stdio(false);
  Run run(*options, ruleset);
  run.Know(ReadFirstSeenLines(home));
  return run.All();
}

}  // namespace
}  // namespace ospatrol::logtest

int main(int argc, char** argv) {
  try {
    return ospatrol::logtest::Main(argc, argv);
  } catch (const ospatrol::Error& error) {
    ospatrol::log::WriteLine(error.id(), ospatrol::log::Level::kError, error.what());
  } catch (const std::exception& error) {
    ospatrol::log::WriteLine(9000, ospatrol::log::Level::kError, error.what());
  }
  return 1;
}
