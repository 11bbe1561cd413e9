"""A manager of protocol version 1 for tests, written from the protocol's description alone: it shares no code with the
product. It takes packets of one or more agents, acknowledges control messages, sends shared files and commands.

    with LegacyManager([("001", "web01", "any", "a" * 64)], cipher="aes") as manager:
        ... point an agent to 127.0.0.1, manager.port ...
        manager.events   # texts "T:LOCATION:TEXT" in the order of their arrival
"""
import hashlib
import os
import select
import socket
import threading
import time

from harness import free_port
from legacy_peer import advance, derive, seal, unseal

CHUNK = 900


def md5(data):
    return hashlib.md5(data).hexdigest()


def merge(files):
    return b"".join(b"!%d %s\n" % (len(content), name.encode()) + content for name, content in sorted(files.items()))


class Agent:
    def __init__(self, agent_id, name, address, key):
        self.id, self.name, self.address = agent_id, name, address
        self.secret = derive(agent_id, name, key)
        self.highest = (0, 0)
        self.peer = None
        self.cipher = None


class LegacyManager:
    """cipher: "aes", "blowfish" (what it accepts) or "both". Answers nothing while `silent`."""

    def __init__(self, agents, cipher="both", port=None, host="127.0.0.1"):
        self.agents = {agent[0]: Agent(*agent) for agent in agents}
        self.accepts = ("aes", "blowfish") if cipher == "both" else (cipher,)
        self.host, self.port = host, port or free_port()
        self.silent = False
        self.events = []      # of all agents
        self.controls = []    # (time, text)
        self.keep_alives = []
        self.refused = []     # reasons
        self.datagrams = 0
        self.files = {}       # shared files: name -> bytes
        self.pushes = 0
        self.counter = (0, 0)
        self._socket = None
        self._thread = None
        self._stop = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self):
        self.open()
        return self

    def __exit__(self, *_):
        self.close()

    def open(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # Version 1 cannot ask for what was lost here. 33: SO_RCVBUFFORCE, beyond the system's limit.
        self._socket.setsockopt(socket.SOL_SOCKET, 33 if os.getuid() == 0 else socket.SO_RCVBUF, 64 << 20)
        self._socket.bind((self.host, self.port))
        self._stop.clear()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        """The process is gone: its host says so (ICMP) to whoever sends."""
        if self._thread is None:
            return
        self._stop.set()
        self._thread.join()
        self._thread = None
        self._socket.close()

    def _serve(self):
        while not self._stop.is_set():
            if not select.select([self._socket], [], [], 0.05)[0]:
                continue
            try:
                packet, peer = self._socket.recvfrom(65536)
            except OSError:
                continue
            self.datagrams += 1
            if not self.silent:
                self._take(packet, peer)

    def _take(self, packet, peer):
        agent = None
        if packet.startswith(b"!"):
            agent_id, _, packet = packet[1:].partition(b"!")
            agent = self.agents.get(agent_id.decode("ascii", "replace"))
        else:
            agent = next((a for a in self.agents.values() if a.address == peer[0]), None)
        if agent is None:
            self.refused.append("unknown agent")
            return
        if ("aes" if packet.startswith(b"#AES") else "blowfish") not in self.accepts:
            self.refused.append("cipher")
            return
        try:
            cipher, counter, message = unseal(agent.secret, packet)
        except ValueError as problem:
            self.refused.append(str(problem))
            return
        if counter <= agent.highest:
            self.refused.append("counter")
            return
        agent.highest, agent.cipher, agent.peer = counter, cipher, peer
        text = message.split(b"\0")[0].decode("utf-8", "replace")
        if text.startswith("#!-"):
            self._control(agent, text[3:])
        else:
            self.events.append(text)

    def _control(self, agent, text):
        self.controls.append((time.monotonic(), text))
        self.send(b"#!-agent ack ", agent)
        if text == "agent startup ":
            return
        self.keep_alives.append(text)
        if not self.files:
            return
        merged = merge(self.files)
        if md5(merged) + " merged.mg\n" not in text:
            self.push(agent, "merged.mg", merged)

    def push(self, agent, name, content):
        self.pushes += 1
        self.send(b"#!-up file %s %s\n" % (md5(content).encode(), name.encode()), agent)
        packets = 0
        while content:
            # Content that begins like a control message would be taken for one.
            length = 1 if content.startswith(b"#!-") else CHUNK
            if length > 1 and content[length:].startswith(b"#!-"):
                length -= 1
            self.send(content[:length], agent)
            content = content[length:]
            packets += 1
            if packets % 31 == 0:
                time.sleep(0.1)  # the old manager pauses for a second here
        self.send(b"#!-close file ", agent)

    def send(self, message, agent=None):
        """Also from the test's thread: `manager.send(b"#!-execd ...")` to the one agent."""
        with self._lock:
            agent = agent or next(iter(self.agents.values()))
            if agent.peer is None:
                raise AssertionError("no agent has been heard")
            self.counter = advance(self.counter)
            self._socket.sendto(seal(agent.secret, agent.cipher, self.counter, message), agent.peer)

    def send_raw(self, datagram):
        agent = next(iter(self.agents.values()))
        self._socket.sendto(datagram, agent.peer)
