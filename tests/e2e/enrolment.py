"""A manager's ospatrol-authd for tests and benchmarks, and Python's own TLS as its client."""
import os
import pwd
import re
import signal
import socket
import ssl

from harness import SOURCE, free_port, read

DATA = os.path.join(SOURCE, "tests/data/tls")
KEY = re.compile(r"OSSEC K:'(\d+) (\S+) (\S+) ([0-9a-f]{64})'\n\n")
NOT_ADDED = "ERROR: Unable to add agent.\n\n"


def client_context(certificate=None, minimum=None, maximum=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(os.path.join(DATA, certificate + ".pem"), os.path.join(DATA, certificate + ".key"))
    if minimum:
        context.minimum_version = minimum
    if maximum:
        context.maximum_version = maximum
    return context


def ask(port, request, source="127.0.0.1", context=None):
    """Sends one request and returns everything that is answered until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=600, source_address=(source, 0)) as plain:
        with (context or client_context()).wrap_socket(plain) as secure:
            secure.sendall(request if isinstance(request, bytes) else request.encode())
            answer = b""
            while True:
                try:
                    part = secure.recv(4096)
                except (ssl.SSLError, ConnectionError):
                    part = b""
                if not part:
                    return answer.decode()
                answer += part


class Authd:
    """One ospatrol-authd of `manager` with its flags. Use as a context manager."""

    def __init__(self, manager, *flags, password="topsecret"):
        self.manager = manager
        self.port = free_port()
        self.flags = flags
        path = manager.path("etc/authd.pass")
        if password is None:
            if os.path.exists(path):
                os.remove(path)
        else:
            manager.write("etc/authd.pass", password + "\n")
            os.chmod(path, 0o640)
            os.chown(path, 0, pwd.getpwnam("ospatrol").pw_gid)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        result = self.manager.run("bin/ospatrol-authd", "-D", self.manager.prefix, "-p", str(self.port), *self.flags)
        if result.returncode != 0:
            raise AssertionError("authd does not start: %s\n%s" % (result.stderr, self.manager.log()))

    def pid(self):
        return self.manager.pid("ospatrol-authd")

    def stop(self, number=signal.SIGTERM):
        if self.pid():
            self.manager.kill("ospatrol-authd", number)

    def ask(self, request, **options):
        return ask(self.port, request, **options)

    def enrol(self, name, source="127.0.0.1", **options):
        """The key line that is given for `name`."""
        answer = self.ask("OSSEC PASS: topsecret OSSEC A:'%s'\n" % name, source=source, **options)
        match = KEY.fullmatch(answer)
        if not match:
            raise AssertionError("no key for %s: %r\n%s" % (name, answer, self.manager.log()))
        return " ".join(match.groups())


def keys_of(installation):
    return read(installation.path("etc/client.keys")).splitlines()


def whole_entries(installation):
    """Entries of client.keys; fails on a line that is none."""
    lines = keys_of(installation)
    for line in lines:
        if not re.fullmatch(r"\d+ ([-A-Za-z0-9_.]{2,127} \S+ [0-9a-f]{64}|#[#*]*)", line):
            raise AssertionError("bad line in client.keys: %r" % line)
    return [line for line in lines if "#" not in line]
