#!/usr/bin/python3
"""What the shipped rules say to real logs that nobody here wrote; the section "Real logs" of docs/rules.md.

usage: real_logs.py LOGTEST FOLDER [--write]
  LOGTEST   ospatrol-logtest of a build
  FOLDER    holds OpenSSH_2k.log, Linux_2k.log, Mac_2k.log and Apache_2k.log of the loghub collection
  --write   put the section into docs/rules.md; without it, it is printed

Exits 1 when a line of OpenSSH_2k.log does not come to its rule, or when more than 0.5 % of the lines of Linux_2k.log or
Mac_2k.log fire a rule of level 7 or above that is not one of ATTACKS.
Says, too, for which frequent kind of lines without a rule no reason is known here.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import shipped

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/rules.md"
BEGIN, END = "<!-- begin of real logs -->\n", "<!-- end of real logs -->\n"
LOGS = ("OpenSSH_2k.log", "Linux_2k.log", "Mac_2k.log", "Apache_2k.log")

# Text in a line of OpenSSH_2k.log, how many lines have it, and the rules that may come of it: the rule of the line itself
# or a composite that the line completes.
KINDS = (
    ("Failed password for", 520, {5710, 5716, 5712, 5720, 40111}),
    ("Failed password for invalid user", 135, {5710, 5712, 40111}),
    (": Invalid user", 113, {5710, 5712, 40111}),
    ("POSSIBLE BREAK-IN", 85, {5702, 5703, 5757}),
    ("Received disconnect from", 468, {5721}),
    ("Connection closed by", 34, {5722}),
    ("Did not receive identification", 10, {5706}),
    ("Too many authentication failures", 3, {57000}),
)

# Rules of level 7 and above whose hits in these logs are attacks, or what an administrator wants to be told.
ATTACKS = {
    5551: "guessing of passwords through PAM, each from one address.",
    40111: "the same guessing, from several addresses at once.",
    2502: "PAM's sum of such guessing on one connection.",
    5504: "guessing of account names.",
}

# What fires at level 7 and above without an attack, and why the rule stays so.
KNOWN = {
    1003: "not an attack: a program of macOS writes its own error objects. The level is an interface that users know; "
          "silence a program like this one in local_rules.xml.",
}

# Why it is right that no rule fires: first pattern found in the template.
REASONS = (
    (r"^udev: (?:removing|creating) device node", "a terminal was opened or closed"),
    (r"^(?:cups|syslog|\w+): \w+ (?:shutdown|startup) succeeded", "start and stop of a service at boot, as ordered"),
    (r"getpeername \(ftpd\)|can't get client address", "second line of a client that left; its connection has its own line"),
    (r"Received SNMP packet", "normal work of an SNMP agent"),
    (r"scheduler_evaluate_activity told me|CDScheduler: Thermal pressure", "the scheduler of macOS at work"),
    (r"systemWakeCall|IOThunderboltSwitch|listenerCallback", "devices at sleep and wake-up"),
    (r"dnssd_clientstub ConnectToServer", "a client waits for the name service after wake-up"),
    (r"(?:sandboxd|Sandbox).* deny", "a sandbox of macOS as its maker set it; dozens a day on a healthy machine"),
    (r"Bluetooth|ARPT|AirPort|wlan|en\d", "radio devices at work"),
    (r"^kernel: ", "a driver at work"),
    (r"^com\.apple\.|^UserEventAgent|^QQ: |^Safari|^mDNSResponder|^corecaptured|^networkd", "a program at work; nothing to do with security"),
    (r"^gpm|^kernel|^rc|^network|^sysctl|^bluetooth|^irqbalance|^portmap|^nfslock|^rpc|^random|^hcid|^sdpd", "start-up of a service"),
)


def template(text):
    """The line without what differs from line to line."""
    text = re.sub(r"\b(?:\d{1,3}\.){3}\d{1,3}\b", "<ip>", text)
    text = re.sub(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", "<mac>", text)
    text = re.sub(r"0x[0-9a-f]+", "<n>", text, flags=re.I)
    return re.sub(r"\d+", "<n>", text)


def body(line):
    """The line without date, host and process id."""
    line = re.sub(r"^\w{3} +\d+ \d\d:\d\d:\d\d \S+ ", "", line)
    line = re.sub(r"^\[\w{3} \w{3} \d+ \d\d:\d\d:\d\d \d{4}\] ", "", line)
    return re.sub(r"^([^\s\[:]+)(?:\(\S+\))?\[\d+\]", r"\1", line)


def judge(logtest, path):
    """Pairs of a line and what became of it."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    with tempfile.TemporaryDirectory() as folder:
        shipped.lay_out(ROOT, folder)
        result = subprocess.run([logtest, "-D", folder, "--json"], input="\n".join(lines) + "\n", capture_output=True,
                                text=True, check=False)
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    if len(objects) != len(lines):
        sys.exit(f"{path}: {len(objects)} of {len(lines)} lines judged\n{result.stderr}")
    return list(zip(lines, objects))


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


def rule_of(seen):
    return seen["rule"]["id"] if seen["rule"] else 0


def openssh(judged, problems):
    rows = ["| text of the line | lines, by grep | judged | by rule |", "|---|---|---|---|"]
    for text, count, rules in KINDS:
        seen = collections.Counter(rule_of(o) for line, o in judged if text in line)
        rows.append(f"| `{text}` | {count} | {sum(seen.values())} | "
                    f"{', '.join(f'{rule}: {n}' for rule, n in seen.most_common())} |")
        if sum(seen.values()) != count or not set(seen) <= rules:
            problems.append(f"OpenSSH_2k.log: {text}: {dict(seen)}")
    return rows


def section(logtest, folder):
    """The text, what is wrong, and what has no reason yet."""
    problems, notes = [], []
    out = ["The first 2000 lines that the [loghub](https://github.com/logpai/loghub) collection publishes of four logs.",
           "Written by `tests/rules/real_logs.py`; rule 0 stands for no rule.", ""]
    for name in LOGS:
        judged = judge(logtest, folder / name)
        hits = collections.Counter(rule_of(o) for _, o in judged)
        decoded = sum(1 for _, o in judged if o["decoder"])
        levels = {o["rule"]["id"]: (o["rule"]["level"], o["rule"]["description"]) for _, o in judged if o["rule"]}
        out += [f"### {name}", "", f"{len(judged)} lines, {decoded} decoded, {len(judged) - hits[0]} with a rule.", ""]
        if name == "OpenSSH_2k.log":
            out += openssh(judged, problems) + [""]
        out += ["| rule | level | lines | description |", "|---|---|---|---|"]
        out += [f"| {rule} | {levels[rule][0]} | {count} | {cell(levels[rule][1])} |"
                for rule, count in hits.most_common() if rule]
        high = [(line, o["rule"]) for line, o in judged if o["rule"] and o["rule"]["level"] >= 7]
        false = [line for line, rule in high if rule["id"] not in ATTACKS]
        out += ["", f"Level 7 and above: {len(high)} lines ({len(high) / len(judged):.1%})."]
        if name != "OpenSSH_2k.log":
            for rule in sorted({rule["id"] for _, rule in high}):
                some = [line for line, r in high if r["id"] == rule]
                what = ATTACKS.get(rule) or KNOWN.get(rule, "?")
                out.append(f"* {rule}, {len(some)} lines: {what} For example `{some[0][:120]}`")
        if name in ("Linux_2k.log", "Mac_2k.log") and len(false) > 0.005 * len(judged):
            problems.append(f"{name}: {len(false)} lines at level 7 or above are not known attacks")
        left = collections.Counter(template(body(line)) for line, o in judged if not o["rule"])
        if left:
            out += ["", f"Without a rule: {hits[0]} lines of {len(left)} kinds; the most frequent:", "",
                    "| lines | text | why that is right |", "|---|---|---|"]
            for text, count in left.most_common(10):
                reason = next((why for pattern, why in REASONS if re.search(pattern, text)), None)
                if reason is None:
                    notes.append(f"{name}: no reason for {text!r}")
                out.append(f"| {count} | `{text.replace('|', chr(92) + '|')}` | {reason or '?'} |")
        out.append("")
    return "\n".join(out), problems, notes


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--write"]
    if len(arguments) != 2:
        sys.exit(__doc__)
    text, problems, notes = section(arguments[0], pathlib.Path(arguments[1]))
    if "--write" in sys.argv:
        page = PAGE.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        PAGE.write_text(before + BEGIN + text + END + rest.split(END)[1], encoding="utf-8")
    else:
        print(text)
    for problem in problems + notes:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
