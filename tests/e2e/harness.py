"""A real OSPatrol in a temporary prefix, for end-to-end tests: installed by packaging/install.sh, started by
ospatrol-control, seen only through files, sockets, processes and exit codes. Tests wait for conditions, not for time.

No test may depend on the hour, the speed or the load of the machine, or on what else runs there: the local time is ten
o'clock when a test file starts (set_local_time), run.py gives each file a network of its own, free_port() gives ports that
no other test and no client takes, and Installation.pid() knows only daemons that are ready."""
import contextlib
import ctypes
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = os.environ.get("OSPATROL_BUILD", "")
SOURCE = os.environ.get("OSPATROL_SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
CORPUS = os.environ.get("OSPATROL_CORPUS", "")

sys.path.insert(0, os.path.join(SOURCE, "tests/rules"))
import shipped  # noqa: E402

PATIENCE = 180  # seconds until a condition that should come true counts as failed
PORTS = range(20000, 30000)  # of free_port(); the system gives its clients others


def sanitizer():
    """What the programs are built with: "", "address,undefined" or "thread"."""
    found = re.search(r"^OSPATROL_SANITIZE:\w+=(.*)$", read(os.path.join(BUILD, "CMakeCache.txt")), re.M)
    return found.group(1) if found else ""


def wait_for(condition, what, patience=PATIENCE, pause=0.02):
    """Polls until `condition()` is true and returns its value; fails with `what`, a text or what gives one, after `patience`
    seconds."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("gave up after %d s waiting for %s" % (patience, what() if callable(what) else what))
        time.sleep(pause)


def set_local_time():
    """Lets the day begin ten hours ago, here and in all programs that are started: no day, month, year or hour ends while
    tests run."""
    west = int(time.time()) % 86400 - 10 * 3600  # seconds that ten o'clock is behind the time of Greenwich
    if west > 43200:
        west -= 86400
    sign, west = ("-" if west < 0 else ""), abs(west)
    os.environ["TZ"] = "TST%s%02d:%02d:%02d" % (sign, west // 3600, west // 60 % 60, west % 60)
    time.tzset()


set_local_time()
os.umask(0o022)


def leave_the_network():
    """Gives this process and its children a network of their own, with nothing but the loopback device, where that is
    allowed: no port, address, abstract socket or setting is shared with anything else that runs on the machine."""
    clone_newnet = 0x40000000
    if os.getuid() != 0 or shutil.which("ip") is None or ctypes.CDLL(None).unshare(clone_newnet) != 0:
        return
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with contextlib.suppress(OSError):  # settings may be read-only; where they are ours there is more room
        with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as f:
            f.write("40000 60999\n")


_claims = []  # abstract sockets whose names stand for the ports that this process has


def free_port():
    """A port that nothing uses and that stays with this process, also while no daemon of its listens there."""
    for port in PORTS:
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind("\0ospatrol-test-port-%d" % port)
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port
    raise AssertionError("no free port among %s" % PORTS)


def states(pid):
    """Of each thread of a process: "R" runs, "S" sleeps, "T" was stopped, "Z" has ended..."""
    for stat in glob.glob("/proc/%d/task/*/stat" % pid):
        try:
            with open(stat) as f:
                yield f.read().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has ended meanwhile


def stopped(pid):
    return all(state == "T" for state in states(pid))


def ended(pid):
    """Has a process ended with all its threads, so that files, locks and ports of its are free?"""
    return all(state in "ZX" for state in states(pid))


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


class Installation:
    """One installation of `kind` local, server or agent (which has a `manager`: address or name). Its programs run in
    the network namespace `namespace`, if there is one. Use as a context manager, or call close()."""

    def __init__(self, configuration=None, kind="local", manager=None, namespace=None):
        self.root = tempfile.mkdtemp(prefix="ospatrol-e2e-")
        os.chmod(self.root, 0o755)  # service users must be able to reach the prefix
        self.prefix = os.path.join(self.root, "home")
        self.environment = None  # of its programs, unless ours
        self._enter = ["ip", "netns", "exec", namespace] if namespace else []
        subprocess.run(
            [os.path.join(SOURCE, "packaging/install.sh"), "--prefix", self.prefix, "--kind", kind,
             "--build", BUILD, "--no-system", *(["--manager", manager] if manager else [])], check=True, stdout=subprocess.DEVNULL)
        if configuration is not None:
            self.configure(configuration)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.control("stop")
        shutil.rmtree(self.root, ignore_errors=True)

    def path(self, relative):
        return os.path.join(self.prefix, relative)

    def configure(self, text):
        self.write("etc/ospatrol.conf", text)

    def write(self, relative, text, mode="w"):
        """A whole file takes its place at once: no daemon may find half of it."""
        path = self.path(relative)
        new = os.path.join(self.root, "new") if mode == "w" else path
        with open(new, mode, encoding="utf-8") as f:
            f.write(text)
        if new == path:
            return
        if os.path.exists(path):
            facts = os.stat(path)
            os.chown(new, facts.st_uid, facts.st_gid)
            os.chmod(new, facts.st_mode & 0o7777)
        os.rename(new, path)

    def control(self, *arguments):
        return self.run("bin/ospatrol-control", *arguments)

    def start(self):
        result = self.control("start")
        if result.returncode != 0:
            raise AssertionError("start failed:\n%s%s\n%s" % (result.stdout, result.stderr, self.log()))
        return result

    def log(self):
        return read(self.path("logs/ospatrol.log"))

    def alerts_text(self):
        return read(self.path("logs/alerts/alerts.log"))

    def alerts(self):
        """Complete objects of alerts.json, in order."""
        return [json.loads(line) for line in read(self.path("logs/alerts/alerts.json")).split("\n")[:-1]]

    def pid(self, daemon):
        """Process id of a daemon of this installation that runs and is ready, or None."""
        # Not any process of this program: that may test the configuration, or just be starting.
        for file in glob.glob(self.path("var/run/%s-*.pid" % daemon)):
            pid = file[:-len(".pid")].rsplit("-", 1)[1]
            try:
                if os.readlink("/proc/%s/exe" % pid) == self.path("bin/" + daemon):
                    return int(pid)
            except OSError:
                continue  # left behind by one that was killed
        return None

    def kill(self, daemon, number=signal.SIGKILL, pid=None):
        """Returns its process id; who has asked for that before spares the kill the time of the search."""
        pid = pid or self.pid(daemon)
        if pid is None:
            raise AssertionError("%s does not run" % daemon)
        os.kill(pid, number)
        wait_for(lambda: ended(pid), "end of %s" % daemon)
        return pid

    @contextlib.contextmanager
    def halted(self):
        """All its daemons stand still, as those of a machine of which an image is taken."""
        pids = [pid for pid in map(self.pid, os.listdir(self.path("bin"))) if pid]
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            wait_for(lambda: all(stopped(pid) for pid in pids), "the daemons to stand still")
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def run_daemon(self, daemon):
        """Starts one daemon as ospatrol-control does; returns when it is ready."""
        return self.run("bin/" + daemon, "-D", self.prefix)

    def run(self, program, *arguments, timeout=600, **options):
        """Runs an installed program to its end."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("env", self.environment)
        return subprocess.run([*self._enter, self.path(program), *arguments], capture_output=True, text=True,
                              timeout=timeout, check=False, **options)


def local_configuration(*locations, extra=""):
    """ospatrol.conf of a local installation with the shipped rules, watching `locations` from their beginning."""
    files = "".join(
        "  <localfile><log_format>syslog</log_format><location>%s</location>"
        "<read_from>beginning</read_from></localfile>\n" % location for location in locations)
    includes = "".join("    <include>%s</include>\n" % name for name in shipped.includes(SOURCE))
    return """<ospatrol_config>
  <global><email_notification>no</email_notification><jsonout_output>yes</jsonout_output></global>
  <rules>
    <decoder_dir pattern=".xml$">decoders</decoder_dir>
%s  </rules>
  <alerts><log_alert_level>1</log_alert_level></alerts>
%s%s</ospatrol_config>
""" % (includes, files, extra)


NUMBERED_RULE = """<group name="local,">
  <rule id="100300" level="3">
    <match>numbered test line </match>
    <description>numbered line</description>
  </rule>
</group>
"""


class NumberedLines(unittest.TestCase):
    """A local installation that watches one log file; every "numbered test line N" of it is an alert of its own."""
    NUMBER = re.compile(r"numbered test line (\d+)\b")

    def setUp(self):
        self.ospatrol = Installation()
        self.addCleanup(self.ospatrol.close)
        self.log_file = os.path.join(self.ospatrol.root, "app.log")
        open(self.log_file, "w").close()
        self.ospatrol.configure(local_configuration(self.log_file))
        self.ospatrol.write("rules/local_rules.xml", NUMBERED_RULE)
        self.written = 0

    def append(self, count, form="gw1 app[1]: numbered test line %d"):
        """Writes `count` more lines; `form` is what follows the time."""
        first = self.written + 1
        self.written += count
        with open(self.log_file, "a") as f:
            f.write("".join("Nov 22 10:00:00 " + form.replace("%d", str(n)) + "\n"
                            for n in range(first, self.written + 1)))

    def numbers_in(self, text):
        return [int(n) for n in self.NUMBER.findall(text)]

    def check_records(self, seen):
        """No torn record, no id twice; alerts.json has the same lines as alerts.log."""
        records = self.ospatrol.alerts_text().split("** Alert ")[1:]
        self.assertEqual([record for record in records if not record.endswith("\n\n")], [])
        ids = [record.split(":", 1)[0] for record in records]
        self.assertEqual(len(ids), len(set(ids)), "an alert id was used twice")
        in_json = {n for alert in self.ospatrol.alerts() for n in self.numbers_in(alert["full_log"])}
        self.assertEqual(in_json, set(seen))


needs_root = unittest.skipUnless(os.getuid() == 0, "needs root: installs a prefix with service users")
needs_corpus = unittest.skipUnless(CORPUS and os.path.isdir(os.path.join(CORPUS, "loghub")),
                                   "OSPATROL_CORPUS names no folder with real logs")
# Sanitizers take memory of their own, and want to be the first library of a program.
unsanitized = unittest.skipIf(sanitizer(), "built with a sanitizer")
