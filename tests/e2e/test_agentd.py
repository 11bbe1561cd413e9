"""ospatrol-agentd against an independent manager of protocol version 1 (legacy_manager.py): what arrives there, and what
the agent keeps while nobody takes it."""
import json
import os
import random
import signal
import time
import unittest

from agent_test import AgentTest, content
from harness import needs_root, read, wait_for
import legacy_peer
from legacy_manager import md5

VECTORS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data/wire-vectors.json")


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
        self.wait_for_event(manager, "Agent started")
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
                 "all lines at one of the two")
        self.assertFalse(any("Agent started" in event for event in second.events), "a reconnect is no start")
        first.open()
        wait_for(lambda: "answers again" in self.agent.log(), "the way back")
        self.log_lines(50)
        wait_for(lambda: set(self.numbers(first)) >= set(range(101, 151)), "lines at the first server again")

    def test_nothing_is_lost_while_the_manager_is_away(self):
        manager = self.manager()
        self.start(manager.port, client="<repeat_unacknowledged>yes</repeat_unacknowledged>")
        self.wait_for_event(manager, "Agent started")
        for round_number in range(2):
            missed = self.agent.log().count("unavailable")
            self.log_lines(200)
            if round_number == 0:
                manager.close()  # its host refuses
            else:
                manager.silent = True  # its host says nothing
            for _ in range(5):
                self.log_lines(100)
                time.sleep(1)
            wait_for(lambda: self.agent.log().count("unavailable") > missed, "that it is missed")
            if round_number == 0:
                manager.open()
            else:
                manager.silent = False
            self.wait_for_lines(manager)
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
        self.wait_for_lines(manager)
        numbers = self.numbers(manager)
        print("%d lines, %d repeated" % (len(set(numbers)), len(numbers) - len(set(numbers))))
        # Each time at most what is sent before the next note of what has been sent.
        self.assertLessEqual(len(numbers) - len(set(numbers)), 5 * 256)

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
        self.wait_for_event(manager, "Agent spool full: waiting for the manager.")
        self.wait_for_lines(manager, patience=600)
        wait_for(lambda: not os.path.exists(self.agent.path("queue/ospatrol/.wait")), "the end of the lock")
        self.assertEqual(len(self.numbers(manager)), self.written, "and nothing is repeated")


if __name__ == "__main__":
    unittest.main()
