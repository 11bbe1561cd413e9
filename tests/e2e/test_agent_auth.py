"""agent-auth with a real ospatrol-authd and with a server that lies."""
import os
import socket
import ssl
import threading
import unittest

from enrolment import DATA, Authd, keys_of
from harness import Installation, needs_root


class LyingServer(threading.Thread):
    """Answers each connection with the next of `answers`."""

    def __init__(self, *answers):
        super().__init__(daemon=True)
        self.answers = answers
        self.requests = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(DATA, "server.pem"), os.path.join(DATA, "server.key"))
        for answer in self.answers:
            plain, _ = self.socket.accept()
            try:
                with context.wrap_socket(plain, server_side=True) as secure:
                    self.requests.append(secure.recv(4096))
                    secure.sendall(answer)
            except (ssl.SSLError, OSError):
                pass
        self.socket.close()


@needs_root
class AgentAuth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager = Installation(kind="server")
        cls.agent = Installation(kind="agent", manager="127.0.0.1")
        cls.manager.write("etc/local_internal_options.conf", "authd.rate_limit=0\n")
        cls.password = os.path.join(cls.agent.root, "password")

    @classmethod
    def tearDownClass(cls):
        cls.manager.close()
        cls.agent.close()

    def setUp(self):
        for installation in (self.manager, self.agent):
            open(installation.path("etc/client.keys"), "w").close()

    def auth(self, port, *flags, password="topsecret\n"):
        with open(self.password, "w") as f:
            f.write(password)
        return self.agent.run("bin/agent-auth", "-D", self.agent.prefix, "-m", "127.0.0.1", "-p", str(port),
                              "-P", self.password, *flags)

    def test_a_host_gets_its_key(self):
        with Authd(self.manager) as authd:
            result = self.auth(authd.port, "-A", "web01")
            self.assertEqual(result.returncode, 0, result.stderr)
            for line in ("INFO: Connected to 127.0.0.1:%d" % authd.port, "INFO: Using agent name as: web01",
                         "INFO: Send request to manager. Waiting for reply.", "INFO: Valid key created. Finished."):
                self.assertIn(line + "\n", result.stdout)
            self.assertEqual(keys_of(self.agent), keys_of(self.manager))
            facts = os.stat(self.agent.path("etc/client.keys"))
            self.assertEqual((facts.st_uid, facts.st_mode & 0o7777), (0, 0o640))
            again = self.auth(authd.port, "-A", "web01")
            self.assertEqual(again.returncode, 0)
            self.assertEqual(keys_of(self.agent)[0].split()[1], "web012")
            self.assertEqual(len(keys_of(self.agent)), 1)

    def test_what_the_manager_refuses_is_told_and_nothing_is_stored(self):
        with Authd(self.manager) as authd:
            result = self.auth(authd.port, "-A", "web01", password="wrong\n")
            self.assertEqual(result.returncode, 1)
            self.assertIn("ERROR: Invalid password. (from manager)\n", result.stdout)
            self.assertEqual(keys_of(self.agent), [])

    def test_bad_names_are_refused_with_the_reason_before_anything_is_sent(self):
        for name in ("a/b", "..", "n" * 128, "bad name", "a\x01b"):
            result = self.auth(1, "-A", name)
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, "ERROR: Invalid agent name '.*': it ")

    def test_the_manager_is_checked_with_v(self):
        for name in ("cert", "key"):
            with open(os.path.join(DATA, "server." + ("pem" if name == "cert" else "key"))) as f:
                self.manager.write("etc/sslmanager." + name, f.read())
        with Authd(self.manager) as authd:
            authority = ("-v", os.path.join(DATA, "ca.pem"))
            self.assertEqual(self.auth(authd.port, "-A", "web01", *authority).returncode, 0)
            wrong_name = self.auth(authd.port, "-A", "web01", "-m", "localhost", *authority)
            self.assertEqual(wrong_name.returncode, 1)
            self.assertIn("not for 'localhost'", wrong_name.stderr)
            other = self.auth(authd.port, "-A", "web01", "-v", os.path.join(DATA, "other.pem"))
            self.assertEqual(other.returncode, 1)
            self.assertIn("certificate", other.stderr)
            self.assertEqual(len(keys_of(self.manager)), 1)

    def test_a_host_certificate_is_shown(self):
        with Authd(self.manager, "-v", os.path.join(DATA, "ca.pem")) as authd:
            self.assertEqual(self.auth(authd.port, "-A", "web01").returncode, 1)
            shown = self.auth(authd.port, "-A", "web01", "-x", os.path.join(DATA, "client.pem"),
                              "-k", os.path.join(DATA, "client.key"))
            self.assertEqual(shown.returncode, 0, shown.stderr)

    def test_keys_that_break_the_rules_are_not_stored(self):
        key = b"0" * 64
        lies = [b"OSSEC K:'1024 web any'\n\n", b"OSSEC K:'1024 web 10.0.0.0/8 " + key + b"'\n\n",
                b"OSSEC K:'x web any " + key + b"'\n\n", b"OSSEC K:'1 a/b any " + key + b"'\n\n",
                b"OSSEC K:'1 web any short'\n\n", b"nonsense\n\n", b""]
        server = LyingServer(*lies)
        self.agent.write("etc/client.keys", "001 old any %s\n" % ("a" * 64))
        for lie in lies:
            result = self.auth(server.port, "-A", "web")
            self.assertEqual(result.returncode, 1, lie)
            self.assertIn("ERROR: ", result.stderr)
        self.assertEqual(keys_of(self.agent), ["001 old any " + "a" * 64])
        self.assertEqual(set(server.requests), {b"OSSEC PASS: topsecret OSSEC A:'web'\n"})

    def test_mistakes_on_the_command_line_are_named(self):
        for flags, text in ((["-p", "0"], "-p 0"), (["-x", "a"], "-x and -k"), (["-q"], "-q"), (["--bogus"], "'--bogus'"), (["extra"], "'extra'"),
                            (["-g", "nosuchgroup"], "nosuchgroup"), (["-P", "/nonexistent"], "/nonexistent")):
            result = self.auth(1, "-t", *flags)
            self.assertEqual(result.returncode, 1, flags)
            self.assertIn(text, result.stderr)
        self.assertEqual(self.auth(1, "-t", "-A", "web").returncode, 0)
        unreachable = self.auth(1, "-A", "web")
        self.assertIn("Unable to connect to 127.0.0.1:1", unreachable.stderr)


if __name__ == "__main__":
    unittest.main()
