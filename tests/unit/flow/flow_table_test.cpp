#include "flow/flow_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ospatrol::flow {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kCollector =
    "# State\n\nconnection='stream'\nframes_unanswered='2'\nfiles='3'\nlines='100'\n"
    "lines_cut='1'\nlines_lost='4'\nbytes_skipped='0'\nbytes_waiting='77'\nevents_sent='102'\n"
    "events_taken='90'\nevents_in_flight='12'\nstarted='1715083200'\n";
constexpr std::string_view kAnalysisd =
    "events_received='103'\nevents_processed='95'\nalerts_written='40'\narchives_written='0'\n"
    "firewall_written='7'\nstarted='1715083200'\nstream_connections='1'\nstream_frames='9'\n"
    "stream_frames_bad='0'\nstream_events='110'\nstream_events_repeated='10'\n"
    "queue_events='3'\nqueue_events_cut='0'\nown_events='1'\nevents_malformed='2'\n"
    "events_keepalive='3'\nevents_repeated='4'\nalerts_pending='5'\narchives_pending='0'\n"
    "firewall_pending='0'\noutputs_blocked='1'\n";

Machine Sample() {
  Machine machine;
  machine.collector = {"ospatrol-logcollector", true, StateText(kCollector), 1715083300};
  machine.analysisd = {"ospatrol-analysisd", false, StateText(kAnalysisd), 1715083300};
  machine.queue = {ipc::QueueFill::kRoom, 10};
  return machine;
}

const Hop& Find(const std::vector<Hop>& hops, std::string_view name) {
  for (const Hop& hop : hops) {
    if (hop.name == name) return hop;
  }
  throw std::runtime_error("no such hop");
}

TEST(StateText, TakesItsLinesAndNothingElse) {
  const StateText state("# a='1'\n\nb='2'\nc=3\nd='x'y'\ne='\n f='4'\nb='5'\n=''\n");
  EXPECT_EQ(state.Number("b"), 2u);
  EXPECT_EQ(state.Text("d"), "x'y");
  for (const char* key : {"a", "c", "e", "none"}) EXPECT_EQ(state.Text(key), "") << key;
  EXPECT_EQ(state.Number("d"), 0u);
}

TEST(FlowTable, BalancesEveryHop) {
  const std::vector<Hop> hops = Hops(Sample());
  ASSERT_EQ(hops.size(), 8u);
  for (const Hop& hop : hops) EXPECT_EQ(hop.missing, 0) << hop.name;
  EXPECT_EQ(Find(hops, "log files").queued, "77 B");
  EXPECT_EQ(Find(hops, "log files").dropped, 4u);
  EXPECT_EQ(Find(hops, "logcollector").queued, "12");
  EXPECT_EQ(Find(hops, "stream").out, 100u);
  EXPECT_EQ(Find(hops, "queue").queued, "<11");
  EXPECT_EQ(Find(hops, "analysisd").in, 104u);
  EXPECT_EQ(Find(hops, "analysisd").dropped, 9u);
  EXPECT_EQ(Find(hops, "alerts").in, 45u);
  EXPECT_THAT(Find(hops, "alerts").remark, HasSubstr("cannot be written"));
}

TEST(FlowTable, SaysWhenFiguresContradictEachOther) {
  Machine machine = Sample();
  std::string text(kAnalysisd);
  text.replace(text.find("processed='95'"), 14, "processed='99'");
  machine.analysisd.state = StateText(text);
  EXPECT_EQ(Find(Hops(machine), "analysisd").missing, -4);
  EXPECT_THAT(Render(machine, 0), HasSubstr("-4 UNACCOUNTED FOR"));
}

TEST(FlowTable, ShowsWhatTheKernelSaysOfTheQueue) {
  Machine machine = Sample();
  EXPECT_THAT(Find(Hops(machine), "queue").remark, HasSubstr("holds 10"));
  EXPECT_THAT(Find(Hops(machine), "queue").remark, HasSubstr("better 512"));
  machine.queue = {ipc::QueueFill::kFull, 512};
  EXPECT_EQ(Find(Hops(machine), "queue").queued, "full");
  EXPECT_THAT(Find(Hops(machine), "queue").remark, Not(HasSubstr("better")));
  machine.queue = {};
  EXPECT_EQ(Find(Hops(machine), "queue").queued, "-");
}

TEST(FlowTable, SaysWhichDaemonRunsAndHowOldTheFiguresAre) {
  const std::string text = Render(Sample(), 1715083310);
  EXPECT_THAT(text, HasSubstr("ospatrol-logcollector runs; counted since "));
  EXPECT_THAT(text, HasSubstr("figures of 10 s ago\n"));
  EXPECT_THAT(text, HasSubstr("ospatrol-analysisd does not run"));
}

TEST(FlowTable, LeavesOutDaemonsWithoutFiguresAndSurvivesAnyText) {
  Machine machine;
  machine.collector.name = "ospatrol-logcollector";
  EXPECT_THAT(Hops(machine), IsEmpty());
  EXPECT_THAT(Render(machine, 0), HasSubstr("no figures"));
  machine.collector.state = StateText("connection='\x1b[31m'\nlines='99999999999999999999'\n");
  EXPECT_THAT(Render(machine, 0), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace ospatrol::flow
