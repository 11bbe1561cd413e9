"""Faults of the agent channel that need more than a bad network: managers that fail over, forged silence, backups that are put
back, full disks, clocks that jump. The books (books.py) must balance after each."""
import glob
import os
import re
import shutil
import struct
import subprocess
import sys
import time
import unittest

import books
from books import Books
from harness import PATIENCE, SOURCE, read, unsanitized, wait_for
from network import needs_network

LEGACY = """
import sys
sys.path.insert(0, %r)
from legacy_agent import LegacyAgent
key = sys.argv[2].split()
with LegacyAgent(key[0], key[1], key[3], (sys.argv[1], 1514)) as agent:
    agent.counter = (2 ** 31, 1)
    agent.start_up(patience=float(sys.argv[3]))
    agent.send_event("1:/var/log/legacy.log:by the old protocol")
"""


def fill(file):
    """Writes until the disk is full."""
    with open(file, "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            pass


class Faults(Books):
    configured = "auto"  # what agents have that nobody configured

    def balance(self, scenario, host, numbers, repeats_allowed=0):
        lost, repeated = self.enter(scenario, host, numbers)
        self.assertEqual(lost, 0, scenario)
        self.assertLessEqual(repeated, repeats_allowed, scenario)

    def wait_for_log(self, installation, text):
        wait_for(lambda: text in installation.log(),
                 lambda: "'%s' in the log:\n%s" % (text, installation.log()[-3000:]), pause=0.1)

    def wait_for_session(self, host, count=1):
        wait_for(lambda: host.agent.log().count("protocol 2") >= count,
                 lambda: "session %d of %s; the log:\n%s" % (count, host.name, host.agent.log()[-3000:]), pause=0.1)

    def keys_read(self):
        """How often the manager has read client.keys and v2-only."""
        return self.manager.log().count("(1410)")

    def alerts_of(self, rule):
        return [alert for alert in self.manager.alerts() if str(alert["rule"].get("sidid", alert["rule"].get("id"))) == rule]


@needs_network
class TwoManagers(Faults):
    managers = ("manager", "second")
    names = ("web",)

    def setUp(self):
        super().setUp()
        self.second = self.server("second")
        self.manager.start()
        self.host = self.add("web", servers=[self.net.address(name) for name in self.managers])
        self.host.agent.write("etc/local_internal_options.conf", "agent.return_time=5\n", mode="a")
        self.second.write("etc/client.keys", read(self.manager.path("etc/client.keys")))
        self.second.start()
        self.host.agent.start()
        self.host.write(200)
        self.wait_for_all(self.host)
        self.wait_for_session(self.host)

    def at_either(self):
        return self.delivered(self.host) + self.delivered(self.host, self.second)

    def wait_for_either(self):
        wait_for(lambda: len(set(self.at_either())) == self.host.written,
                 lambda: "all lines at one of the two:\n" + self.host.agent.log()[-3000:], pause=0.2)

    def write_until(self, condition, what):
        """Gives how many lines that took."""
        before = self.host.written

        def more():
            self.host.write(20)
            return condition()
        wait_for(more, lambda: what + ":\n" + self.host.agent.log()[-3000:], pause=0.2)
        return self.host.written - before

    def returns(self):
        return self.host.agent.log().count("answers again")

    def close(self, scenario, most_repeated):
        for manager in (self.manager, self.second):
            numbers = self.delivered(self.host, manager)
            self.assertEqual(numbers, sorted(set(numbers)), "once and in order at each")
        lost, repeated = self.enter(scenario, self.host, self.at_either())
        self.assertEqual(lost, 0, scenario)
        self.assertLessEqual(repeated, most_repeated, scenario)

    def test_the_first_is_stopped_and_comes_back(self):
        self.host.write(500)
        self.manager.control("stop")
        self.host.write(500)
        self.wait_for_either()
        self.assertGreaterEqual(len(self.delivered(self.host, self.second)), 500)
        self.manager.start()
        # The second has no say in the return: what it has not answered for by then goes to the first as well.
        unsure = self.write_until(self.returns, "the return")
        self.host.write(500)
        wait_for(lambda: self.delivered(self.host)[-1] == self.host.written, "the newest line at the first again", pause=0.2)
        self.wait_for_either()
        self.close("first of two managers stopped, and return", unsure)

    def test_the_first_is_cut_off_and_comes_back(self):
        self.host.write(500)
        self.net.cut("manager")
        self.host.write(500)
        self.wait_for_either()
        self.assertGreaterEqual(len(self.delivered(self.host, self.second)), 500)
        self.net.heal()
        unsure = self.write_until(self.returns, "the return")
        self.host.write(500)
        wait_for(lambda: self.delivered(self.host)[-1] == self.host.written, "the newest line at the first again", pause=0.2)
        self.wait_for_either()
        # What the first has got and not answered for goes to the second as well.
        self.close("first of two managers cut off, and return", 500 + unsure)


@needs_network
class Downgrade(Faults):
    names = ("web", "db")

    def legacy(self, host, patience=PATIENCE):
        """True when a sender that has the key of `host` is heard with the old protocol."""
        key = read(host.agent.path("etc/client.keys"))
        return self.net.run("db", [sys.executable, "-c", LEGACY % (SOURCE + "/tests/e2e"), self.net.address("manager"), key,
                                   str(patience)], capture_output=True).returncode == 0

    def test_the_old_protocol_is_refused_where_the_administrator_says_so(self):
        host = self.start("web")
        self.wait_for_session(host)
        self.assertTrue(self.legacy(host), "nothing forbids it")
        archives = self.manager.path("logs/archives/archives.log")
        wait_for(lambda: "by the old protocol" in read(archives), "its event")
        times = self.keys_read()
        self.manager.write("etc/v2-only", host.number + "  # speaks the new one\n")
        wait_for(lambda: self.keys_read() > times, "the list being read")
        self.assertFalse(self.legacy(host, patience=2))
        self.wait_for_log(self.manager, "v2 only")
        self.assertEqual(read(archives).count("by the old protocol"), 1)
        host.write(100)
        self.close_books("old protocol refused for this agent", host)

    def test_no_event_goes_by_the_old_protocol_to_a_manager_that_offers_the_new_one(self):
        relay = self.net.popen("web", [sys.executable, os.path.join(SOURCE, "tests/e2e/udp_disorder.py"), "2514",
                                       self.net.address("manager"), "1514", "0", "0", "150"], stdout=subprocess.PIPE)
        self.addCleanup(relay.wait)
        self.addCleanup(relay.kill)
        self.assertEqual(relay.stdout.readline(), b"ready\n")
        self.addCleanup(relay.stdout.close)
        self.manager.start()
        host = self.add("web", servers=["127.0.0.1"], port=2514)
        self.net.count_old_packets()
        # The offer is waited for, but not for long: where it comes too late, at a standstill of this machine, the
        # agent meets its manager once more.
        for tries in range(1, 11):
            host.write(200)
            before = self.net.old_packets()
            host.agent.start()
            self.wait_for_session(host, tries)
            self.wait_for_all(host)
            sent = self.net.old_packets() - before
            if sent < 20:
                break
            host.agent.control("stop")
            for file in glob.glob(host.agent.path("queue/rids/state.db*")):
                os.remove(file)
        self.assertLess(sent, 20)
        self.close_books("first contact, 150 ms away", host)

    def test_an_agent_that_knows_the_new_protocol_is_not_forced_back(self):
        host = self.start("web")
        self.wait_for_session(host)
        host.write(100)
        self.wait_for_all(host)
        self.net.let_only_old_packets_pass()
        before = self.net.old_packets()
        host.restart("ospatrol-agentd")
        host.write(500)
        self.wait_for_log(host.agent, "protocol 1 is not tried")
        self.assertEqual(self.net.old_packets(), before, "packets of the old protocol were sent")
        self.assertEqual(len(self.delivered(host)), 101)
        self.net.heal()
        self.close_books("new protocol blocked on the way", host)


@needs_network
class SharedConfiguration(Faults):
    names = ("web",)
    CONF = """<agent_config>
  <localfile><log_format>syslog</log_format><location>%s</location><read_from>beginning</read_from></localfile>
</agent_config>
"""

    def test_a_new_agent_conf_restarts_the_agent_and_a_broken_one_does_not(self):
        host = self.start("web", client="<auto_restart>yes</auto_restart>")
        self.wait_for_session(host)
        before = {daemon: host.agent.pid(daemon) for daemon in ("ospatrol-agentd", "ospatrol-logcollector")}
        other = host.agent.root + "/other.log"
        open(other, "w", encoding="utf-8").close()
        host.write(200)
        self.manager.write("etc/shared/agent.conf", self.CONF % other)
        for daemon, pid in before.items():
            wait_for(lambda: host.agent.pid(daemon) not in (None, pid),
                     lambda: "another %s:\n%s" % (daemon, host.agent.log()[-3000:]))
        host.write(200, other)
        self.wait_for_all(host)
        wait_for(lambda: host.agent.control("status").returncode == 0, "all daemons of the agent")
        good = read(host.agent.path("etc/shared/agent.conf"))
        before = host.agent.pid("ospatrol-agentd")

        # The manager sees that it cannot be read, and sends it to nobody.
        self.manager.write("etc/shared/agent.conf", "<agent_config>\n  <localfile>\n</agent_config>\n")
        self.wait_for_log(self.manager, "Agents keep the version before")
        self.assertRegex(self.manager.log(), r"etc/shared/agent\.conf:\d+")
        # This one can be read; only the agent knows that it is of no use to it.
        self.manager.write("etc/shared/agent.conf", "<agent_config>\n</agent_config>\n<nonsense>\n</nonsense>\n")
        wait_for(lambda: self.alerts_of("57478"), "an alert that says why", pause=0.2)
        self.assertRegex(self.alerts_of("57478")[0]["full_log"], r"refused: .*agent\.conf:3.*nonsense")
        self.assertEqual(read(host.agent.path("etc/shared/agent.conf")), good)
        self.assertEqual(host.agent.pid("ospatrol-agentd"), before, "no restart")
        host.write(200, other)
        host.write(200)
        self.wait_for_all(host)
        self.balance("restarts for a new agent.conf", host, self.delivered(host))


@needs_network
class KeysUnderLoad(Faults):
    names = ("web", "db")

    def test_agents_come_and_go_while_others_send(self):
        hosts = self.start("web", "db")
        for host in hosts:
            self.wait_for_session(host)
        for round_number in range(8):
            times = self.keys_read()
            for host in hosts:
                host.write(250)
            number = self.new_key("extra%d" % round_number)
            if round_number % 2 == 0:
                removed = self.manager.run("bin/manage_agents", "-D", self.manager.prefix, "-r", number)
                self.assertEqual(removed.returncode, 0, removed.stderr)
            wait_for(lambda: self.keys_read() > times, "the keys being read")
        self.close_books("keys added and removed under load", *hosts)

    def test_managers_and_agents_reload_while_lines_flow(self):
        host = self.start("web")
        self.wait_for_session(host)
        for installation in (self.manager, host.agent) * 3:
            host.write(300)
            result = installation.control("reload")
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.close_books("reloads of manager and agent", host)


@needs_network
class DropOldest(Faults):
    names = ("web",)

    def test_what_is_dropped_is_the_oldest_and_is_told(self):
        host = self.start("web", client="<spool_size>4</spool_size><spool_full>drop_oldest</spool_full>")
        self.wait_for_session(host)
        self.manager.control("stop")
        host.write(60000)
        wait_for(lambda: host.spooled(host.written), "the last line in the spool", pause=0.2)
        host.write(10)
        self.manager.start()
        wait_for(lambda: self.delivered(host)[-1:] == [host.written], lambda: "the newest line:\n" + host.agent.log()[-3000:],
                 pause=0.2)
        numbers = self.delivered(host)
        self.assertEqual(numbers[0], 1)
        self.assertEqual(numbers[1:], list(range(numbers[1], host.written + 1)), "the newest, once, in order")
        lost = numbers[1] - 2
        self.assertGreater(lost, 10000)

        def told():
            return [int(n) for alert in self.alerts_of("57477") for n in re.findall(r"(\d+) since", alert["full_log"])]
        # The agent's own notices may be among what was dropped.
        wait_for(lambda: told() and lost <= told()[-1] <= lost + 5, lambda: "an alert of %d lost events: %s" % (
            lost, [alert["full_log"] for alert in self.alerts_of("57477")]))
        self.enter("spool of 4 MiB, drop_oldest", host, numbers)


@needs_network
class Snapshots(Faults):
    """Machines that are set back to an earlier state, or copied."""
    names = ("web", "db")

    def is_quiet(self, folder):
        """Has no file of it changed for three seconds?"""
        times = [os.stat(file).st_mtime for file in glob.glob(folder + "/*") if os.path.exists(file)]
        return time.time() - max(times) > 3

    def kill_all(self, installation):
        for daemon in os.listdir(installation.path("bin")):
            if daemon.startswith("ospatrol-") and installation.pid(daemon):
                installation.kill(daemon)

    def test_an_agent_that_was_set_back_repeats_nothing(self):
        host = self.start("web")
        self.wait_for_session(host)
        self.manager.control("stop")
        host.write(300)
        wait_for(lambda: host.spooled(host.written), "the lines in the spool")
        home, copy = host.agent.prefix, host.agent.prefix + ".copy"
        with host.agent.halted():
            subprocess.run(["cp", "-a", home, copy], check=True)
        size = os.path.getsize(host.log_file)
        self.manager.start()
        self.wait_for_all(host)
        host.write(200)
        self.wait_for_all(host)

        # The spool has 300 lines that the manager has, too, and the numbers of the 200 are given again.
        self.kill_all(host.agent)
        shutil.rmtree(home)
        os.rename(copy, home)
        os.truncate(host.log_file, size)  # it is of the same machine
        sessions = host.agent.log().count("protocol 2")
        host.agent.start()
        self.wait_for_session(host, sessions + 1)
        host.write(400)
        self.close_books("agent set back to a copy", host)

    def test_agents_come_back_to_a_manager_that_was_set_back(self):
        host = self.start("web")
        self.wait_for_session(host)
        host.write(100)
        self.wait_for_all(host)
        folders = [self.manager.path(name) for name in ("queue", "etc")]
        copy = os.path.join(self.manager.root, "copy")
        os.mkdir(copy)
        with self.manager.halted():
            subprocess.run(["cp", "-a", *folders, copy], check=True)
        host.write(300)
        self.wait_for_all(host)

        self.kill_all(self.manager)
        host.write(100)
        for folder in folders:
            shutil.rmtree(folder)
        subprocess.run(["cp", "-a", *(os.path.join(copy, name) for name in ("queue", "etc")), self.manager.prefix], check=True)
        self.manager.start()
        host.write(100)
        self.close_books("manager set back to a copy", host)


    def test_a_clone_of_an_agent_takes_turns_with_it_and_loses_nothing(self):
        host = self.start("web")
        self.wait_for_session(host)
        host.write(100)
        self.wait_for_all(host)
        wait_for(lambda: self.is_quiet(host.agent.path("queue/spool")), "a quiet spool")
        clone = books.Host(self.net, "db", [self.net.address("manager")], client="<protocol>v2</protocol>")
        self.addCleanup(clone.agent.close)
        with host.agent.halted():
            for name in ("etc/client.keys", "queue/spool", "queue/rids"):
                subprocess.run(["rm", "-rf", clone.agent.path(name)], check=True)
                subprocess.run(["cp", "-a", host.agent.path(name), os.path.dirname(clone.agent.path(name))], check=True)
        clone.key_name = "web"
        clone.agent.start()
        self.wait_for_session(clone)
        def more():
            for one in (host, clone):
                one.write(100)
            return host.written >= 500 and "Two hosts use the key of agent" in self.manager.log()
        wait_for(more, lambda: "the manager to see it:\n" + self.manager.log()[-3000:], pause=1)
        self.close_books("an agent and its clone", host, clone)


@needs_network
class RestoredKeys(Faults):
    names = ("web", "db")

    def test_an_older_client_keys_is_put_back(self):
        web, db = self.start("web", "db")
        for host in (web, db):
            self.wait_for_session(host)
        keys = self.manager.path("etc/client.keys")
        subprocess.run(["cp", "-a", keys, keys + ".old"], check=True)
        times = self.keys_read()
        removed = self.manager.run("bin/manage_agents", "-D", self.manager.prefix, "-r", db.number)
        self.assertEqual(removed.returncode, 0, removed.stderr)
        wait_for(lambda: self.keys_read() > times, "the keys being read")
        for host in (web, db):
            host.write(200)
        self.wait_for_all(web)
        times = self.keys_read()
        self.new_key("db")
        wait_for(lambda: self.keys_read() > times, "the new key being read")
        self.assertEqual(len(self.delivered(db)), 1)
        os.rename(keys + ".old", keys)
        for host in (web, db):
            host.write(200)
        self.close_books("older client.keys put back", web, db)


@needs_network
@unsanitized
@unittest.skipUnless(shutil.which("cc"), "no C compiler")
class ClockSetBack(Faults):
    names = ("web",)

    def give_clock(self, installation):
        """Starts its programs with a clock of their own; gives what sets it, in seconds from now."""
        library = os.path.join(installation.root, "clock_offset.so")
        source = os.path.join(SOURCE, "tests/e2e/clock_offset.c")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
        file = os.path.join(installation.root, "offset")
        installation.environment = {**os.environ, "LD_PRELOAD": library, "CLOCK_OFFSET_FILE": file}

        def set_clock(offset):
            with open(file, "r+b" if os.path.exists(file) else "wb") as f:
                f.write(struct.pack("q", offset))
        set_clock(0)
        return set_clock

    def test_an_hour_back_and_forth(self):
        set_manager = self.give_clock(self.manager)
        self.manager.start()
        host = self.add("web")
        set_agent = self.give_clock(host.agent)
        host.agent.start()
        self.wait_for_session(host)

        def check():
            host.write(100)
            self.wait_for_all(host)
        check()
        for set_clock, offset in ((set_agent, -3600), (set_manager, -3600), (set_agent, 0), (set_manager, 0)):
            set_clock(offset)
            check()
            host.restart("ospatrol-agentd")
            self.restart_on_manager("ospatrol-remoted")
            check()
        self.close_books("clocks an hour back and forth", host)


@needs_network
class FullDisk(Faults):
    names = ("web",)

    def put_on_a_small_disk(self, installation, folder, size):
        """A folder of an installation that does not run moves to a disk of this size; gives a file that can fill it."""
        path = installation.path(folder)
        owner = os.stat(path)
        copy = os.path.join(installation.root, "copy")
        subprocess.run(["cp", "-a", path, copy], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%s,mode=%o,uid=%d,gid=%d" % (
            size, owner.st_mode & 0o7777, owner.st_uid, owner.st_gid), "tmpfs", path], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=False)
        subprocess.run(["cp", "-a", copy + "/.", path], check=True)
        return os.path.join(path, "others")

    def fill_while_the_manager_is_away(self, folder):
        self.manager.start()
        host = self.add("web")
        others = self.put_on_a_small_disk(host.agent, folder, "2m")
        host.agent.start()
        host.write(1)
        self.wait_for_all(host)
        self.wait_for_session(host)
        self.manager.control("stop")
        pid = host.agent.pid("ospatrol-agentd")
        host.write(40000)
        wait_for(lambda: os.path.exists(host.agent.path("queue/ospatrol/.wait")), "the lock of a full disk")
        fill(others)  # the rest
        host.write(500)
        time.sleep(5)  # time to say it more than once
        self.assertEqual(host.agent.log().count("Cannot write to the spool: No space left on device"), 1,
                         host.agent.log()[-2000:])
        self.manager.start()
        self.close_books("disk of %s full (2 MiB)" % folder, host)
        self.assertEqual(host.agent.pid("ospatrol-agentd"), pid)
        wait_for(lambda: not os.path.exists(host.agent.path("queue/ospatrol/.wait")), "the end of the lock")

    def test_the_readers_wait_while_the_disk_of_the_spool_is_full(self):
        self.fill_while_the_manager_is_away("queue/spool")

    def test_nothing_that_the_agent_keeps_can_be_written(self):
        self.fill_while_the_manager_is_away("queue")

    def test_the_disk_of_the_managers_archives_is_full(self):
        others = self.put_on_a_small_disk(self.manager, "logs/archives", "4m")
        host = self.start("web")
        self.wait_for_session(host)
        fill(others)
        host.write(5000)
        self.wait_for_log(self.manager, "No space left on device")
        self.assertLess(len(self.delivered(host)), 5000)
        host.write(5000)
        os.remove(others)
        self.close_books("disk of the manager's archives full", host)


if __name__ == "__main__":
    unittest.main()
