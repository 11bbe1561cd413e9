"""What ospatrol-agentd does on its host: starting, shared files and who changes them, bad input, what it costs."""
import os
import pwd
import random
import re
import subprocess
import time
import unittest

from agent_test import AGENT, AgentTest, content
from harness import needs_root, read, unsanitized, wait_for
import legacy_peer
from legacy_manager import md5, merge


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
                                    capture_output=True, text=True, timeout=600)
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
        self.wait_for_keep_alives(manager, 3)
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
        said = md5(merge(manager.files)) + " merged.mg\n"
        wait_for(lambda: said in manager.keep_alives[-1], "a keep-alive that says that it has come")
        pushes = manager.pushes
        self.wait_for_keep_alives(manager, 3)
        self.assertEqual(manager.pushes, pushes, "it is not sent again and again")
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

    def wakes(self):
        """How often the daemon has waited for something."""
        status = read("/proc/%d/status" % self.agent.pid("ospatrol-agentd"))
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.M).group(1))

    def test_garbage_and_lies_cost_neither_the_daemon_nor_the_processor(self):
        manager = self.manager()
        self.start(manager.port)
        self.wait_for_event(manager, "Agent started")
        before, log_before, begin, made = self.cpu(), len(self.agent.log()), time.monotonic(), time.process_time()
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
        made = time.process_time() - made
        time.sleep(3)
        elapsed = time.monotonic() - begin
        used = self.cpu() - before
        print("20,000 bad datagrams in %.1f s: %.2f s of processor time to make them, %.2f s to refuse them" % (
            elapsed, made, used))
        self.assertLess(used, made + 0.5)
        self.assertLess(len(self.agent.log()) - log_before, 8000 * (1 + elapsed // 60))
        self.log_lines(50)
        self.wait_for_lines(manager)

    def test_a_manager_that_was_never_there_costs_nothing(self):
        self.start(9)  # discard: nobody listens
        wait_for(lambda: "Waiting for server reply" in self.agent.log(), "the line that it waits")
        before, wakes = self.cpu(), self.wakes()
        time.sleep(10)
        self.assertLess(self.wakes() - wakes, 200)
        self.assertLess(self.cpu() - before, 1)
        self.log_lines(1000)
        wait_for(lambda: os.path.getsize(os.path.join(self.agent.path("queue/spool"),
                                                      sorted(os.listdir(self.agent.path("queue/spool")))[-1])) > 60000,
                 "the lines in the spool")

    @unsanitized
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
