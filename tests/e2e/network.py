"""Hosts in network namespaces around one router, for end-to-end tests: addresses of both families, NAT, loss, cuts.

    with Network("manager", "web", "db") as net:
        net.run("web", ["ping", "-c1", net.address("manager")])
        net.lose(30); net.cut("web"); net.heal(); net.translate("web", "db")
"""
import os
import re
import secrets
import subprocess
import unittest


def _ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def _available():
    if os.getuid() != 0:
        return "needs root: makes network namespaces"
    name = "ospatrol-try-" + secrets.token_hex(4)
    try:
        _ip("netns", "add", name)
        try:
            subprocess.run(["ip", "netns", "exec", name, "nft", "add table inet try"], check=True, capture_output=True)
        finally:
            _ip("netns", "del", name)
    except (OSError, subprocess.CalledProcessError) as problem:
        return "no network namespaces with nftables here: %s" % problem
    return ""


_reason = _available()
needs_network = unittest.skipIf(_reason, _reason)


class Network:
    """Host number N (from 1, in the order of the names) has 10.77.N.2 and fd77:N::2; the router is 10.77.N.1."""

    def __init__(self, *hosts):
        self.hosts = list(hosts)
        self.mark = "osp-" + secrets.token_hex(4)  # the number of a process may come again
        self.router = self.mark + "-router"
        self._rules = []
        self._translated = []
        _ip("netns", "add", self.router)
        self._router("sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        for number, host in enumerate(self.hosts, 1):
            self._attach(number, host)
        self._apply()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for host in self.hosts:
            subprocess.run(["ip", "netns", "del", self.namespace(host)], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "del", self.router], capture_output=True, check=False)

    def namespace(self, host):
        return "%s-%s" % (self.mark, host)

    def address(self, host, family=4):
        number = self.hosts.index(host) + 1
        return "10.77.%d.2" % number if family == 4 else "fd77:%d::2" % number

    def run(self, host, command, **options):
        """subprocess.run in the namespace of `host`."""
        return subprocess.run(["ip", "netns", "exec", self.namespace(host), *command], check=False, **options)

    def popen(self, host, command, **options):
        return subprocess.Popen(["ip", "netns", "exec", self.namespace(host), *command], **options)

    def lose(self, percent, port=1514):
        """Of each hundred packets from or to UDP `port`, `percent` vanish, at random."""
        self._rules += ["udp %s %d numgen random mod 100 < %d drop" % (side, port, percent)
                        for side in ("dport", "sport")]
        self._apply()

    def cut(self, host):
        """Nothing goes to or from `host` any more, and nobody says so."""
        number = self.hosts.index(host) + 1
        self._rules += ["iifname h%d drop" % number, "oifname h%d drop" % number]
        self._apply()

    def let_only_old_packets_pass(self, port=1514):
        """An attacker on the way: datagrams of protocol 2 vanish, those of version 1 go on."""
        for side in ("dport", "sport"):
            self._rules.append("udp %s %d @th,64,8 0xf2 drop" % (side, port))
        self.count_old_packets(port)

    def count_old_packets(self, port=1514):
        self._rules += ["udp %s %d @th,64,8 != 0xf2 counter" % (side, port) for side in ("dport", "sport")]
        self._apply()

    def old_packets(self):
        """How many datagrams of version 1 have passed since they are counted."""
        listed = subprocess.run(["ip", "netns", "exec", self.router, "nft", "list", "ruleset"], check=True,
                                capture_output=True, text=True).stdout
        return sum(int(n) for n in re.findall(r"counter packets (\d+)", listed))

    def heal(self):
        """Takes back lose(), cut() and the like."""
        self._rules = []
        self._apply()

    def translate(self, *hosts):
        """NAT: what these hosts send comes from the router's address."""
        self._translated = list(hosts)
        self._apply()

    def _attach(self, number, host):
        namespace = self.namespace(host)
        _ip("netns", "add", namespace)
        _ip("link", "add", "h%d" % number, "netns", self.router, "type", "veth", "peer", "name", "eth0", "netns",
            namespace)
        self._router("ip", "address", "add", "10.77.%d.1/24" % number, "dev", "h%d" % number)
        self._router("ip", "address", "add", "fd77:%d::1/64" % number, "dev", "h%d" % number, "nodad")
        self._router("ip", "link", "set", "h%d" % number, "up")
        for command in (["link", "set", "lo", "up"],
                        ["address", "add", "10.77.%d.2/24" % number, "dev", "eth0"],
                        ["address", "add", "fd77:%d::2/64" % number, "dev", "eth0", "nodad"],
                        ["link", "set", "eth0", "up"],
                        ["route", "add", "default", "via", "10.77.%d.1" % number],
                        ["-6", "route", "add", "default", "via", "fd77:%d::1" % number]):
            _ip("-n", namespace, *command)

    def _router(self, *command):
        subprocess.run(["ip", "netns", "exec", self.router, *command], check=True, capture_output=True)

    def _apply(self):
        lines = ["flush ruleset", "table inet faults {", "chain forward {",
                 "type filter hook forward priority 0"] + self._rules + ["}", "}"]
        lines += ["table ip translation {", "chain postrouting {", "type nat hook postrouting priority 100"]
        lines += ["ip saddr %s masquerade" % self.address(host) for host in self._translated] + ["}", "}"]
        subprocess.run(["ip", "netns", "exec", self.router, "nft", "-f", "-"], input="\n".join(lines) + "\n", text=True,
                       check=True, capture_output=True)
