"""Faults of the place where alerts are written, and of the name service: a full partition, a read-only one, a directory
that is gone, a resolver that never answers. Nothing is lost, one line says what is wrong, writing goes on by itself, and
an alert tells of the gap. With FAULT_SECONDS=60 in the environment each fault lasts that long."""
import os
import re
import signal
import socket
import subprocess
import time
import unittest
from collections import Counter

from harness import NUMBERED_RULE, NumberedLines, local_configuration, needs_root, read, wait_for

FAULT_SECONDS = float(os.environ.get("FAULT_SECONDS", "0"))
LINES = 3000
GAP_RULE = 57470


def can_mount():
    return subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode == 0


class FaultTest(NumberedLines):
    def setUp(self):
        super().setUp()
        self.ospatrol.write("etc/local_internal_options.conf", "analysisd.state_interval=1\n", mode="a")

    def append(self, count=LINES, **form):
        super().append(count, **form)

    def numbers(self):
        return Counter(self.numbers_in(self.ospatrol.alerts_text()))

    def state(self, key):
        match = re.search(r"^%s='(.*)'$" % key, read(self.ospatrol.path("var/run/ospatrol-analysisd.state")), re.M)
        return match.group(1) if match else ""

    def lines_of_log(self, number):
        return [line for line in self.ospatrol.log().splitlines() if "(%d): " % number in line]

    def gaps(self):
        return [a["full_log"] for a in self.ospatrol.alerts() if a["rule"]["sidid"] == GAP_RULE]

    def check_error_lines(self):
        """One at once, then one a minute; the gap says how long it was."""
        errors = self.lines_of_log(9303)
        seconds = int(re.search(r"for (\d+) seconds", self.gaps()[0]).group(1))
        self.assertIn(len(errors), (1 + seconds // 60, 1 + (seconds + 1) // 60), errors)
        return errors

    def last(self):
        """The fault goes on for as long as was asked for."""
        time.sleep(FAULT_SECONDS)

    def check_nothing_lost(self, name, may_repeat=0):
        wait_for(lambda: len(self.numbers()) == self.written, "all %d lines" % self.written)
        seen = self.numbers()
        repeated = sum(seen.values()) - len(seen)
        print("%s: %d events sent, %d lost, %d repeated" % (name, self.written, self.written - len(seen), repeated))
        self.assertLessEqual(repeated, may_repeat)
        self.check_records(seen)


@needs_root
@unittest.skipUnless(can_mount(), "may not mount here")
class Partition(FaultTest):
    def mount(self, relative, megabytes):
        """A small partition of its own in the place of a directory, with the same content."""
        place = self.ospatrol.path(relative)
        owner = os.stat(place)
        kept = os.path.join(self.ospatrol.root, "kept")
        subprocess.run(["cp", "-a", place, kept], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm" % megabytes, "none", place], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", place])
        os.chown(place, owner.st_uid, owner.st_gid)
        os.chmod(place, owner.st_mode & 0o7777)
        subprocess.run(["cp", "-a", kept + "/.", place], check=True)
        return place

    def fill(self, place):
        with open(os.path.join(place, "filler"), "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 65536)
            except OSError:
                pass
            while True:
                try:
                    f.write(b"x")
                except OSError:
                    return

    def flood_queue(self):
        """Datagrams until the queue takes no more: how many it took."""
        before = self.written
        senders = []
        try:
            while True:
                # One sender alone may be stopped by its own buffer before the queue is full.
                senders.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
                senders[-1].connect(self.ospatrol.path("queue/ospatrol/queue"))
                senders[-1].setblocking(False)
                if self.send_all_it_takes(senders[-1]) == 0:
                    return self.written - before
        finally:
            for sender in senders:
                sender.close()

    def send_all_it_takes(self, sender):
        taken = 0
        try:
            while True:
                sender.send(b"1:/x:Nov 22 10:00:00 gw1 app[1]: numbered test line %d\0" % (self.written + 1))
                self.written += 1
                taken += 1
        except BlockingIOError:
            return taken

    def fault(self, place):
        """Fills the partition under load, empties it again."""
        self.ospatrol.start()
        self.append(100)
        wait_for(lambda: len(self.numbers()) == 100, "alerts before the fault")
        self.fill(place)
        pid = self.ospatrol.pid("ospatrol-analysisd")
        self.append()
        wait_for(lambda: self.state("outputs_blocked") == "1", "the fault to be noticed")
        in_queue = self.flood_queue()
        self.append()
        self.last()
        self.assertIn("cannot be written at present", self.ospatrol.control("flow").stdout)
        self.assertEqual(self.ospatrol.pid("ospatrol-analysisd"), pid, "analysisd has ended")
        os.unlink(os.path.join(place, "filler"))
        wait_for(lambda: self.gaps(), "an alert about the gap")
        self.assertEqual(self.ospatrol.pid("ospatrol-analysisd"), pid, "analysisd has ended")
        return in_queue

    def test_a_full_partition_of_alerts_loses_nothing_and_is_told(self):
        place = self.mount("logs/alerts", 16)
        in_queue = self.fault(place)
        self.check_nothing_lost("full alert partition (%d of them in the datagram queue)" % in_queue)
        errors = self.check_error_lines()
        self.assertIn("No space left on device", errors[0])
        self.assertEqual(len(self.lines_of_log(9304)), 1)
        gaps = self.gaps()
        self.assertEqual(len(gaps), 1, gaps)
        match = re.search(r"for (\d+) seconds: (\S+): No space left on device\. Records that waited: (\d+)\. "
                          r"The datagram queue was full", gaps[0])
        self.assertIsNotNone(match, gaps[0])
        self.assertGreaterEqual(int(match.group(1)), int(FAULT_SECONDS))
        self.assertIn("logs/alerts/", match.group(2))
        self.assertGreater(int(match.group(3)), 0)

    def test_a_full_partition_of_all_logs_ends_nothing(self):
        # ospatrol.log cannot be written either.
        self.fault(self.mount("logs", 16))
        self.check_nothing_lost("full log partition")

    def test_a_full_partition_at_the_stop_loses_what_came_by_datagram_only(self):
        place = self.mount("logs/alerts", 16)
        self.ospatrol.start()
        self.fill(place)
        self.append()
        wait_for(lambda: self.state("outputs_blocked") == "1", "the fault to be noticed")
        self.ospatrol.control("stop")
        self.assertEqual(len(self.lines_of_log(9314)), 1, "what was not written is told")
        os.unlink(os.path.join(place, "filler"))
        self.ospatrol.start()
        # One file of the last group may have been written when the other could not be: its events come again.
        self.check_nothing_lost("stop while the partition is full", may_repeat=LINES)

    def test_a_read_only_partition_at_the_start_is_told_in_one_line(self):
        place = self.mount("logs/alerts", 16)
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        result = self.ospatrol.run_daemon("ospatrol-analysisd")
        self.assertEqual(result.returncode, 1)
        lines = [line for line in result.stderr.splitlines() if "ERROR" in line]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertIn("logs/alerts/", lines[0])
        self.assertIn("Read-only file system", lines[0])
        subprocess.run(["mount", "-o", "remount,rw", place], check=True)
        self.append()
        self.ospatrol.start()
        self.check_nothing_lost("read-only partition at the start")

    def test_a_partition_that_becomes_read_only_is_waited_for(self):
        place = self.mount("logs/alerts", 16)
        self.ospatrol.start()
        self.append(100)
        wait_for(lambda: len(self.numbers()) == 100, "alerts before the fault")
        pid = self.ospatrol.pid("ospatrol-analysisd")
        # The kernel refuses to make read-only what is open for writing: the files are taken away first, while
        # analysisd sleeps, so that it has to make them again on the read-only partition.
        kept = os.path.join(self.ospatrol.root, "taken")
        os.kill(pid, signal.SIGSTOP)
        before = self.numbers()
        subprocess.run(["sh", "-c", "mkdir %s && cp -a %s/* %s && rm -rf %s/*" % (kept, place, kept, place)], check=True)
        subprocess.run(["mount", "--bind", place, place], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", place], stderr=subprocess.DEVNULL)
        subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)
        os.kill(pid, signal.SIGCONT)
        self.append()
        wait_for(lambda: self.state("outputs_blocked") == "1", "the fault to be noticed")
        self.last()
        self.assertEqual(self.ospatrol.pid("ospatrol-analysisd"), pid, "analysisd has ended")
        subprocess.run(["mount", "-o", "remount,rw,bind", place], check=True)
        wait_for(lambda: self.gaps(), "an alert about the gap")
        wait_for(lambda: len(self.numbers()) == self.written - len(before), "all lines since the fault")
        self.assertEqual(self.ospatrol.pid("ospatrol-analysisd"), pid, "analysisd has ended")
        errors = self.check_error_lines()
        self.assertIn("Read-only file system", errors[0])
        print("read-only partition while running: %d events sent, 0 lost, %d repeated"
              % (self.written, sum(self.numbers().values()) - len(self.numbers())))


@needs_root
class MissingDirectory(FaultTest):
    def test_a_directory_that_is_deleted_under_load_is_made_again(self):
        self.ospatrol.start()
        self.append(100)
        wait_for(lambda: len(self.numbers()) == 100, "alerts before the fault")
        before = self.numbers()
        os.rename(self.ospatrol.path("logs/alerts"), os.path.join(self.ospatrol.root, "moved"))
        subprocess.run(["rm", "-rf", os.path.join(self.ospatrol.root, "moved")], check=True)
        self.append()
        wait_for(lambda: len(self.numbers()) == self.written - len(before), "all lines since the fault")
        print("directory of alerts deleted: %d events sent, 0 lost, %d repeated"
              % (self.written, sum(self.numbers().values()) - len(self.numbers())))

    def test_a_directory_that_is_missing_at_the_start_is_made(self):
        subprocess.run(["rm", "-rf", self.ospatrol.path("logs/alerts"), self.ospatrol.path("stats"),
                        self.ospatrol.path("queue/fts")], check=True)
        self.append()
        self.ospatrol.start()
        self.check_nothing_lost("directories missing at the start")


@needs_root
@unittest.skipUnless(can_mount(), "may not mount here")
class Resolver(FaultTest):
    def test_no_event_waits_for_a_name_server_that_never_answers(self):
        black_hole = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(black_hole.close)
        black_hole.bind(("127.53.53.53", 53))
        black_hole.setblocking(False)
        resolv = os.path.join(self.ospatrol.root, "resolv.conf")
        with open(resolv, "w") as f:
            f.write("nameserver 127.53.53.53\noptions timeout:30 attempts:5\n")
        hosts = os.path.join(self.ospatrol.root, "nsswitch.conf")
        with open(hosts, "w") as f:
            f.write("passwd: files\ngroup: files\nhosts: dns\n")
        # Names wherever the configuration takes them, and in every event.
        self.ospatrol.configure(local_configuration(self.log_file).replace(
            "<global>", "<global><allow_list>gw1.example.net</allow_list>"))
        self.ospatrol.write("rules/local_rules.xml", NUMBERED_RULE.replace("</match>", "</match><hostname>gw1</hostname>")
                            + "<group name=\"local,\">\n<rule id=\"100301\" level=\"5\"><if_sid>100300</if_sid>"
                            "<srcip>!192.0.2.1</srcip><description>never</description></rule>\n</group>\n")
        inside = ["unshare", "--mount", "sh", "-c",
                  "mount --bind %s /etc/resolv.conf && mount --bind %s /etc/nsswitch.conf && exec \"$@\"" % (resolv, hosts),
                  "sh"]
        asking = subprocess.Popen([*inside, "getent", "ahosts", "gw1.example.net"])
        try:
            wait_for(lambda: self.queries(black_hole) > 0, "the black hole is the resolver of that name space")
        finally:
            asking.kill()
            asking.wait()
        started = subprocess.run([*inside, self.ospatrol.path("bin/ospatrol-control"), "start"],
                                 capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
        self.assertEqual(started.returncode, 0, started.stdout + started.stderr)
        self.append(form="gw1 sshd[1]: numbered test line %d from intruder%d.example.net port 22")
        self.check_nothing_lost("name server that never answers (%d look-ups of the daemons without answer)"
                                % self.queries(black_hole))

    @staticmethod
    def queries(black_hole):
        count = 0
        try:
            while black_hole.recv(4096):
                count += 1
        except BlockingIOError:
            return count


if __name__ == "__main__":
    unittest.main()
