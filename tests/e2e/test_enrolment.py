"""Enrolment at the manager: ospatrol-authd and Python's own TLS as its client. Every row of the dialogue, client certificates,
bad names, kills, many at once. agent-auth: test_agent_auth.py."""
import concurrent.futures
import fcntl
import os
import pwd
import re
import select
import signal
import socket
import ssl
import threading
import time
import unittest
import warnings

from enrolment import DATA, KEY, NOT_ADDED, Authd, client_context, keys_of, whole_entries
from harness import Installation, needs_root, read, wait_for


def lock_is_awaited(pid):
    """Does the process have the lock file open, which it does only while it waits or writes?"""
    folder = "/proc/%d/fd" % pid
    for fd in os.listdir(folder):
        try:
            if os.readlink(os.path.join(folder, fd)).endswith("client.keys.lock"):
                return True
        except FileNotFoundError:
            pass  # closed meanwhile
    return False


class ManagerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager = Installation(kind="server")
        cls.manager.write("etc/local_internal_options.conf", "authd.rate_limit=0\n")

    @classmethod
    def tearDownClass(cls):
        if cls.manager.pid("ospatrol-authd"):
            cls.manager.kill("ospatrol-authd")
        cls.manager.close()

    def setUp(self):
        open(self.manager.path("etc/client.keys"), "w").close()


@needs_root
class Dialogue(ManagerTest):
    def test_each_row_is_answered_as_old_clients_expect(self):
        with Authd(self.manager, "-i") as authd:
            rows = [
                ("OSSEC PASS: topsecret OSSEC A:'newagent'\n", "127.0.1.5", "1024 newagent 127.0.1.5"),
                ("OSSEC PASS: topsecret OSSEC A:'newagent'\n", "127.0.1.6", "1025 newagent2 127.0.1.6"),
                ("OSSEC PASS: topsecret\n OSSEC A:'linefeed'\n", "127.0.1.7", "1026 linefeed 127.0.1.7"),
                ("OSSEC PASS: topsecret\r\n OSSEC A:'crlf'\n", "127.0.1.8", "1027 crlf 127.0.1.8"),
                ("OSSEC PASS: wrong OSSEC A:'x1'\n", "127.0.1.9", "ERROR: Invalid password.\n\n"),
                ("OSSEC PASS: topsecre OSSEC A:'x1'\n", "127.0.1.9", "ERROR: Invalid password.\n\n"),
                ("OSSEC PASS: topsecret2 OSSEC A:'x1'\n", "127.0.1.9", "ERROR: Invalid password.\n\n"),
                ("OSSEC A:'x1'\n", "127.0.1.9", "ERROR: Invalid password.\n\n"),
                ("OSSEC PASS: topsecret OSSEC A:'bad name'\n", "127.0.1.9",
                 "ERROR: Invalid agent name: bad name\n\n" + NOT_ADDED),
                ("OSSEC PASS: topsecret OSSEC A:'dupip'\n", "127.0.1.5",
                 "ERROR: Invalid IP address: 1024\n\n" + NOT_ADDED),
                ("OSSEC PASS: topsecret OSSEC X:'foo'\n", "127.0.1.9", ""),
                ("GET / HTTP/1.0\r\n\r\n", "127.0.1.9", ""),
                ("x" * 9000, "127.0.1.9", ""),
            ]
            for request, source, expected in rows:
                with self.subTest(request[:60]):
                    answer = authd.ask(request, source=source)
                    match = KEY.fullmatch(answer)
                    self.assertEqual(" ".join(match.groups()[:3]) if match else answer, expected)
                    if match:
                        self.assertIn(" ".join(match.groups()), keys_of(self.manager))
            log = self.manager.log()
            self.assertIn("Invalid password provided by 127.0.1.9. Closing connection.", log)
            self.assertIn("Invalid request for new agent from: 127.0.1.9", log)
            self.assertNotIn("topsecret", log)
            self.assertEqual(len(whole_entries(self.manager)), 4)

    def test_names_that_are_no_file_names_are_refused_with_the_reason_in_the_log(self):
        bad = ["a/b", "../../etc/passwd", "..", "a..b", "a\nb", "a\x01b", "a\x7fb", "\u00e4\u00e4", "x", "", "n" * 128, "n" * 300]
        with Authd(self.manager) as authd:
            for name in bad:
                answer = authd.ask("OSSEC PASS: topsecret OSSEC A:'%s'\n" % name)
                if "\n" not in name:
                    self.assertTrue(answer.startswith("ERROR: Invalid agent name: "), (name, answer))
                    self.assertTrue(answer.endswith("\n\n" + NOT_ADDED), answer)
                    self.assertNotRegex(answer, "[\x00-\x09\x0b-\x1f\x7f]")
            self.assertEqual(authd.enrol("n" * 127).split()[1], "n" * 127)
            self.assertEqual(len(keys_of(self.manager)), 1)
        log = self.manager.log()
        self.assertRegex(log, r"ospatrol-authd\(9552\): ERROR: Agent name 'a/b' of 127.0.0.1 refused: it may hold")

    def test_the_source_address_counts_without_i_too(self):
        self.manager.write("etc/client.keys", "007 fixed 127.0.2.1 %s\n" % ("a" * 64))
        with Authd(self.manager) as authd:
            self.assertEqual(authd.ask("OSSEC PASS: topsecret OSSEC A:'web'\n", source="127.0.2.1"),
                             "ERROR: Invalid IP address: 007\n\n" + NOT_ADDED)
            self.assertEqual(authd.enrol("web", source="127.0.2.2").split()[:3], ["1024", "web", "any"])

    def test_an_agent_that_was_not_heard_for_long_makes_room(self):
        self.manager.write("etc/client.keys", "001 web any %s\n002 db any %s\n" % ("a" * 64, "b" * 64))
        info = self.manager.path("queue/agent-info/web-any")
        for name, age in (("web", 7200), ("db", 10)):
            path = self.manager.path("queue/agent-info/%s-any" % name)
            with open(path, "w") as f:
                f.write("Linux\n")
            os.chmod(path, 0o644)
            os.utime(path, (time.time() - age,) * 2)
        with Authd(self.manager, "-F", "3600") as authd:
            self.assertEqual(authd.enrol("web").split()[1], "web")
            self.assertEqual(authd.enrol("db").split()[1], "db2")
        self.assertEqual(keys_of(self.manager)[0][:8], "001 #*#*")
        self.assertNotIn("aaaa", keys_of(self.manager)[0])
        self.assertTrue(os.path.exists(info))
        backups = os.listdir(self.manager.path("backup/agents"))
        self.assertEqual(len(backups), 1, backups)
        self.assertTrue(backups[0].startswith("web-any-"), backups)

    def test_without_a_file_a_password_is_made_and_logged(self):
        with Authd(self.manager, password=None) as authd:
            password = wait_for(lambda: re.findall(r"agent authentication: ([0-9a-f]{32})", self.manager.log()),
                                "the password in the log")[-1]
            self.assertEqual(authd.ask("OSSEC A:'web'\n"), "ERROR: Invalid password.\n\n")
            self.assertRegex(authd.ask("OSSEC PASS: %s OSSEC A:'web'\n" % password), KEY)

    def test_no_password_is_asked_for_with_n(self):
        with Authd(self.manager, "-n") as authd:
            self.assertRegex(authd.ask("OSSEC A:'web'\n"), KEY)
            self.assertRegex(authd.ask("OSSEC PASS: any OSSEC A:'web'\n"), KEY)

    def test_only_addresses_that_are_allowed_are_served(self):
        with Authd(self.manager, "-a", "127.0.3.0/24") as authd:
            self.assertEqual(authd.enrol("web", source="127.0.3.9").split()[1], "web")
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                authd.enrol("web", source="127.0.4.1")

    def test_one_address_may_not_try_too_often(self):
        self.manager.write("etc/local_internal_options.conf", "authd.rate_limit=5\n")
        try:
            with Authd(self.manager) as authd:
                for n in range(1, 100):
                    source, began = "127.0.5.%d" % n, time.monotonic()
                    for i in range(5):
                        authd.enrol("web%d" % i, source=source)
                    try:
                        authd.enrol("more", source=source)
                    except (ssl.SSLError, ConnectionError):
                        break
                    # The first of them was long ago, if this machine took so long.
                    self.assertGreater(time.monotonic() - began, 50, "a sixth within a minute was let in")
                authd.enrol("other", source="127.0.5.254")
                self.assertIn("tried more than 5 times within a minute", self.manager.log())
        finally:
            self.manager.write("etc/local_internal_options.conf", "authd.rate_limit=0\n")


@needs_root
class Life(ManagerTest):
    def test_it_runs_confined_and_owns_the_keys(self):
        with Authd(self.manager) as authd:
            authd.enrol("web")
            pid = authd.pid()
            uid = pwd.getpwnam("ospatrol").pw_uid
            with open("/proc/%d/status" % pid) as f:
                facts = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
            self.assertEqual(facts["Uid"].split(), [str(uid)] * 4)
            self.assertEqual(int(facts["CapEff"], 16), 0)
            self.assertEqual(os.readlink("/proc/%d/root" % pid), self.manager.prefix)
            facts = os.stat(self.manager.path("etc/client.keys"))
            self.assertEqual((facts.st_uid, facts.st_mode & 0o7777), (uid, 0o640))

    def test_a_start_that_cannot_work_says_why(self):
        certificate = self.manager.path("etc/sslmanager.cert")
        os.rename(certificate, certificate + ".away")
        try:
            result = self.manager.run("bin/ospatrol-authd", "-D", self.manager.prefix, "-p", "1")
            self.assertEqual(result.returncode, 1)
            self.assertIn("ERROR: Unable to read certificate file (not found): " + certificate, result.stderr)
        finally:
            os.rename(certificate + ".away", certificate)
        for flags, text in ((("-p", "0"), "-p 0"), (("-F", "x"), "-F x"), (("-a", "host"), "-a host"),
                            (("-c", "NONSENSE"), "NONSENSE"), (("-v", "/nonexistent"), "/nonexistent")):
            result = self.manager.run("bin/ospatrol-authd", "-D", self.manager.prefix, "-t", *flags)
            self.assertEqual(result.returncode, 1, flags)
            self.assertIn(text, result.stderr)
        self.assertEqual(self.manager.run("bin/ospatrol-authd", "-D", self.manager.prefix, "-t").returncode, 0)

    def test_a_password_that_is_too_short_is_never_taken_for_none(self):
        authd = Authd(self.manager, password="x")
        with self.assertRaisesRegex(AssertionError, "etc/authd.pass:1: the password is too short"):
            authd.start()

    def test_a_reload_takes_a_new_password_and_certificate(self):
        with Authd(self.manager) as authd:
            authd.enrol("web")
            for name in ("cert", "key"):
                with open(os.path.join(DATA, "server." + ("pem" if name == "cert" else "key"))) as f:
                    self.manager.write("etc/sslmanager." + name, f.read())
            self.manager.write("etc/authd.pass", "othersecret\n")
            os.kill(authd.pid(), signal.SIGHUP)
            wait_for(lambda: KEY.fullmatch(authd.ask("OSSEC PASS: othersecret OSSEC A:'web'\n")), "the new password")
            context = client_context()
            context.load_verify_locations(os.path.join(DATA, "ca.pem"))
            context.verify_mode = ssl.CERT_REQUIRED
            authd.ask("OSSEC PASS: othersecret OSSEC A:'web'\n", context=context)

    def test_many_at_once_get_different_ids_and_names(self):
        with Authd(self.manager) as authd, concurrent.futures.ThreadPoolExecutor(20) as pool:
            given = list(pool.map(lambda i: authd.enrol("web", source="127.0.6.%d" % (i % 250 + 1)), range(40)))
        self.assertEqual(len({line.split()[0] for line in given}), 40)
        self.assertEqual(len({line.split()[1] for line in given}), 40)
        self.assertEqual(sorted(given), sorted(whole_entries(self.manager)))

    def test_peers_that_say_nothing_do_not_keep_others_waiting(self):
        with Authd(self.manager) as authd:
            for _ in range(10):
                silent = [socket.create_connection(("127.0.0.1", authd.port)) for _ in range(60)]
                try:
                    authd.enrol("web")
                    # None of them has been given up meanwhile.
                    if select.select(silent, [], [], 0)[0] == []:
                        return
                finally:
                    for s in silent:
                        s.close()
            self.fail("an enrolment has waited each time until silent peers were given up")

    def test_killed_at_any_time_every_key_that_was_told_is_in_the_file(self):
        told = []
        stop = threading.Event()
        authd = Authd(self.manager)

        def client(number):
            while not stop.is_set():
                try:
                    told.append(authd.enrol("web%d" % number, source="127.0.7.%d" % (number + 1)))
                except (OSError, AssertionError):
                    time.sleep(0.02)

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            clients = [pool.submit(client, i) for i in range(4)]
            try:
                for round_number in range(5):
                    authd.start()
                    before = len(told)
                    wait_for(lambda: len(told) > before + 3, "enrolments of round %d" % round_number)
                    authd.stop(signal.SIGKILL)
            finally:
                stop.set()
            for done in clients:
                done.result()
        entries = whole_entries(self.manager)
        self.assertGreaterEqual(len(told), 20)
        self.assertLessEqual(set(told), set(entries))
        self.assertEqual(len({line.split()[0] for line in entries}), len(entries))

    def test_manage_agents_and_authd_may_write_at_the_same_time(self):
        # What a tool does: a new file takes the place of the old one, under the lock.
        with Authd(self.manager) as authd:
            authd.enrol("web")
            path = self.manager.path("etc/client.keys")
            owner = os.stat(path)
            with open(self.manager.path("var/run/client.keys.lock"), "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                with concurrent.futures.ThreadPoolExecutor(1) as pool:
                    waiting = pool.submit(authd.enrol, "late")
                    wait_for(lambda: lock_is_awaited(authd.pid()), "authd to ask for the lock")
                    self.manager.write("etc/client.keys.new", read(path) + "2000 tool any %s\n" % ("c" * 64))
                    os.chown(path + ".new", owner.st_uid, owner.st_gid)
                    os.chmod(path + ".new", 0o640)
                    os.rename(path + ".new", path)
                    self.assertFalse(waiting.done())
                    fcntl.flock(lock, fcntl.LOCK_UN)
                    waiting.result()
            self.assertEqual(authd.enrol("tool").split()[1], "tool2")
            self.assertEqual(len(whole_entries(self.manager)), 4)
            self.assertEqual(os.stat(path).st_uid, owner.st_uid)


@needs_root
class Tls(ManagerTest):
    def test_versions_from_1_2_on_are_spoken(self):
        with Authd(self.manager) as authd:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                authd.enrol("web", context=client_context(minimum=version, maximum=version))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # Python too finds them old
                old = client_context(minimum=ssl.TLSVersion.TLSv1, maximum=ssl.TLSVersion.TLSv1_1)
            old.set_ciphers("ALL:@SECLEVEL=0")
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                authd.enrol("web", context=old)

    def test_a_server_with_an_authority_serves_only_its_hosts(self):
        with Authd(self.manager, "-v", os.path.join(DATA, "ca.pem")) as authd:
            authd.enrol("web", context=client_context("client"))
            for certificate in (None, "other"):
                with self.assertRaises((ssl.SSLError, ConnectionError, AssertionError)):
                    authd.enrol("web", context=client_context(certificate))
            self.assertEqual(len(whole_entries(self.manager)), 1)
            wait_for(lambda: re.search(r"TLS hand-shake with 127.0.0.1 failed: .*certificate", self.manager.log()),
                     "the reason in the log")  # it is told to the peer first


if __name__ == "__main__":
    unittest.main()
