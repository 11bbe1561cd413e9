// Every internal option (configuration-and-operation 4 and 4.1). A new one is one row here and one
// entry in etc/internal_options.conf, which a test compares with this table.
#include "config/internal_options.h"

namespace ospatrol::config {
namespace {

constexpr std::string_view kQueueMeaning =
    "entries of this stage's queue; no effect where there is no such stage";
constexpr std::string_view kThreadMeaning =
    "threads of this stage, 0 = as many as processors; no effect where there is no such stage";

constexpr InternalOption kTable[] = {
    // --- analysisd: rules and statistics ---
    {"analysisd.default_timeframe", 360, 60, 604800, "analysisd",
     "time frame in seconds of frequency rules that give none"},
    {"analysisd.stats_maxdiff", 999000, 10, 999999, "analysisd",
     "largest allowed deviation of hourly event counts"},
    {"analysisd.stats_mindiff", 1250, 10, 999999, "analysisd",
     "smallest deviation of hourly event counts that is reported"},
    {"analysisd.stats_percent_diff", 150, 5, 9999, "analysisd",
     "reported deviation in percent of the average"},
    {"analysisd.fts_list_size", 32, 12, 512, "analysisd",
     "lines kept in memory for the first-time-seen similarity test"},
    {"analysisd.fts_min_size_for_str", 14, 6, 128, "analysisd",
     "shortest common beginning that makes two first-time-seen lines similar"},
    {"analysisd.log_fw", 1, 0, 1, "analysisd", "1 = write the firewall log"},
    {"analysisd.decoder_order_size", 256, 8, 1024, "analysisd, logtest",
     "fields that one decoder may extract"},
    {"analysisd.sid_prev_matched_max", 128, 16, 65536, "analysisd",
     "events remembered for each rule that if_matched_sid watches"},
    {"analysisd.predecode_extended", 0, 0, 1, "analysisd, logtest",
     "1 = recognise more forms of time stamps"},
    {"analysisd.overwrite_compat", 0, 0, 1, "analysisd, logtest",
     "1 = overwrite=\"yes\" keeps the parents of the first definition"},
    {"analysisd.repeat_filter", 1, 0, 1, "analysisd", "1 = drop repeated lines before the rules"},
    {"analysisd.wazuh_regex_translate", 0, 0, 1, "analysisd, logtest",
     "1 = read regular expressions of Wazuh files as those of OSSEC files"},
    {"analysisd.json_exact_numbers", 0, 0, 1, "analysisd, logtest",
     "1 = keep numbers of JSON events exactly as written"},
    {"analysisd.show_hidden_labels", 0, 0, 1, "analysisd", "1 = show labels that are hidden"},
    {"analysisd.geoip_jsonout", 0, 0, 1, "analysisd, logtest", "1 = GeoIP data in JSON alerts"},
    // --- analysisd: threads and queues ---
    {"analysisd.event_threads", 0, 0, 32, "analysisd",
     "decoding threads, 0 = as many as processors, at most 32"},
    {"analysisd.prefilter", 1, 0, 1, "analysisd, logtest",
     "1 = one search for the texts that rules require picks the rules to try; same verdicts"},
    {"analysisd.rule_matching_threads", 0, 0, 32, "analysisd", kThreadMeaning},
    {"analysisd.syscheck_threads", 0, 0, 32, "analysisd", kThreadMeaning},
    {"analysisd.rootcheck_threads", 0, 0, 32, "analysisd", kThreadMeaning},
    {"analysisd.hostinfo_threads", 0, 0, 32, "analysisd", kThreadMeaning},
    {"analysisd.input_demux_threads", 2, 1, 8, "analysisd", kThreadMeaning},
    {"analysisd.raw_input_queue_size", 16384, 128, 2000000, "analysisd", kQueueMeaning},
    {"analysisd.decode_event_queue_size", 16384, 128, 2000000, "analysisd", kQueueMeaning},
    {"analysisd.decode_syscheck_queue_size", 16384, 128, 2000000, "analysisd", kQueueMeaning},
    {"analysisd.decode_rootcheck_queue_size", 16384, 128, 2000000, "analysisd", kQueueMeaning},
    {"analysisd.decode_hostinfo_queue_size", 16384, 128, 2000000, "analysisd", kQueueMeaning},
    {"analysisd.decode_output_queue_size", 16384, 128, 2000000, "analysisd", kQueueMeaning},
    {"analysisd.alerts_queue_size", 16384, 128, 2000000, "analysisd", kQueueMeaning},
    {"analysisd.statistical_queue_size", 16384, 128, 2000000, "analysisd", kQueueMeaning},
    {"analysisd.archives_queue_size", 16384, 128, 2000000, "analysisd", kQueueMeaning},
    {"analysisd.firewall_queue_size", 16384, 128, 2000000, "analysisd", kQueueMeaning},
    {"analysisd.fts_queue_size", 16384, 128, 2000000, "analysisd", kQueueMeaning},
    {"analysisd.raw_input_push_wait_ms", 25, 0, 5000, "analysisd",
     "milliseconds to wait at the front door; never leads to a drop"},
    {"analysisd.demux_push_wait_ms", 50, 0, 5000, "analysisd",
     "milliseconds to wait for the decoders; never leads to a drop"},
    {"analysisd.shard_push_wait_ms", 75, 0, 5000, "analysisd",
     "milliseconds to wait for the rules; never leads to a drop"},
    {"analysisd.alerts_push_wait_ms", 100, 0, 5000, "analysisd",
     "milliseconds to wait for the alert writer; never leads to a drop"},
    {"analysisd.state_interval", 5, 0, 86400, "analysisd", "seconds between state files, 0 = none"},
    {"analysisd.debug", 0, 0, 2, "analysisd", "debug level"},
    // --- logcollector ---
    {"logcollector.loop_timeout", 2, 1, 120, "logcollector", "seconds between polls"},
    {"logcollector.open_attempts", 8, 2, 998, "logcollector",
     "tries to open a missing file before it is reported"},
    {"logcollector.remote_commands", 0, 0, 1, "logcollector",
     "1 = run <command> entries of agent.conf"},
    {"logcollector.debug", 0, 0, 2, "logcollector", "debug level"},
    // --- several programs ---
    {"ospatrol.thread_stack_size", 2048, 2048, 65536, "remoted, maild, monitord, authd",
     "stack of a thread in KiB (ossec.thread_stack_size is accepted, too)"},
    {"outputs.max_replay_days", 7, 0, 365, "maild, csyslogd, dbd, outputd, monitord",
     "days of alerts that are made up for after a pause"},
    // --- remoted, agentd ---
    {"remoted.recv_counter_flush", 128, 10, 999999, "remoted, agentd",
     "messages between two writes of a counter to queue/rids"},
    {"remoted.comp_average_printout", 19999, 10, 999999, "remoted, agentd",
     "messages between two compression statistics in the log"},
    {"remoted.verify_msg_id", 1, 0, 1, "remoted, agentd",
     "1 = refuse replayed messages by their counters"},
    {"remoted.pass_empty_keyfile", 0, 0, 1, "remoted", "1 = start without any agent key"},
    {"remoted.syslog_tcp_worker_pool", 16, 1, 64, "remoted",
     "concurrent senders of each syslog TCP listener"},
    {"remoted.syslog_tcp_max_tasks", 64, 1, 1024, "remoted",
     "waiting and active syslog TCP senders; more are closed"},
    {"remoted.syslog_tcp_read_timeout", 30, 1, 3600, "remoted",
     "seconds of silence before a syslog TCP sender is closed"},
    {"remoted.max_agents", 65536, 1, 1000000, "remoted, authd, tools", "soft limit of agents"},
    {"remoted.debug", 0, 0, 2, "remoted", "debug level"},
    {"agent.debug", 0, 0, 2, "agentd", "debug level"},
    {"windows.debug", 0, 0, 2, "Windows agent", "debug level"},
    // --- authd ---
    {"authd.worker_pool", 8, 1, 128, "authd", "threads that enrol agents"},
    {"authd.max_connections", 64, 1, 512, "authd", "waiting and active connections"},
    {"authd.debug", 0, 0, 2, "authd", "debug level"},
    // --- execd ---
    {"execd.max_runtime", 60, 1, 3600, "execd", "seconds that a response script may run"},
    {"execd.offender_ttl", 30, 1, 3650, "execd", "days until a repeated offender is forgotten"},
    // --- maild ---
    {"maild.strict_checking", 1, 0, 1, "maild", "1 = insist on exact replies of the mail server"},
    {"maild.groupping", 1, 0, 1, "maild", "1 = several alerts in one mail"},
    {"maild.full_subject", 0, 0, 1, "maild", "1 = subject with the rule's text"},
    {"maild.geoip", 1, 0, 1, "maild", "1 = GeoIP data in mails"},
    {"maild.max_workers", 6, 1, 32, "maild", "parallel deliveries"},
    {"maild.max_group_wait", 60, 10, 3600, "maild",
     "seconds that a mail may wait for further alerts"},
    {"maild.granular_whole_batch", 0, 0, 1, "maild",
     "1 = granular recipients get whole batches, as in old versions"},
    {"maild.thread", 0, 0, 1, "maild", "1 = thread mails by rule and host"},
    // --- monitord ---
    {"monitord.day_wait", 10, 5, 240, "monitord",
     "seconds after the change of day before logs are rotated"},
    {"monitord.compress", 1, 0, 1, "monitord", "1 = compress rotated logs"},
    {"monitord.compress_zstd", 0, 0, 1, "monitord", "1 = compress with zstd instead of gzip"},
    {"monitord.sign", 1, 0, 1, "monitord", "1 = write digests of rotated logs"},
    {"monitord.monitor_agents", 1, 0, 1, "monitord", "1 = report disconnected agents"},
    {"monitord.notify_time", 600, 60, 3600, "monitord",
     "an agent is disconnected after three times this many seconds, plus 30"},
    {"monitord.max_report_workers", 4, 1, 16, "monitord", "parallel reports"},
    {"monitord.keep_days", 0, 0, 36500, "monitord",
     "dated logs older than this many days are deleted, 0 = never"},
    {"monitord.max_archive_mb", 0, 0, 10000000, "monitord", "most MiB of dated logs, 0 = no limit"},
    {"monitord.rotate_size_mb", 0, 0, 100000, "analysisd",
     "a log is rotated at this many MiB, 0 = by day only"},
    {"monitord.rotate_own_log", 0, 0, 1, "monitord", "1 = rotate ospatrol.log daily"},
    // --- syscheckd ---
    {"syscheck.sleep", 2, 0, 64, "syscheckd", "seconds of pause after syscheck.sleep_after files"},
    {"syscheck.sleep_after", 15, 1, 9999, "syscheckd", "files between two pauses"},
    {"syscheck.send_diff", 1, 0, 1, "syscheckd", "1 = send the differences of report_changes"},
    {"syscheck.remote_commands", 0, 0, 1, "syscheckd", "1 = run prefilter_cmd of agent.conf"},
    {"syscheck.debug", 0, 0, 2, "syscheckd", "debug level"},
    {"rootcheck.sleep", 2, 0, 64, "syscheckd", "pause between processes and ports"},
    {"sca.commands_timeout", 30, 1, 300, "syscheckd", "seconds that a policy's command may run"},
    {"sca.remote_commands", 0, 0, 1, "syscheckd",
     "1 = run commands of policies that the manager sent"},
    {"sca.request_db_interval", 5, 1, 60, "syscheckd",
     "minutes; accepted for compatibility, no effect"},
    // --- outputs ---
    {"dbd.reconnect_attempts", 10, 1, 9999, "dbd", "tries to reach the database, times ten"},
    {"outputd.debug", 0, 0, 2, "outputd", "debug level"},
};

}  // namespace

std::span<const InternalOption> InternalOptionTable() { return kTable; }

}  // namespace ospatrol::config
