"""An agent of protocol version 1 for tests, on top of legacy_peer.py: one thread, driven by the test.

    with LegacyAgent("001", "web01", key, manager=("127.0.0.1", 1514), cipher="aes") as agent:
        agent.start_up()
        agent.send_event("1:/var/log/auth.log:text")
        agent.keep_alive()
        agent.receive_until(lambda: agent.merged is not None)
"""
import hashlib
import os
import random
import socket
import time

from harness import PATIENCE
from legacy_peer import Refused, advance, derive, seal, unseal

UNAME = "Linux %s 6.1.0-18-amd64 #1 SMP Debian 6.1.76-1 x86_64 - OSSEC HIDS v4.2.0"


class LegacyAgent:
    """`with_id`: puts "!ID!" in front of its packets, as an agent whose entry is no single host must."""

    def __init__(self, agent_id, name, key, manager, cipher="aes", with_id=True, source=None):
        self.id, self.name = agent_id, name
        self.secret = derive(agent_id, name, key)
        self.cipher = cipher
        self.prefix = b"!%s!" % agent_id.encode() if with_id else b""
        self.counter = (0, 0)       # of what it sent
        self.highest = (0, 0)       # of what it received
        self.acknowledgements = 0
        self.commands = []          # texts behind "#!-" other than acknowledgements and files
        self.answer_ciphers = []
        self.largest = 0            # datagram received
        self.uname = UNAME % name
        self.agent_conf_md5 = None
        self.merged = None          # content of merged.mg once it was received whole
        self.files = {}             # received files, by name
        self._open = None           # (md5, name, pieces)
        self._socket = socket.socket(socket.AF_INET6 if ":" in manager[0] else socket.AF_INET, socket.SOCK_DGRAM)
        # Version 1 cannot ask for what was lost here. 33: SO_RCVBUFFORCE, beyond the system's limit.
        self._socket.setsockopt(socket.SOL_SOCKET, 33 if os.getuid() == 0 else socket.SO_RCVBUF, 16 << 20)
        if source:
            self._socket.bind((source, 0))
        self._socket.connect(manager)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    # --- sending ---

    def packet(self, text):
        self.counter = advance(self.counter)
        message = text if isinstance(text, bytes) else text.encode()
        return seal(self.secret, self.cipher, self.counter, message, self.prefix)

    def send(self, text):
        self.send_raw(self.packet(text))

    def send_raw(self, datagram):
        for _ in range(2):
            try:
                self._socket.send(datagram)
                return
            except ConnectionRefusedError:
                pass  # that is about an earlier one, and this one was not sent; the manager may be there by now

    def send_event(self, text):
        self.send(text)

    def keep_alive(self, capabilities=""):
        merged = hashlib.md5(self.merged).hexdigest() if self.merged is not None else "x"
        conf = " / " + self.agent_conf_md5 if self.agent_conf_md5 else ""
        filler = "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*()", k=random.randrange(600)))
        self.send(("#!-%s%s\n%s merged.mg\n\n%s%s" % (self.uname, conf, merged, capabilities, filler))[:1023])

    def start_up(self, patience=PATIENCE):
        """Says hello until it is acknowledged."""
        before = self.acknowledgements
        deadline = time.monotonic() + patience
        while self.acknowledgements == before:
            if time.monotonic() > deadline:
                raise AssertionError("agent %s: no acknowledgement within %s s" % (self.id, patience))
            self.send("#!-agent startup ")
            self.receive(0.5)

    # --- receiving ---

    def receive(self, seconds):
        """Takes one datagram, if one comes; True when one came."""
        datagram = self._next(seconds)
        if datagram is not None:
            self._read(datagram)
        return datagram is not None

    def receive_others_until(self, condition, say):
        """Goes on to `say()` until `condition()`, and gives the datagrams that came meanwhile and are not for this agent."""
        others = []
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError("agent %s: gave up after %s s" % (self.id, PATIENCE))
            say()
            while not condition() and (datagram := self._next(0.5)) is not None:
                try:
                    self._read(datagram)
                except Refused:
                    others.append(datagram)
        return others

    def _next(self, seconds):
        self._socket.settimeout(max(seconds, 0.001))
        try:
            return self._socket.recv(65535)
        except (TimeoutError, ConnectionRefusedError):
            return None

    def _read(self, datagram):
        self.largest = max(self.largest, len(datagram))
        cipher, counter, message = unseal(self.secret, datagram)
        if counter <= self.highest:
            raise Refused("counter %r after %r" % (counter, self.highest))
        self.highest = counter
        self.answer_ciphers.append(cipher)
        self._take(message)

    def receive_until(self, condition, patience=PATIENCE):
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError("agent %s: gave up after %s s" % (self.id, patience))
            self.receive(0.1)

    def _take(self, message):
        if not message.startswith(b"#!-"):
            if self._open is None:
                raise Refused("content without a file")
            self._open[2].append(message)
            return
        text = message[3:]
        if text == b"agent ack ":
            self.acknowledgements += 1
        elif text.startswith(b"up file "):
            md5, name = text[8:].rstrip(b"\n").decode().split(" ", 1)
            self._open = (md5, name, [])
        elif text == b"close file ":
            self._close()
        else:
            self.commands.append(text.decode())

    def _close(self):
        md5, name, pieces = self._open
        self._open = None
        content = b"".join(pieces)
        if hashlib.md5(content).hexdigest() != md5:
            return
        self.files[name] = content
        if name == "merged.mg":
            self.merged = content


def split(merged):
    """Entries of merged.mg as an agent cuts them out: {name: content}."""
    files = {}
    at = 0
    while at < len(merged):
        end = merged.find(b"\n", at)
        if end < 0:
            break
        line = merged[at:end]
        at = end + 1
        if not line.startswith(b"!"):
            continue
        size, _, name = line[1:].partition(b" ")
        files[name.decode()] = merged[at:at + int(size)]
        at += int(size)
    return files
