"""Response scripts: what runs, with which arguments and environment, and what is refused."""
import os
import shutil
import signal
import socket
import tempfile
import time
import unittest

from harness import Installation, local_configuration, needs_root, read, wait_for

RESPONSE = """
  <command><name>block</name><executable>block.sh</executable><expect>srcip</expect>
    <timeout_allowed>yes</timeout_allowed></command>
  <command><name>note</name><executable>note.sh</executable><expect></expect></command>
  <command><name>slow</name><executable>slow.sh</executable><expect></expect></command>
  <active-response><command>block</command><location>local</location><level>16</level><timeout>%d</timeout>
  </active-response>
  <active-response><command>note</command><location>local</location><level>16</level></active-response>
  <active-response><command>slow</command><location>local</location><level>16</level></active-response>
"""
SCRIPT = """#!/bin/sh
# In one write: another script may be writing, too.
line=$(printf '%s|' "$@")
echo "$line" >>CALLS
ls -l /proc/self/fd | wc -l >>ENVIRONMENT
env >>ENVIRONMENT
echo whole >>ENVIRONMENT
"""
SLOW_BLOCK = """#!/bin/sh
[ "$1" = delete ] || until [ -e GO ]; do sleep 0.1; done
line=$(printf '%s|' "$@")
echo "$line" >>CALLS
"""


class Scripts(unittest.TestCase):
    timeout = 600
    options = ""

    def setUp(self):
        self.ospatrol = Installation()
        self.addCleanup(self.ospatrol.close)
        self.folder = tempfile.mkdtemp(prefix="ospatrol-calls-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.calls_file = os.path.join(self.folder, "calls")
        for name in ("block.sh", "note.sh"):
            self.script(name, SCRIPT.replace("CALLS", self.calls_file).replace("ENVIRONMENT", self.calls_file + ".env"))
        self.script("slow.sh", "#!/bin/sh\necho begun >>%s\nsleep 1000\n" % self.calls_file)
        self.ospatrol.configure(local_configuration(extra=RESPONSE % self.timeout))
        self.ospatrol.write("etc/local_internal_options.conf", self.options)
        self.ospatrol.start()

    def script(self, name, text, mode=0o550):
        path = self.ospatrol.path("active-response/bin/" + name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)

    def ask(self, text, uid=None):
        """Sends a request to execd, as user `uid` if there is one."""
        path = self.ospatrol.path("queue/alerts/execq")
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                if uid is not None:
                    os.setgid(os.stat(path).st_gid)
                    os.setuid(uid)
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                    sock.sendto(text.encode() + b"\0", path)
                os._exit(0)
            except OSError:
                os._exit(1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def calls(self):
        return [line.split("|")[:-1] for line in read(self.calls_file).splitlines() if "|" in line]

    def logged(self, text):
        wait_for(lambda: text in self.ospatrol.log(), "the line %r" % text)


@needs_root
class Execd(Scripts):
    def test_runs_the_script_with_the_fields_and_a_clean_environment(self):
        self.ask("note0 ann 198.51.100.7 1715076672.41 5712 /var/log/auth.log -")
        wait_for(self.calls, "the call")
        self.assertEqual(self.calls(), [["add", "ann", "198.51.100.7", "1715076672.41", "5712", "/var/log/auth.log",
                                         "-"]])
        wait_for(lambda: "\nwhole\n" in read(self.calls_file + ".env"), "the environment")
        environment = read(self.calls_file + ".env").splitlines()
        self.assertIn("OSPATROL_ACTION=add", environment)
        self.assertIn("OSPATROL_IP=198.51.100.7", environment)
        self.assertIn("PATH=/usr/sbin:/usr/bin:/sbin:/bin", environment)
        self.assertFalse([line for line in environment if line.startswith(("HOME=", "OSPATROL_SOURCE"))])

    def test_a_block_is_made_once_and_taken_back_at_the_end(self):
        for _ in range(3):
            self.ask("block600 - 198.51.100.7 1.1 5712 x -")
        self.ask("block600 - 198.51.100.8 1.2 5712 x -")
        wait_for(lambda: len(self.calls()) == 2, "two calls")
        self.ospatrol.kill("ospatrol-execd", signal.SIGTERM)
        calls = [(c[0], c[2]) for c in self.calls()]
        # Scripts of different addresses run at the same time; what takes back at the end goes one after the other.
        self.assertEqual(sorted(calls[:2]), [("add", "198.51.100.7"), ("add", "198.51.100.8")])
        self.assertEqual(calls[2:], [("delete", "198.51.100.7"), ("delete", "198.51.100.8")])

    def test_refuses_what_is_no_request(self):
        for text in ("note0 - 127.0.0.1 1.1 5", "note0 root 192.0.2.1 1.1 5", "note0 - 192.0.2.1;id 1.1 5", "note0",
                     "", "note0 - 192.0.2.1 1.1 5\n", "x" * 60000):
            self.ask(text)
        self.ask("unknown0 - 192.0.2.1 1.1 5 x -")
        self.logged("Invalid command name 'unknown0' provided")
        self.assertEqual(self.ospatrol.log().count("ospatrol-execd(1310)"), 7)
        self.ask("note0 - 192.0.2.1 1.1 5 x -")
        wait_for(self.calls, "the good one")
        self.assertEqual(len(self.calls()), 1)

    def test_believes_only_programs_that_may_ask(self):
        import pwd
        self.ask("note0 - 192.0.2.1 1.1 5 x -", uid=pwd.getpwnam("ospatrolm").pw_uid)
        self.logged("ospatrol-execd(9600)")
        self.ask("note0 - 192.0.2.1 1.1 5 x -", uid=pwd.getpwnam("ospatrol").pw_uid)
        wait_for(self.calls, "the call of the agent's user")
        self.assertEqual(len(self.calls()), 1)

    def test_does_not_run_a_script_that_others_may_write(self):
        self.script("note.sh", SCRIPT, mode=0o570)
        self.ask("note0 - 192.0.2.1 1.1 5 x -")
        self.logged("its script is missing or may not be run")
        self.assertEqual(self.calls(), [])

    def test_says_what_a_script_that_failed_said(self):
        self.script("note.sh", "#!/bin/sh\necho no such table >&2\nexit 3\n")
        self.ask("note0 - 192.0.2.1 1.1 5 x -")
        self.logged("note.sh add ended with exit status 3: no such table")

    def test_a_section_that_only_disables_ends_it(self):
        self.ospatrol.configure(local_configuration(
            extra="<active-response><disabled>yes</disabled></active-response>"))
        result = self.ospatrol.control("restart")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.logged("Active response disabled")
        self.assertIsNone(self.ospatrol.pid("ospatrol-execd"))

    def test_analysisd_says_that_alerts_start_no_response_yet(self):
        self.logged("<active-response>: accepted, but no alert starts a response in this version.")

    def test_restart_on_request(self):
        before = self.ospatrol.pid("ospatrol-analysisd")
        self.ask("restart-ossec0 - null (from_the_server) (no_rule_id)")
        wait_for(lambda: self.ospatrol.pid("ospatrol-analysisd") not in (None, before), "another analysisd")
        wait_for(lambda: self.ospatrol.pid("ospatrol-logcollector"), "logcollector")
        self.assertIn("restart-ossec.sh add - null (from_the_server) (no_rule_id)",
                      read(self.ospatrol.path("logs/active-responses.log")))
        wait_for(lambda: self.ospatrol.control("status").returncode == 0, "all daemons")


@needs_root
class ShortRuns(Scripts):
    options = "execd.max_runtime=1\n"

    def test_ends_a_script_that_runs_too_long(self):
        self.ask("slow0 - 192.0.2.1 1.1 5 x -")
        self.logged("runs longer than 1 s and is ended")
        self.logged("slow.sh add ended with signal 15")


@needs_root
class ShortBlocks(Scripts):
    timeout = 1

    def test_a_block_is_taken_back_when_its_time_is_over(self):
        self.ask("block1 - 198.51.100.7 1.1 5712 x -")
        wait_for(lambda: len(self.calls()) == 2, "the call that takes it back")
        self.assertEqual([c[0] for c in self.calls()], ["add", "delete"])

    def test_a_block_is_not_taken_back_before_it_is_made(self):
        go = os.path.join(self.folder, "go")
        self.script("block.sh", SLOW_BLOCK.replace("CALLS", self.calls_file).replace("GO", go))
        self.ask("block1 - 198.51.100.7 1.1 5712 x -")
        self.ask("block1 - 198.51.100.8 1.1 5712 x -")
        time.sleep(2)  # its time is over, and it is not made yet
        self.assertEqual(self.calls(), [])
        open(go, "w").close()
        wait_for(lambda: len(self.calls()) == 4, "all calls")
        for address in ("198.51.100.7", "198.51.100.8"):
            self.assertEqual([c[0] for c in self.calls() if c[2] == address], ["add", "delete"])


if __name__ == "__main__":
    unittest.main()
