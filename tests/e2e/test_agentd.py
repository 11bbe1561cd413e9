"""ospatrol-agentd against an independent manager of protocol version 1 (legacy_manager.py): what arrives there, what the
agent keeps, obeys and refuses."""
import json
import os
import pwd
import random
import re
import signal
import subprocess
import time
import unittest

from harness import Installation, needs_root, read, wait_for
import legacy_peer
from legacy_manager import LegacyManager, md5, merge

KEY = "0123456789abcdef" * 4
AGENT = ("001", "web01", "any", KEY)
VECTORS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data/wire-vectors.json")


def content(path):
    with open(path, "rb") as f:
        return f.read()


class LegacyPeer(unittest.TestCase):
    def test_opens_every_acceptable_packet_of_the_vectors(self):
        with open(VECTORS, encoding="utf-8") as f:
            vectors = json.load(f)["decode_accept"]
        for vector in vectors:
            agent_id, name, _, key = vector["client_keys_line"].split(" ", 3)
            packet = bytes.fromhex(vector["packet_hex"])
            if packet.startswith(b"!"):
                packet = packet[1:].partition(b"!")[2]
            _, _, message = legacy_peer.unseal(legacy_peer.derive(agent_id, name, key), packet)
            self.assertEqual(message.hex(), vector["delivered_message_hex"], vector["id"])
        self.assertGreater(len(vectors), 10)


class AgentTest(unittest.TestCase):
    """An installed agent and a file whose lines it sends."""

    def setUp(self):
        self.agent = Installation(kind="agent", manager="127.0.0.1")
        self.addCleanup(self.agent.close)
        self.log_file = os.path.join(self.agent.root, "app.log")
        open(self.log_file, "w").close()
        self.agent.write("etc/client.keys", " ".join(AGENT) + "\n")
        self.written = 0

    def manager(self, **options):
        manager = LegacyManager([AGENT], **options)
        manager.open()
        self.addCleanup(manager.close)
        return manager

    def configure(self, port, servers=("127.0.0.1",), client="", local=""):
        self.agent.configure("""<ospatrol_config>
  <client>%s<port>%d</port><notify_time>5</notify_time><time-reconnect>60</time-reconnect>%s</client>
  <localfile><log_format>syslog</log_format><location>%s</location><read_from>beginning</read_from></localfile>
%s</ospatrol_config>
""" % ("".join("<server-ip>%s</server-ip>" % server for server in servers), port, client, self.log_file, local))

    def start(self, port, **options):
        self.configure(port, **options)
        self.agent.start()

    def log_lines(self, count):
        with open(self.log_file, "a") as f:
            for _ in range(count):
                self.written += 1
                f.write("Nov 22 10:00:00 web01 app[1]: line %d.\n" % self.written)

    def numbers(self, manager):
        """The numbers of the log lines that have arrived, in order."""
        return [int(found.group(1)) for found in
                (re.search(r"app\[1\]: line (\d+)\.", event) for event in list(manager.events)) if found]

    def wait_for_lines(self, manager, patience=60):
        wait_for(lambda: set(self.numbers(manager)) >= set(range(1, self.written + 1)),
                 "all %d lines" % self.written, patience)

    def wait_for_event(self, manager, text, patience=60):
        return wait_for(lambda: next((event for event in list(manager.events) if text in event), None),
                        "an event with " + text, patience)


@needs_root
class Channel(AgentTest):
    def test_start_keep_alive_and_events_arrive_as_the_protocol_has_them(self):
        manager = self.manager(cipher="aes")
        self.start(manager.port, client="<config-profile>web, small</config-profile>")
        started = self.wait_for_event(manager, "Agent started")
        self.assertEqual(started, "1:ossec:ossec: Agent started: 'web01->any'.")
        conf = self.wait_for_event(manager, "etc/ospatrol.conf")
        facts = os.stat(self.agent.path("etc/ospatrol.conf"))
        self.assertRegex(conf, r"^8:syscheck:%d:%d:0:%d:%s:[0-9a-f]{40} %s$" % (
            facts.st_size, facts.st_mode, facts.st_gid, md5(content(self.agent.path("etc/ospatrol.conf"))),
            self.agent.path("etc/ospatrol.conf")))
        self.wait_for_event(manager, "etc/internal_options.conf")
        self.assertEqual(manager.controls[0][1], "agent startup ")
        keep_alive = wait_for(lambda: manager.keep_alives and manager.keep_alives[0], "keep-alive")
        self.assertRegex(keep_alive, r"^Linux \S+ .* - OSPatrol v[0-9.]+\nx merged\.mg\n\n")
        self.assertLessEqual(len(keep_alive), 1020)
        wait_for(lambda: len(manager.keep_alives) >= 3, "three keep-alives five seconds apart")
        self.log_lines(500)
        self.wait_for_lines(manager)
        self.assertEqual(self.numbers(manager), list(range(1, 501)), "in order, once")
        self.assertTrue(any(event == "1:%s:Nov 22 10:00:00 web01 app[1]: line 7." % self.log_file
                            for event in manager.events))
        self.assertEqual(read(self.agent.path("queue/ospatrol/.agent_info")), "web01\n-\n001\nweb, small\n")
        self.assertEqual(manager.refused, [])
        self.assertFalse(os.path.exists(self.agent.path("queue/ospatrol/.wait")))
        self.agent.control("stop")
        self.wait_for_event(manager, "1:ossec:ossec: Agent stopped: 'web01->any'.")

    def test_cipher_falls_back_to_blowfish_and_is_remembered(self):
        manager = self.manager(cipher="blowfish")
        self.start(manager.port)
        self.wait_for_event(manager, "Agent started", patience=90)
        self.log_lines(20)
        self.wait_for_lines(manager)
        self.assertIn("cipher", manager.refused)
        manager.refused.clear()
        self.agent.kill("ospatrol-agentd")
        self.assertEqual(self.agent.run_daemon("ospatrol-agentd").returncode, 0)
        wait_for(lambda: sum("Agent started" in event for event in manager.events) >= 2, "second start")
        self.assertNotIn("cipher", manager.refused, "the cipher that worked is tried first")

    def test_execd_gets_responses_and_a_restart_restarts_the_agent(self):
        manager = self.manager()
        self.start(manager.port)
        self.wait_for_event(manager, "Agent started")
        before = self.agent.pid("ospatrol-agentd")
        manager.send(b"#!-syscheck restart")
        wait_for(lambda: os.path.exists(self.agent.path("var/run/.syscheck_run")), "request for a scan")
        manager.files = {"ar.conf": b"restart-ossec0 - restart-ospatrol.sh - 0\n"}
        wait_for(lambda: os.path.exists(self.agent.path("etc/shared/ar.conf")), "ar.conf")
        manager.send(b"#!-execd restart-ossec0 - null (from_the_server) (no_rule_id)")
        wait_for(lambda: self.agent.pid("ospatrol-agentd") not in (None, before), "another process of agentd")
        wait_for(lambda: sum("Agent started" in event for event in manager.events) >= 2, "second start")
        self.wait_for_event(manager, "Agent stopped")

    def test_next_server_is_used_and_the_first_again_when_it_is_back(self):
        first = self.manager()
        second = self.manager(host="127.0.0.2", port=first.port)
        self.agent.write("etc/local_internal_options.conf", "agent.return_time=10\n")
        self.start(first.port, servers=("127.0.0.1", "127.0.0.2"),
                   client="<repeat_unacknowledged>yes</repeat_unacknowledged>")
        self.wait_for_event(first, "Agent started")
        self.log_lines(50)
        self.wait_for_lines(first)
        confirmed = len(first.keep_alives)
        wait_for(lambda: len(first.keep_alives) > confirmed + 1, "what confirms these events")
        first.close()
        self.log_lines(50)
        wait_for(lambda: set(self.numbers(first)) | set(self.numbers(second)) >= set(range(1, 101)),
                 "all lines at one of the two", patience=120)
        self.assertFalse(any("Agent started" in event for event in second.events), "a reconnect is no start")
        first.open()
        wait_for(lambda: "answers again" in self.agent.log(), "the way back", patience=60)
        self.log_lines(50)
        wait_for(lambda: set(self.numbers(first)) >= set(range(101, 151)), "lines at the first server again")

    def test_nothing_is_lost_while_the_manager_is_away(self):
        manager = self.manager()
        self.start(manager.port, client="<repeat_unacknowledged>yes</repeat_unacknowledged>")
        self.wait_for_event(manager, "Agent started")
        for round_number in range(2):
            self.log_lines(200)
            if round_number == 0:
                manager.close()  # its host refuses
            else:
                manager.silent = True  # its host says nothing
            for _ in range(5):
                self.log_lines(100)
                time.sleep(1)
            if round_number == 0:
                manager.open()
            else:
                wait_for(lambda: self.agent.log().count("unavailable") >= 2, "that it is missed", patience=90)
                manager.silent = False
            self.wait_for_lines(manager, patience=120)
        seen = set()
        firsts = [n for n in self.numbers(manager) if not (n in seen or seen.add(n))]
        self.assertEqual(firsts, sorted(firsts), "in order")

    def test_nothing_is_lost_by_kill_9(self):
        manager = self.manager()
        self.start(manager.port)
        self.wait_for_event(manager, "Agent started")
        for _ in range(5):
            self.log_lines(300)
            time.sleep(random.uniform(0.05, 0.4))
            self.agent.kill("ospatrol-agentd", signal.SIGKILL)
            self.log_lines(100)
            self.assertEqual(self.agent.run_daemon("ospatrol-agentd").returncode, 0)
            wait_for(lambda: self.agent.pid("ospatrol-agentd"), "agentd")
            time.sleep(0.5)
        self.wait_for_lines(manager, patience=120)
        numbers = self.numbers(manager)
        print("%d lines, %d repeated" % (len(set(numbers)), len(numbers) - len(set(numbers))))
        self.assertLess(len(numbers) - len(set(numbers)), 600)

    def test_a_full_spool_stops_the_readers_and_loses_nothing(self):
        manager = self.manager()
        manager.silent = True
        self.start(manager.port, client="<spool_size>4</spool_size>")
        for _ in range(45):
            with open(self.log_file, "a") as f:
                for _ in range(1000):
                    self.written += 1
                    f.write("Nov 22 10:00:00 web01 app[1]: line %d. %s\n" % (self.written, "x" * 60))
        wait_for(lambda: os.path.exists(self.agent.path("queue/ospatrol/.wait")), "the lock of a full spool")
        used = sum(os.path.getsize(os.path.join(self.agent.path("queue/spool"), name))
                   for name in os.listdir(self.agent.path("queue/spool")))
        self.assertLess(used, 4.3 * (1 << 20))
        manager.silent = False
        self.wait_for_event(manager, "Agent spool full: waiting for the manager.", patience=120)
        self.wait_for_lines(manager, patience=240)
        wait_for(lambda: not os.path.exists(self.agent.path("queue/ospatrol/.wait")), "the end of the lock")
        self.assertEqual(len(self.numbers(manager)), self.written, "and nothing is repeated")


@needs_root
class Start(AgentTest):
    def test_it_runs_confined_as_the_table_of_programs_says(self):
        manager = self.manager()
        self.start(manager.port)
        pid = self.agent.pid("ospatrol-agentd")
        status = dict(line.split(":\t") for line in read("/proc/%d/status" % pid).splitlines() if ":\t" in line)
        self.assertEqual(set(status["Uid"].split()), {str(pwd.getpwnam("ospatrol").pw_uid)})
        self.assertEqual(os.readlink("/proc/%d/root" % pid), self.agent.prefix)
        for name in ("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0, name)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

    def test_without_a_key_or_a_server_it_says_why_and_does_not_start(self):
        self.configure(1514)
        self.agent.write("etc/client.keys", "")
        for flags in ((), ("-t",)):
            result = subprocess.run([self.agent.path("bin/ospatrol-agentd"), "-D", self.agent.prefix, *flags],
                                    capture_output=True, text=True, timeout=60)
            self.assertEqual(result.returncode, 1)
            self.assertIn("ospatrol-agentd(4109): ERROR: etc/client.keys: unable to start without auth keys", result.stderr)
        self.agent.write("etc/client.keys", " ".join(AGENT) + "\n")
        self.configure(1514, servers=())
        result = self.agent.run_daemon("ospatrol-agentd")
        self.assertEqual(result.returncode, 1)
        self.assertIn("(1215): ERROR", result.stderr)

    def test_a_new_key_is_used_without_a_restart(self):
        manager = self.manager()
        self.agent.write("etc/client.keys", "002 other any %s\n" % ("f" * 64))
        self.start(manager.port)
        wait_for(lambda: "unknown agent" in manager.refused, "a packet with the old key")
        self.agent.write("etc/client.keys", " ".join(AGENT) + "\n")
        self.wait_for_event(manager, "Agent started: 'web01->any'")


@needs_root
class SharedFiles(AgentTest):
    CONF = b"<agent_config name=\"web01\"><localfile><log_format>syslog</log_format><location>%s</location>" \
           b"</localfile></agent_config>\n"

    def test_files_are_received_used_and_restored_when_somebody_changes_them(self):
        manager = self.manager()
        central = os.path.join(self.agent.root, "central.log")
        open(central, "w").close()
        other = b"<agent_config name=\"db\"><localfile><log_format>syslog</log_format>" \
                b"<location>/nowhere</location></localfile></agent_config>\n"
        manager.files = {"agent.conf": self.CONF % central.encode() + other, "ar.conf": b"x0 - x.sh - 0\n",
                         "big.txt": bytes(random.choices(b"abc \n#!-", k=200_000))}
        self.start(manager.port)
        shared = self.agent.path("etc/shared/")
        wait_for(lambda: os.path.exists(shared + "merged.mg"), "merged.mg")
        for name, expected in manager.files.items():
            self.assertEqual(content(shared + name), expected, name)
        said = md5(merge(manager.files)) + " merged.mg\n"
        wait_for(lambda: said in manager.keep_alives[-1], "the new sum in a keep-alive")
        self.assertIn(" / " + md5(manager.files["agent.conf"]) + "\n", manager.keep_alives[-1])
        self.agent.control("restart")
        wait_for(lambda: central in self.agent.log(), "the file of agent.conf being read")
        self.assertNotIn("/nowhere", self.agent.log())
        with open(central, "a") as f:
            f.write("from the central configuration\n")
        self.wait_for_event(manager, "from the central configuration")

        with open(shared + "agent.conf", "a") as f:
            f.write("<!-- changed here -->\n")
        event = self.wait_for_event(manager, "Agent file changed locally: 'etc/shared/agent.conf'")
        self.assertEqual(event, "1:ossec:ossec: Agent file changed locally: 'etc/shared/agent.conf' modified; restored.")
        self.assertEqual(content(shared + "agent.conf"), manager.files["agent.conf"])
        os.remove(shared + "ar.conf")
        self.wait_for_event(manager, "'etc/shared/ar.conf' removed; restored.")
        self.assertEqual(content(shared + "ar.conf"), manager.files["ar.conf"])
        with open(self.agent.path("etc/ospatrol.conf"), "a") as f:
            f.write("<!-- changed here -->\n")
        self.wait_for_event(manager, "'etc/ospatrol.conf' modified by user 'root'.")
        self.assertIn("changed here", read(self.agent.path("etc/ospatrol.conf")), "it is the administrator's file")
        pushes = manager.pushes
        time.sleep(6)
        self.assertEqual(manager.pushes, pushes, "nothing is asked for again")

    def test_what_is_wrong_is_refused_with_a_reason_and_the_old_files_stay(self):
        manager = self.manager()
        good = self.CONF % b"/var/log/syslog"
        manager.files = {"agent.conf": good}
        self.start(manager.port)
        shared = self.agent.path("etc/shared/")
        wait_for(lambda: os.path.exists(shared + "agent.conf"), "agent.conf")
        manager.files = {"agent.conf": b"<agent_config>\n  <localfile>\n</agent_config>\n"}
        event = self.wait_for_event(manager, "Shared files of the manager refused")
        self.assertIn("agent.conf:", event)
        self.assertEqual(content(shared + "agent.conf"), good)
        pushes = manager.pushes
        time.sleep(8)
        self.assertLessEqual(manager.pushes, pushes, "it is not sent again and again")
        # Entries that would leave the directory, and one that is cut.
        manager.files = {}
        agent = manager.agents["001"]
        manager.push(agent, "merged.mg", b"!4 ../evil\nevil!3 ok\nyes")
        wait_for(lambda: os.path.exists(shared + "ok"), "the good entry")
        self.assertFalse(os.path.exists(self.agent.path("etc/evil")))
        manager.push(agent, "merged.mg", b"!400 cut\nshort")
        manager.push(agent, "../../evil", b"evil")
        manager.send(b"#!-up file %s merged.mg\n" % (b"0" * 32))
        manager.send(b"!2 bad\nno")
        manager.send(b"#!-close file ")
        wait_for(lambda: "sum is wrong" in self.agent.log(), "a line about the wrong sum")
        self.assertFalse(os.path.exists(shared + "bad") or os.path.exists(shared + "cut"))
        self.log_lines(10)
        self.wait_for_lines(manager)


@needs_root
class Hostile(AgentTest):
    def cpu(self):
        with open("/proc/%d/stat" % self.agent.pid("ospatrol-agentd")) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_garbage_and_lies_cost_neither_the_daemon_nor_the_processor(self):
        manager = self.manager()
        self.start(manager.port)
        self.wait_for_event(manager, "Agent started")
        before, log_before, begin = self.cpu(), len(self.agent.log()), time.monotonic()
        good = legacy_peer.seal(manager.agents["001"].secret, "aes", (1, 1), b"#!-agent ack ")
        for number in range(20000):
            kind = number % 5
            if kind == 0:
                manager.send_raw(os.urandom(random.randrange(1, 1400)))
            elif kind == 1:
                manager.send_raw(b"#AES:" + os.urandom(16 * random.randrange(1, 60)))
            elif kind == 2:
                broken = bytearray(good)
                broken[random.randrange(len(broken))] ^= 1 << random.randrange(8)
                manager.send_raw(bytes(broken))
            elif kind == 3:
                manager.send_raw(b":" + os.urandom(8 * random.randrange(0, 60)))
            else:
                manager.send_raw(b"\xf2\x02" + os.urandom(random.randrange(0, 1300)))
        for text in (b"#!-up file", b"#!-up file x\n", b"#!-execd", b"#!-close file ", b"#!-nonsense", b"content", b"#!-"):
            manager.send(text)
        time.sleep(3)
        elapsed = time.monotonic() - begin
        used = self.cpu() - before
        print("20,000 bad datagrams in %.1f s: %.2f s of processor time" % (elapsed, used))
        self.assertLess(used, 0.2 * elapsed + 0.5)
        self.assertLess(len(self.agent.log()) - log_before, 8000)
        self.log_lines(50)
        self.wait_for_lines(manager, patience=120)

    def test_a_manager_that_was_never_there_costs_nothing(self):
        self.start(9)  # discard: nobody listens
        wait_for(lambda: "Waiting for server reply" in self.agent.log(), "the line that it waits", patience=60)
        before = self.cpu()
        time.sleep(10)
        self.assertLess(self.cpu() - before, 0.1)
        self.log_lines(1000)
        wait_for(lambda: os.path.getsize(os.path.join(self.agent.path("queue/spool"),
                                                      sorted(os.listdir(self.agent.path("queue/spool")))[-1])) > 60000,
                 "the lines in the spool")

    def test_idle_it_is_small(self):
        manager = self.manager()
        self.start(manager.port)
        self.wait_for_event(manager, "Agent started")
        self.log_lines(100)
        self.wait_for_lines(manager)
        time.sleep(2)
        before = self.cpu()
        time.sleep(20)
        status = dict(line.split(":\t") for line in read("/proc/%d/status" % self.agent.pid("ospatrol-agentd"))
                      .splitlines() if ":\t" in line)
        print("RssAnon %s, RssFile %s, processor %.3f s in 20 s" % (
            status["RssAnon"].strip(), status["RssFile"].strip(), self.cpu() - before))
        self.assertLess(int(status["RssAnon"].split()[0]), 6 * 1024)


if __name__ == "__main__":
    unittest.main()
