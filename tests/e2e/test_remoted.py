"""remoted against agents of version 1 that share no code with it (legacy_agent.py), and plain syslog senders."""
import contextlib
import hashlib
import os
import pwd
import re
import signal
import socket
import sqlite3
import time
import unittest

from harness import Installation, free_port, local_configuration, needs_root, read, wait_for
from legacy_agent import LegacyAgent, split

KEY = "0123456789abcdef" * 4


def key_of(number):
    return hashlib.sha256(b"%d" % number).hexdigest()


class Manager:
    """A server installation that archives every event."""

    def __init__(self, keys, extra="", address="", port=0):
        self.port, self.syslog_udp, self.syslog_tcp = port or free_port(), free_port(), free_port()
        self.ospatrol = Installation(kind="server")
        self.ospatrol.configure(local_configuration(extra="""
  <global><logall>yes</logall></global>
  <remote><connection>secure</connection><port>%d</port>%s</remote>
  <remote><connection>syslog</connection><port>%d</port><allowed-ips>127.0.0.1</allowed-ips><allowed-ips>::1</allowed-ips>
    <denied-ips>127.0.0.9</denied-ips></remote>
  <remote><connection>syslog</connection><protocol>tcp</protocol><port>%d</port></remote>
%s""" % (self.port, "<local_ip>%s</local_ip>" % address if address else "", self.syslog_udp, self.syslog_tcp, extra)))
        self.set_keys(keys)
        self.ospatrol.start()

    def set_keys(self, keys):
        """keys: lines of client.keys. Renamed into place, as the tools do it."""
        path = self.ospatrol.path("etc/client.keys")
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write("".join(line + "\n" for line in keys))
        os.chown(path + ".new", 0, os.stat(self.ospatrol.path("etc")).st_gid)
        os.chmod(path + ".new", 0o640)
        os.rename(path + ".new", path)

    def archives(self):
        return read(self.ospatrol.path("logs/archives/archives.log"))

    def wait_for_event(self, text):
        wait_for(lambda: text in self.archives(), "'%s' in the archives; the log:\n%s" % (text, self.ospatrol.log()[-2000:]))

    def wait_for_log(self, text):
        wait_for(lambda: text in self.ospatrol.log(), "'%s' in the log" % text)

    def request(self, text):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(text.encode() + b"\0", self.ospatrol.path("queue/alerts/ar"))

    def restart_remoted(self, number=signal.SIGTERM):
        self.ospatrol.kill("ospatrol-remoted", number)
        result = self.ospatrol.run_daemon("ospatrol-remoted")
        if result.returncode != 0:
            raise AssertionError(result.stderr)

    def agent(self, number, name, host="127.0.0.1", **options):
        return LegacyAgent("%03d" % number, name, key_of(number), (host, self.port), **options)

    def close(self):
        self.ospatrol.close()


@needs_root
class Remoted(unittest.TestCase):
    """One manager for all tests; each test has agents of its own."""

    @classmethod
    def setUpClass(cls):
        cls.keys = ["%03d agent%d any %s" % (number, number, key_of(number)) for number in range(1, 40)]
        cls.keys.append("040 local 127.0.0.3 " + key_of(40))
        cls.keys.append("041 six ::1 " + key_of(41))
        cls.manager = Manager(cls.keys)

    @classmethod
    def tearDownClass(cls):
        cls.manager.close()

    def test_runs_confined(self):
        pid = self.manager.ospatrol.pid("ospatrol-remoted")
        with open("/proc/%d/status" % pid, encoding="utf-8") as f:
            facts = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        self.assertEqual(facts["Uid"].split(), [str(pwd.getpwnam("ospatrolr").pw_uid)] * 4)
        self.assertEqual(os.readlink("/proc/%d/root" % pid), self.manager.ospatrol.prefix)
        self.assertEqual([int(facts[key], 16) for key in ("CapPrm", "CapEff", "CapBnd")], [0, 0, 0])
        self.assertEqual(facts["NoNewPrivs"], "1")

    def test_acknowledges_the_start_in_the_agents_cipher(self):
        for number, cipher in ((1, "aes"), (2, "blowfish")):
            with self.manager.agent(number, "agent%d" % number, cipher=cipher) as agent:
                agent.start_up()
                self.assertEqual(set(agent.answer_ciphers), {cipher})

    def test_delivers_events_and_names_their_agent(self):
        with self.manager.agent(3, "agent3") as agent:
            agent.start_up()
            agent.send_event("1:/var/log/e2e.log:delivered 3")
            self.manager.wait_for_event("(agent3) any->/var/log/e2e.log delivered 3")

    def test_an_event_of_an_agent_raises_an_alert(self):
        with self.manager.agent(4, "agent4", cipher="blowfish") as agent:
            agent.start_up()
            agent.send_event("1:/var/log/auth.log:Mar  1 00:00:00 host4 sshd[77]: Failed password for root from "
                             "203.0.113.9 port 22 ssh2")
            wait_for(lambda: any("(agent4)" in a.get("location", "") for a in self.manager.ospatrol.alerts()), "the alert")
            agent.send_event("1:ossec:ossec: Agent started: 'agent4->any'.")
            wait_for(lambda: any("Agent started: 'agent4" in a.get("full_log", "") for a in self.manager.ospatrol.alerts()),
                     "the alert of the start")

    def test_answers_in_the_cipher_of_the_last_packet(self):
        with self.manager.agent(5, "agent5", cipher="blowfish") as agent:
            agent.start_up()
            agent.cipher = "aes"
            agent.keep_alive()
            agent.receive_until(lambda: agent.answer_ciphers[-1] == "aes")

    def test_writes_agent_info(self):
        path = self.manager.ospatrol.path("queue/agent-info/agent6-any")
        with self.manager.agent(6, "agent6") as agent:
            agent.start_up()
            agent.agent_conf_md5 = "0" * 32
            agent.keep_alive()
            wait_for(lambda: "crypto_method:" in read(path), "agent-info")
            self.assertEqual(read(path).split("\n")[:3],
                             [agent.uname + " / " + "0" * 32, "crypto_method:aes", "merged_sum:x"])
            os.utime(path, (1, 1))
            agent.keep_alive()
            wait_for(lambda: os.stat(path).st_mtime > 1000, "new time of agent-info")

    def test_sends_the_shared_files_and_their_changes(self):
        big = "".join("  <localfile><log_format>syslog</log_format><location>/var/log/%d</location></localfile>\n" % number
                      for number in range(200))
        self.manager.ospatrol.write("etc/shared/notes.txt", "#!-agent ack \n" * 200)
        self.manager.ospatrol.write("etc/shared/agent.conf", "<agent_config>\n%s</agent_config>\n" % big)
        with self.manager.agent(7, "agent7") as agent, self.manager.agent(8, "agent8", cipher="blowfish") as other:
            for one in (agent, other):
                one.start_up()
                one.keep_alive()

            def have(one, name, text):
                return one.merged is not None and text in split(one.merged).get(name, b"")
            for one in (agent, other):
                one.receive_until(lambda: have(one, "agent.conf", b"/var/log/199<"))
                self.assertLessEqual(one.largest, 1024)
                self.assertEqual(split(one.merged)["notes.txt"], b"#!-agent ack \n" * 200)
                self.assertIn(b"restart-ossec0", split(one.merged)["ar.conf"])
                one.keep_alive()
            # Without another word of the agents.
            self.manager.ospatrol.write("etc/shared/agent.conf", "<agent_config>\n<!-- changed -->\n</agent_config>\n")
            agent.receive_until(lambda: have(agent, "agent.conf", b"changed"))
            # One that does not parse stays at home.
            self.manager.ospatrol.write("etc/shared/agent.conf", "<agent_config>\n<broken>\n")
            self.manager.wait_for_log("Agents keep the version before")
            agent.keep_alive()
            agent.receive(2)
            self.assertIn(b"changed", split(agent.merged)["agent.conf"])

    def test_sends_single_files_to_agents_that_know_no_merged_one(self):
        with self.manager.agent(9, "agent9") as agent:
            agent.start_up()
            agent.send("#!-%s\nx agent.conf\n" % agent.uname)
            agent.receive_until(lambda: "ar.conf" in agent.files)
            self.assertIn(b"restart-ossec0", agent.files["ar.conf"])

    def test_relays_requests(self):
        with self.manager.agent(10, "agent10") as agent, self.manager.agent(11, "agent11") as other:
            agent.start_up()
            other.start_up()
            self.manager.request("(msg_to_agent) [] NNS 010 restart-ossec0 - null (from_the_server) (no_rule_id)")
            agent.receive_until(lambda: agent.commands)
            self.assertEqual(agent.commands, ["execd restart-ossec0 - null (from_the_server) (no_rule_id)"])
            self.manager.request("(agent10) any->C:\\Program Files\\x.log NRN (null) host-deny600 - 203.0.113.9 1.2 5712 x -")
            agent.receive_until(lambda: len(agent.commands) == 2)
            self.assertEqual(agent.commands[1], "execd host-deny600 - 203.0.113.9 1.2 5712 x -")
            self.manager.request("(msg_to_agent) [] A!N (null) syscheck restart")
            for one in (agent, other):
                one.receive_until(lambda: "syscheck restart" in one.commands)

    def test_keeps_a_request_for_an_agent_that_is_about_to_come(self):
        self.manager.request("(msg_to_agent) [] NNS 012 restart-ossec0 - null (from_the_server) (no_rule_id)")
        time.sleep(0.5)
        with self.manager.agent(12, "agent12") as agent:
            agent.start_up()
            agent.receive_until(lambda: agent.commands)

    def test_refuses_requests_it_cannot_read(self):
        self.manager.request("nonsense")
        self.manager.wait_for_log("(1310)")
        self.manager.request("(msg_to_agent) [] NNS 999 restart-ossec0 - null")
        self.manager.wait_for_log("(1320): ERROR: Agent '999' not found.")

    def test_refuses_unknown_agents_without_an_answer(self):
        with LegacyAgent("777", "ghost", KEY, ("127.0.0.1", self.manager.port)) as agent:
            agent.send("#!-agent startup ")
            self.manager.wait_for_log("(1408): ERROR: Invalid ID 777 for the source ip: '127.0.0.1'.")
            self.assertFalse(agent.receive(0.3))

    def test_refuses_a_replayed_packet(self):
        with self.manager.agent(13, "agent13") as agent:
            agent.start_up()
            packet = agent.packet("1:/var/log/e2e.log:replayed 13")
            agent.send_raw(packet)
            self.manager.wait_for_event("replayed 13")
            agent.send_raw(packet)
            self.manager.wait_for_log("(1407): ERROR: Duplicated counter for 'agent13'.")
            agent.send_event("1:/var/log/e2e.log:after 13")
            self.manager.wait_for_event("after 13")
            self.assertEqual(self.manager.archives().count("replayed 13"), 1)

    def test_takes_packets_that_overtook_each_other(self):
        with self.manager.agent(14, "agent14") as agent:
            agent.start_up()
            packets = [agent.packet("1:/var/log/e2e.log:overtaken 14 %d." % number) for number in range(30)]
            for packet in reversed(packets):
                agent.send_raw(packet)
            for number in range(30):
                self.manager.wait_for_event("overtaken 14 %d." % number)

    def test_survives_packets_of_every_length_and_says_little(self):
        before, began = self.manager.ospatrol.log().count("\n"), time.monotonic()
        with self.manager.agent(15, "agent15") as agent:
            agent.start_up()
            good = agent.packet("1:/var/log/e2e.log:" + "x" * 2000)
            for length in range(0, 1500):
                for start in (b":", b"#AES:", b"!015!:", b"!015!#AES:", b"!", b"!!", b"\xf2\x02", b"\xf2\x02\x01", b"\xf2\x02\x04",
                              b"\xf2", b""):
                    agent.send_raw((start + os.urandom(1500))[:length])
                agent.send_raw(good[:length])
            agent.send_raw(b":" * 9000)
            # What is answered to this comes behind all else. (A flood may drown it.)
            others = agent.receive_others_until(lambda: "ospatrol offer v2\n" in agent.commands,
                                                lambda: agent.keep_alive(capabilities="ospatrol-caps: v2\n"))
            self.assertEqual([answer for answer in others if answer[0] != 0xF2 or len(answer) > 64], [],
                             "an answer to garbage that is not a short one of version 2")
        minutes = 1 + int(time.monotonic() - began) // 60
        self.assertLess(self.manager.ospatrol.log().count("\n") - before, 40 * minutes)

    def test_takes_keys_while_running(self):
        with self.manager.agent(50, "late") as agent, self.manager.agent(16, "agent16") as other:
            other.start_up()
            for _ in range(20):
                self.manager.set_keys(self.keys + ["050 late any " + key_of(50)])
                agent.send("#!-agent startup ")  # at once: it waits for the keys to be read, but not for long
                self.wait_for_keys(len(self.keys) + 1)
                answered = agent.receive(2)
                other.keep_alive()
                acknowledged = other.acknowledgements
                other.receive_until(lambda: other.acknowledgements > acknowledged)
                self.manager.set_keys(self.keys)
                self.wait_for_keys(len(self.keys))
                agent.send("#!-agent startup ")
                self.assertFalse(agent.receive(1.5))
                if answered:
                    break
            self.assertTrue(answered)
            other.keep_alive()
            acknowledged = other.acknowledgements
            other.receive_until(lambda: other.acknowledgements > acknowledged)

    def wait_for_keys(self, count):
        wait_for(lambda: "%d agents" % count in self.manager.ospatrol.log().rsplit("(1410)", 1)[1], "%d keys" % count)

    def test_answers_from_the_address_that_was_used(self):
        with self.manager.agent(17, "agent17", host="127.0.0.2") as agent:
            agent.start_up()  # its socket takes datagrams of 127.0.0.2 only
        with LegacyAgent("041", "six", key_of(41), ("::1", self.manager.port), with_id=False) as agent:
            agent.start_up()
            agent.send_event("1:/var/log/e2e.log:over six")
            self.manager.wait_for_event("(six) ::1->/var/log/e2e.log over six")

    def test_knows_single_hosts_by_their_address(self):
        with LegacyAgent("040", "local", key_of(40), ("127.0.0.1", self.manager.port), with_id=False,
                         source="127.0.0.3") as agent:
            agent.start_up()
            agent.send_event("1:/var/log/e2e.log:by address")
            self.manager.wait_for_event("(local) 127.0.0.3->/var/log/e2e.log by address")
        with LegacyAgent("040", "local", key_of(40), ("127.0.0.1", self.manager.port), with_id=False,
                         source="127.0.0.4") as agent:
            agent.send("#!-agent startup ")
            self.manager.wait_for_log("(1213): WARN: Message from '127.0.0.4' not allowed.")

    def test_takes_syslog_over_udp_from_those_who_may(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<13>Mar  1 00:00:00 router kernel: syslog udp\n", ("127.0.0.1", self.manager.syslog_udp))
            self.manager.wait_for_event("127.0.0.1 Mar  1 00:00:00 router kernel: syslog udp")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind(("127.0.0.9", 0))
            sender.sendto(b"<13>not for us", ("127.0.0.1", self.manager.syslog_udp))
            self.manager.wait_for_log("(1213): WARN: Message from '127.0.0.9' not allowed.")
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<13>syslog over six", ("::1", self.manager.syslog_udp))
            self.manager.wait_for_event("::1 syslog over six")

    def test_takes_syslog_over_tcp_in_lines_and_counted(self):
        with socket.create_connection(("127.0.0.1", self.manager.syslog_tcp)) as sender:
            for piece in (b"<13>tcp li", b"ne one\n<13>tcp line two\n", b"<13>tcp line three"):
                sender.sendall(piece)
                time.sleep(0.05)
        with socket.create_connection(("127.0.0.1", self.manager.syslog_tcp)) as sender:
            messages = [b"<13>counted one", b"<13>counted two"]
            sender.sendall(b"".join(b"%d %s" % (len(message), message) for message in messages))
        for text in ("tcp line one", "tcp line two", "tcp line three", "counted one", "counted two"):
            self.manager.wait_for_event("127.0.0.1 " + text)

    def test_refuses_version_1_for_agents_of_version_2(self):
        with self.manager.agent(18, "agent18") as agent:
            agent.start_up()
            times = self.manager.ospatrol.log().count("(1410)")
            self.manager.ospatrol.write("etc/v2-only", "# ids\n018\n")
            self.addCleanup(os.remove, self.manager.ospatrol.path("etc/v2-only"))
            wait_for(lambda: self.manager.ospatrol.log().count("(1410)") > times, "the list being read")
            agent.send_event("1:/var/log/e2e.log:refused 18")
            self.manager.wait_for_log("Rejected AES message from '127.0.0.1' (policy: v2 only)")
            self.assertNotIn("refused 18", self.manager.archives())

    def test_offers_version_2_to_those_who_know_it(self):
        with self.manager.agent(19, "agent19") as agent:
            agent.start_up()
            agent.keep_alive(capabilities="ospatrol-caps: v2\n")
            agent.receive_until(lambda: agent.commands)
            self.assertEqual(agent.commands, ["ospatrol offer v2\n"])

    def test_many_agents_behind_one_address(self):
        with contextlib.ExitStack() as stack:
            agents = [stack.enter_context(self.manager.agent(number, "agent%d" % number)) for number in range(20, 38)]
            for agent in agents:
                agent.send("#!-agent startup ")
            for agent in agents:
                agent.receive_until(lambda: agent.acknowledgements == 1)
                agent.send_event("1:/var/log/e2e.log:behind one address " + agent.name)
            for agent in agents:
                self.manager.wait_for_event("(%s) any->/var/log/e2e.log behind one address %s" % (agent.name, agent.name))


@needs_root
class Restarts(unittest.TestCase):
    def setUp(self):
        self.manager = Manager(["001 agent1 any " + key_of(1)])
        self.addCleanup(self.manager.close)

    def stored_counter(self, number):
        database = self.manager.ospatrol.path("queue/rids/state.db")
        with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % database, uri=True)) as connection:
            row = connection.execute("SELECT global, local FROM receive_window WHERE peer = ?", (number,)).fetchone()
        return row or (0, 0)

    def test_neither_restart_nor_kill_lets_old_packets_in(self):
        with self.manager.agent(1, "agent1") as agent:
            agent.start_up()
            old = []
            for round_number, number in enumerate((signal.SIGTERM, signal.SIGKILL)):
                text = "before restart %d." % round_number
                packet = agent.packet("1:/var/log/e2e.log:" + text)
                agent.send_raw(packet)
                self.manager.wait_for_event(text)
                old.append(packet)
                wait_for(lambda: self.stored_counter("001") >= agent.counter, "the window on disk, as once a second")
                self.manager.restart_remoted(number)
                for one in old:
                    agent.send_raw(one)
                agent.send_event("1:/var/log/e2e.log:after restart %d." % round_number)
                self.manager.wait_for_event("after restart %d." % round_number)
                # The manager's own counters rise over both: the agent would refuse the answer otherwise.
                agent.keep_alive()
                acknowledged = agent.acknowledgements
                agent.receive_until(lambda: agent.acknowledgements > acknowledged)
            for round_number in range(2):
                self.assertEqual(self.manager.archives().count("before restart %d." % round_number), 1)
            self.manager.wait_for_log("(1407)")

    def test_knows_after_a_restart_where_its_agents_are(self):
        with self.manager.agent(1, "agent1") as agent:
            agent.start_up()
            agent.keep_alive()
            agent.receive_until(lambda: agent.acknowledgements == 2)
            self.manager.restart_remoted()
            self.manager.request("(msg_to_agent) [] NNS 001 restart-ossec0 - null (from_the_server) (no_rule_id)")
            agent.receive_until(lambda: agent.commands)

    def test_an_agent_with_lost_counters_is_let_in_after_its_file_was_deleted(self):
        with self.manager.agent(1, "agent1") as agent:
            agent.counter = (500, 7)
            agent.start_up()
            path = self.manager.ospatrol.path("queue/rids/001")
            wait_for(lambda: os.path.exists(path), "the file of the counter")
            agent.counter = (0, 0)
            agent.send_event("1:/var/log/e2e.log:too old")
            self.manager.wait_for_log("(1407)")
            os.remove(path)
            self.manager.wait_for_log("start anew")
            agent.counter = (0, 5)
            agent.send_event("1:/var/log/e2e.log:let in again")
            self.manager.wait_for_event("let in again")
            self.assertNotIn("too old", self.manager.archives())

    def test_events_wait_while_the_analysis_is_away(self):
        with self.manager.agent(1, "agent1") as agent:
            agent.start_up()
            self.manager.ospatrol.kill("ospatrol-analysisd", signal.SIGTERM)
            for number in range(200):
                agent.send_event("1:/var/log/e2e.log:waited %d." % number)
            agent.keep_alive()
            agent.receive_until(lambda: agent.acknowledgements == 2)
            self.manager.ospatrol.run_daemon("ospatrol-analysisd")
            for number in (0, 100, 199):
                self.manager.wait_for_event("waited %d." % number)
            waited = re.findall(r"waited (\d+)\.", self.manager.archives())
            self.assertEqual(waited, [str(number) for number in range(200)])

    def test_reload_changes_the_policy(self):
        with self.manager.agent(1, "agent1") as agent:
            agent.start_up()
            path = self.manager.ospatrol.path("etc/ospatrol.conf")
            text = read(path).replace("<connection>secure</connection>",
                                      "<connection>secure</connection><crypto_accept>blowfish</crypto_accept>")
            self.manager.ospatrol.configure(text)
            os.kill(self.manager.ospatrol.pid("ospatrol-remoted"), signal.SIGHUP)
            self.manager.wait_for_log("Configuration")
            wait_for(lambda: agent.send_event("1:/var/log/e2e.log:x") or "(policy: Blowfish only)" in self.manager.ospatrol.log(),
                     "the refusal")
            agent.cipher = "blowfish"
            agent.send_event("1:/var/log/e2e.log:with blowfish")
            self.manager.wait_for_event("with blowfish")


@needs_root
class Sessions(unittest.TestCase):
    """Our own agent: version 2."""

    def setUp(self):
        self.manager = Manager(["001 host1 any " + key_of(1)])
        self.addCleanup(self.manager.close)
        self.agent = Installation(kind="agent", manager="127.0.0.1")
        self.addCleanup(self.agent.close)
        self.file = os.path.join(self.agent.root, "app.log")
        open(self.file, "w", encoding="utf-8").close()
        self.agent.configure("""<ospatrol_config>
  <client><server-ip>127.0.0.1</server-ip><port>%d</port></client>
  <localfile><log_format>syslog</log_format><location>%s</location><read_from>beginning</read_from></localfile>
</ospatrol_config>""" % (self.manager.port, self.file))
        self.agent.write("etc/client.keys", "001 host1 any %s\n" % key_of(1))
        self.agent.start()

    def say(self, first, count):
        with open(self.file, "a", encoding="utf-8") as f:
            f.write("".join("Mar  1 00:00:00 host1 app: line %d.\n" % number for number in range(first, first + count)))

    def heard(self, first, count):
        numbers = [int(number) for number in re.findall(r"line (\d+)\.", self.manager.archives())]
        return [number for number in numbers if first <= number < first + count]

    def assert_arrives(self, first, count):
        self.manager.wait_for_event("line %d." % (first + count - 1))
        self.assertEqual(self.heard(first, count), list(range(first, first + count)))

    def info(self):
        return read(self.manager.ospatrol.path("queue/agent-info/host1-any"))

    def test_carries_events_once_and_in_order_over_restarts_and_kills(self):
        self.say(0, 1000)
        self.assert_arrives(0, 1000)
        wait_for(lambda: "crypto_method:v2\n" in self.info(), "a session of version 2")
        for number, how in ((1, signal.SIGTERM), (2, signal.SIGKILL)):
            self.manager.restart_remoted(how)
            self.say(number * 10000, 500)
            self.assert_arrives(number * 10000, 500)
        self.manager.ospatrol.kill("ospatrol-analysisd", signal.SIGTERM)
        self.say(30000, 500)
        self.manager.ospatrol.run_daemon("ospatrol-analysisd")
        self.assert_arrives(30000, 500)

    def test_carries_requests_and_shared_files(self):
        wait_for(lambda: "crypto_method:v2\n" in self.info(), "a session of version 2")
        wait_for(lambda: "restart-ossec0" in read(self.agent.path("etc/shared/ar.conf")), "the shared files")
        self.manager.ospatrol.write("etc/shared/agent.conf", "<agent_config>\n<!-- new -->\n</agent_config>\n")
        wait_for(lambda: "new" in read(self.agent.path("etc/shared/agent.conf")), "the changed file")
        self.manager.request("(msg_to_agent) [] N!S 001 syscheck restart")
        wait_for(lambda: os.path.exists(self.agent.path("var/run/.syscheck_run")), "the request")


@needs_root
class Farewell(unittest.TestCase):
    """A manager that stops in order, or that loses an agent's key, says so: no agent waits for a time-out (20 s and more)."""

    def test_agents_go_to_the_next_manager_at_once(self):
        port = free_port()
        first, second = (Manager(["001 host1 any " + key_of(1)], address=address, port=port)
                         for address in ("127.0.0.1", "127.0.0.2"))
        self.addCleanup(first.close)
        self.addCleanup(second.close)
        agent = Installation(kind="agent", manager="127.0.0.1")
        self.addCleanup(agent.close)
        file = os.path.join(agent.root, "app.log")
        open(file, "w", encoding="utf-8").close()
        agent.configure("""<ospatrol_config>
  <client><server-ip>127.0.0.1</server-ip><server-ip>127.0.0.2</server-ip><port>%d</port><protocol>v2</protocol></client>
  <localfile><log_format>syslog</log_format><location>%s</location><read_from>beginning</read_from></localfile>
</ospatrol_config>""" % (port, file))
        agent.write("etc/client.keys", "001 host1 any %s\n" % key_of(1))
        agent.start()

        def say(number):
            with open(file, "a", encoding="utf-8") as f:
                f.write("Mar  1 00:00:00 host1 app: line %d.\n" % number)

        def wait_for_agent(text):
            wait_for(lambda: text in agent.log(), "'%s'; the log:\n%s" % (text, agent.log()[-2000:]))

        say(1)
        first.wait_for_event("line 1.")
        first.ospatrol.kill("ospatrol-remoted", signal.SIGTERM)
        wait_for_agent("closed the session: the manager stops")
        say(2)
        second.wait_for_event("line 2.")
        self.assertNotIn("line 1.", second.archives())
        second.set_keys(["002 host2 any " + key_of(2)])
        wait_for_agent("closed the session: the key was removed")
        self.assertNotIn("unavailable", agent.log(), "it was told, it has not waited in vain")


if __name__ == "__main__":
    unittest.main()
