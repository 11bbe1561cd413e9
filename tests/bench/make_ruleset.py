#!/usr/bin/python3
"""Lays out the ruleset that benchmarks run with: what ships, filled up to a given size.

  make_ruleset.py OUT_DIR [--rules 1300] [--decoders 340] [--times 1] [--shipped DIR]

OUT_DIR receives etc/ospatrol.conf, etc/local_decoder.xml, rules/*.xml and decoders/*.xml instead of those that were there;
other files stay as they are, so it may be an installed prefix. The filling follows tests/data/{rules,decoders}-catalogue.tsv, which say how the full set is
shaped (parents, decoded_as, levels, frequencies, kinds of condition); the texts of conditions come from the samples of
families.tsv and, where a rule has none, from the words that the catalogue quotes. What ships is never generated, so the
filling shrinks as families land. Two runs give the same bytes.

--shipped DIR: the source tree (etc, rules, decoders, tests/data) whose rules ship; default: this one. With that of an older
commit, figures of different days are about the same rules.
--times N: N times the rules. Each added rule is a neighbour of one of the others: the same parents and kind of
condition, but of a text that no program writes. None of them ever applies.

It is a stand-in for the speed of a full set, not for its verdicts.
"""
import argparse
import collections
import csv
import glob
import itertools
import os
import re
import shutil
import sys
from xml.sax.saxutils import escape

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIRST_PAD_ID = 100000  # ids that belong to users: no shipped rule will ever have one
FIRST_NEIGHBOUR_ID = 200000
GENERATED = "generated"  # in the names of the files that this program writes

# What an administrator would add for the hosts of the mixed log: noise there makes alerts, so that more than 40 % of its
# lines alert, whatever ships. Written always, and counted.
SITE_RULES = [
    ('<if_sid>31108</if_sid>\n    <url_pcre2>^/login</url_pcre2>', "Somebody opens the login page."),
    ('<if_sid>31108</if_sid>\n    <url_pcre2>^/robots\\.txt</url_pcre2>', "A crawler asks what it may read."),
    ('<program_name_pcre2>^kernel</program_name_pcre2>\n    <pcre2>^ARPT: |^AirPort|^en0: |Thunderbolt|^IO80211|'
     '^Sandbox: |PM response took</pcre2>', "Kernel of a portable: radio and docks."),
    ('<program_name_pcre2>^com\\.apple\\.cts</program_name_pcre2>', "Scheduled work of a portable."),
    ('<program_name_pcre2>^corecaptured</program_name_pcre2>', "Capture of a radio fault."),
    ('<program_name_pcre2>^QQ|^WeChat</program_name_pcre2>', "A messenger runs."),
]

SYSLOG = re.compile(r"^(?:\d{4} )?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?:(?!\S+\[\d+\]: |WinEvtLog)\S+ )?"
                    r"([\w./-]+)(?:\(\w+\))?(?:\[\d+\])?: (.*)$")
OTHER_HEADER = re.compile(r"^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]+ (?=\S)|"  # host, no program
                          r"\[[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d [\d:.]+ \d{4}\] |"  # Apache's error log
                          r"\d{10}\.\d{3} +|"  # squid
                          r"\d\d/\d\d-\d\d:\d\d:\d\d\.\d{6} +)")  # snort
FIELD_NAMES = {"user": "dstuser", "protocol": "proto"}  # catalogue -> samples
WORD = re.compile(r"[A-Za-z]{3,}")
DATE_WORD = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"


def table(name):
    with open(os.path.join(SOURCE, "tests/data", name), encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return re.sub(r"<!--.*?-->", "", f.read(), flags=re.S)


def quote(text):
    """PCRE2 that matches `text`; never a '$', which would begin a variable."""
    return re.sub(r"([\\.^$|?*+()\[\]{}])", r"\\\1", text).replace("\\$", "[$]").replace("$]", "\\x24]")


def general(text):
    """PCRE2 for texts like this one: any number, any date."""
    out = quote(text)
    out = re.sub(r"\d+", lambda m: "\\d+", out)
    out = re.sub(r"\b%s\b" % DATE_WORD, r"[A-Z][a-z]{2}", out)
    return re.sub(r" +", " +", out)


def words_of(text):
    return WORD.findall(text)


class Sample:
    """One line of families.tsv: what it shows of a family."""

    def __init__(self, row):
        self.decoder = row["decoder"]
        self.line = row["line"].replace("<TAB>", "\t")
        fields = row["fields"]
        self.fields = {} if fields in ("-", "(plug-in)") else dict(
            f.split("=", 1) for f in re.split(r"; (?=[a-z_]+=)", fields) if "=" in f)
        self.rules = [int(r) for r in re.findall(r"\d+", row["rules"])]
        header = SYSLOG.match(self.line)
        self.program = header.group(1) if header else None
        self.log = header.group(2) if header else OTHER_HEADER.sub("", self.line)

    def beginning(self, tokens):
        head = " ".join(self.log.split(" ")[:tokens])[:60]
        return "^" + general(head)

    def telling_tokens(self):
        """How many words of the beginning tell this family from others."""
        if re.match(r"\[[\w:]*\] \[(?:client|pid) ", self.log):  # Apache: the severity alone
            return 1
        first = re.sub(DATE_WORD, "", self.log.split(" ")[0])
        return 2 if self.program is not None or words_of(first) else 6

    def pattern_for(self, order):
        """Captures for the fields of `order` where they stand in the line; None when they do not stand there so."""
        position, parts = 0, []
        for name in order:
            value = self.fields.get(FIELD_NAMES.get(name, name))
            if value is None and name in ("srcuser", "dstuser", "user"):
                value = self.fields.get("srcuser") or self.fields.get("dstuser")
            if not value:
                return None
            at = self.log.find(value, position)
            if at < 0:
                return None
            before = self.log[max(position, at - 12):at]
            digits = re.fullmatch(r"[\d.]+", value)
            capture = r"([\d.]+)" if digits else r"(\S+)" if " " not in value else r"(.+?)"
            gap = ".*?" if parts and at - 12 > position else ""
            parts.append(gap + general(before) + capture)
            position = at + len(value)
        if parts[-1].endswith("(.+?)"):
            parts[-1] += re.escape(self.log[position:position + 1]) if position < len(self.log) else "\\s*$"
        return "".join(parts)


class Families:
    def __init__(self):
        samples = [Sample(row) for row in table("families.tsv")]
        self.by_decoder, self.by_rule = collections.defaultdict(list), collections.defaultdict(list)
        for sample in samples:
            self.by_decoder[sample.decoder].append(sample)
            for rule in sample.rules:
                self.by_rule[rule].append(sample)


class Shipped:
    """What the source tree brings: copied, counted, not touched."""

    def __init__(self, out):
        for folder in ("rules", "decoders"):
            os.makedirs(os.path.join(out, folder), exist_ok=True)
            for old in glob.glob(os.path.join(out, folder, "*.xml")):
                os.unlink(old)
            for path in glob.glob(os.path.join(SOURCE, folder, "*.xml")):
                shutil.copy(path, os.path.join(out, folder))
        os.makedirs(os.path.join(out, "etc"), exist_ok=True)
        shutil.copy(os.path.join(SOURCE, "etc/local_decoder.xml"), os.path.join(out, "etc"))
        with open(os.path.join(SOURCE, "etc/ospatrol-local.conf"), encoding="utf-8") as f:
            self.configuration = f.read()
        section = re.sub(r"<!--.*?-->", "", self.configuration, flags=re.S)
        self.includes = re.findall(r"<include>([^<]+)</include>", section)
        self.rules, self.decoders, self.groups = set(), collections.Counter(), set()
        self.rule_texts = []
        for name in self.includes:
            text = text_of(os.path.join(SOURCE, "rules", name))
            for rule in re.findall(r"<rule\s.*?</rule>", text, flags=re.S):
                self.rules.add(int(re.search(r"\bid=\"(\d+)\"", rule).group(1)))
                self.rule_texts.append(rule)
        for path in sorted(glob.glob(os.path.join(SOURCE, "decoders", "*.xml"))):
            for name in re.findall(r"<decoder\s[^>]*?name=\"([^\"]+)\"", text_of(path)):
                self.decoders[name] += 1


def program_pattern(names):
    parts = []
    for name in names.split(","):
        if name == "any" or name.startswith("(empty"):
            return "^"
        body = quote(name.strip("*"))
        parts.append(("" if name.startswith("*") else "^") + body + ("" if name.endswith("*") else "\\s*$"))
    return "|".join(parts) if parts else None


class Decoders:
    """The decoders of the catalogue that do not ship, as XML, one file each, in load order."""

    def __init__(self, families, shipped):
        self.families, self.shipped = families, shipped
        self.made = []  # (file name, XML)
        self.names = set(shipped.decoders)
        self.used = collections.Counter()  # samples already spent, by (parent, order)

    def make(self, limit):
        rows = [row for row in table("decoders-catalogue.tsv") if row["name"] not in self.shipped.decoders]
        kept = sorted(rows, key=lambda row: row["name"] == row["parent"] or row["name"] != row["reported_as"])[:limit]  # all families, if not all of each
        for row in rows:
            if row not in kept or (row["parent"] and row["parent"] not in self.names):
                continue
            self.add(row["name"], int(row["seq"]) * 10 + 5, self.child(row) if row["parent"] else self.root(row))
        for number in range(limit - len(self.made)):
            name = "app%03d" % number
            self.add(name, 9000 + number,
                     "  <program_name_pcre2>^appserver%03d</program_name_pcre2>\n" % number)

    def add(self, name, number, body):
        self.names.add(name)
        path = "%04d-%s-%03d-%s.xml" % (number, GENERATED, len(self.made), re.sub(r"\W", "_", name))
        self.made.append((path, '<decoder name="%s">\n%s</decoder>\n' % (escape(name), body)))

    @staticmethod
    def element(name, pattern, attributes=""):
        return "  <%s%s>%s</%s>\n" % (name, attributes, escape(pattern), name)

    @staticmethod
    def extras(row):
        out = ""
        if row["fts"]:
            out += "  <fts>%s</fts>\n" % row["fts"].replace(",", ", ")
        if "accumulate" in row["flags"]:
            out += "  <accumulate />\n"
        if "use_own_name" in row["flags"]:
            out += "  <use_own_name>true</use_own_name>\n"
        return out

    def samples_of(self, row):
        names = [row["reported_as"], row["name"]]
        return [s for name in dict.fromkeys(names) for s in self.families.by_decoder.get(name, [])]

    def root(self, row):
        samples = self.samples_of(row)
        # Samples of a child that goes by its own name show what its parent looks like.
        for other in table("decoders-catalogue.tsv"):
            if other["parent"] == row["name"] and other["reported_as"] != row["reported_as"]:
                samples += self.families.by_decoder.get(other["reported_as"], [])
        body = ""
        program = program_pattern(row["program_names"]) if row["program_names"] else None
        if program:
            body += self.element("program_name_pcre2", program)
        plugin = re.search(r"plugin=(\w+)", row["flags"])
        elements = row["elements"].split(",") if row["elements"] else []
        if not program or "prematch_pcre2" in elements:
            heads = list(dict.fromkeys(s.beginning(s.telling_tokens()) for s in samples))[:16]
            body += self.element("prematch_pcre2", "|".join(heads) or "^" + quote(" ".join(words_of(row["purpose"])[:3])))
        if row["order"] and not plugin:
            body += self.capture(row, samples, "")
        if row["type"] and row["type"] != "syslog":
            body += "  <type>%s</type>\n" % row["type"]
        if plugin:
            body += "  <plugin_decoder>%s</plugin_decoder>\n" % plugin.group(1)
        return body + self.extras(row)

    def child(self, row):
        body = "  <parent>%s</parent>\n" % escape(row["parent"])
        samples = self.samples_of(row)
        parent = next(r for r in table("decoders-catalogue.tsv") if r["name"] == row["parent"])
        samples += [s for s in self.samples_of(parent) if s not in samples]
        order = row["order"].split(",") if row["order"] else []
        fitting = [s for s in samples if order and s.pattern_for(order)]
        key = (row["parent"], row["order"])
        if fitting:  # siblings of the same fields get different lines
            start = self.used[key] % len(fitting)
            fitting = fitting[start:] + fitting[:start]
            self.used[key] += 1
        if "prematch_pcre2" in row["elements"].split(","):
            heads = list(dict.fromkeys(s.beginning(3) for s in fitting))[:3]
            body += self.element("prematch_pcre2", "|".join(heads) or self.words_pattern(row))
        plugin = re.search(r"plugin=(\w+)", row["flags"])
        if order and not plugin:
            body += self.capture(row, fitting, "")
        if row["type"] and row["type"] != "syslog":
            body += "  <type>%s</type>\n" % row["type"]
        if plugin:
            body += "  <plugin_decoder>%s</plugin_decoder>\n" % plugin.group(1)
        return body + self.extras(row)

    @staticmethod
    def words_pattern(row):
        quoted = re.findall(r"'([^']{4,})'", row["purpose"])
        text = re.split(r"[…|]| X| IP|\[", quoted[0])[0].strip() if quoted else ""
        return "^" + quote(text if len(text) >= 4 else " ".join(words_of(row["purpose"])[:3]))

    def capture(self, row, samples, attributes):
        order = row["order"].split(",")
        patterns = [p for p in (s.pattern_for(order) for s in samples) if p]
        pattern = patterns[0] if patterns else self.words_pattern(row) + r" (\S+)" * len(order)
        return (self.element("pcre2", pattern, attributes) +
                "  <order>%s</order>\n" % ", ".join(order))


class Rule:
    def __init__(self, number, level, attributes, body, group, parents, texts):
        self.id, self.level, self.attributes, self.body = number, level, attributes, body
        self.group, self.parents, self.texts = group, parents, texts

    def xml(self):
        return '  <rule id="%d" level="%d"%s>\n%s  </rule>\n' % (self.id, self.level, self.attributes, self.body)


class Rules:
    """The rules of the catalogue that do not ship."""

    ELEMENT = {"id_pcre2": "id_pcre2", "status_pcre2": "status_pcre2", "action": "action",
               "extra_data_pcre2": "extra_data_pcre2", "url_pcre2": "url_pcre2", "user_pcre2": "user_pcre2",
               "hostname_pcre2": "hostname_pcre2", "program_name_pcre2": "program_name_pcre2"}
    SAMPLE_FIELD = {"id_pcre2": "id", "status_pcre2": "status", "action": "action", "extra_data_pcre2": "extra_data",
                    "url_pcre2": "url", "user_pcre2": "dstuser"}
    FLAGS = ("same_source_ip", "same_id", "same_user", "same_location", "different_url", "if_fts")

    def __init__(self, families, shipped, decoders):
        self.families, self.shipped, self.decoders = families, shipped, decoders
        self.made = []
        self.known = set(shipped.rules)
        self.groups = {g.strip() for text in shipped.rule_texts for m in re.findall(r"<group>([^<]*)", text)
                       for g in m.split(",")}

    def make(self, limit):
        # Rules that look at the clock would make figures depend on the hour.
        rows = [r for r in table("rules-catalogue.tsv") if int(r["id"]) not in self.shipped.rules and
                int(r["id"]) < FIRST_PAD_ID and not re.search("time=|weekday=", r["flags"]) and
                (not r["decoded_as"] or r["decoded_as"] in self.decoders.names)]
        for number, (conditions, text) in enumerate(SITE_RULES):
            body = "    %s\n    <description>Site: %s</description>\n" % (conditions, text)
            self.add(Rule(FIRST_PAD_ID + number, 3, "", body, "site", ("", ""), []))
        waiting = sorted(rows, key=lambda r: self.rank(r, rows))[:max(0, limit - len(self.made))]
        waiting.sort(key=rows.index)
        while waiting:  # parents first, whatever the order of the table
            ready = [r for r in waiting if self.is_ready(r)]
            if not ready:
                break
            for row in ready:
                self.add(self.rule(row))
            waiting = [r for r in waiting if r not in ready]
        for number in range(len(SITE_RULES), len(SITE_RULES) + limit - len(self.made)):
            self.add(self.padding(number))

    def rank(self, row, rows):
        """What goes first when not all fit: rules with samples and those above others."""
        number = row["id"]
        if self.families.by_rule.get(int(number)):
            return 0
        return 1 if any(re.search(r"\b%s\b" % number, other["parents"]) for other in rows) else 2

    def is_ready(self, row):
        kind, _, names = row["parents"].partition("=")
        if kind in ("if_sid", "if_matched_sid"):
            return all(int(n) in self.known for n in names.split(","))
        if kind in ("if_group", "if_matched_group"):
            return names in self.groups
        return True

    def add(self, rule):
        self.made.append(rule)
        self.known.add(rule.id)
        self.groups.update(g for g in rule.group.split(",") if g)

    def texts_for(self, row, samples):
        """Literal texts of the condition on the whole line."""
        meaning = re.sub(r"\(.*?\)", "", row["meaning"])
        quoted = [max(q.split("…"), key=len).strip() for q in re.findall(r"'([^']+(?:'t [^']+)?)'", row["meaning"])]
        quoted = [q for q in quoted if len(q) >= 4]
        seen = [q for q in quoted if any(q in s.log for s in samples)]
        if seen and len(seen) == len(quoted):
            return [quote(q) for q in quoted]
        heads = list(dict.fromkeys(self.best_words(s.log) for s in samples))[:4]
        texts = [quote(q) for q in quoted] + [h for h in heads if h]
        return texts or [quote(" ".join(words_of(meaning)[:3]) or "no text %s" % row["id"])]

    @staticmethod
    def best_words(log):
        """The longest run of plain words: what a writer of rules would look for."""
        runs = re.findall(r"[A-Za-z][A-Za-z'-]+(?: [A-Za-z][A-Za-z'-]+){0,4}", log)
        return quote(max(runs, key=len)) if runs else general(log[:12])

    def field_values(self, condition, row, samples):
        name = self.SAMPLE_FIELD.get(condition)
        values = []
        for sample in samples:
            value = sample.program if condition == "program_name_pcre2" else sample.fields.get(name)
            if value:
                values.append(value)
        if condition == "id_pcre2" and not values:
            values = re.findall(r"[A-Z]*\d[\w-]*", re.sub(r"\brule \d+|^\d{4,5} with", "", row["meaning"]))
        if not values:
            values = re.findall(r"'([^']{2,})'", row["meaning"]) or [" ".join(words_of(row["meaning"])[:2]) or "none"]
        return list(dict.fromkeys(values))[:8]

    def rule(self, row):
        number, samples = int(row["id"]), self.families.by_rule.get(int(row["id"]), [])
        attributes, body, texts = "", "", []
        for name in ("frequency", "timeframe", "ignore"):
            if row[name]:
                attributes += ' %s="%s"' % (name, row[name])
        if "noalert=1" in row["flags"]:
            attributes += ' noalert="1"'
        maxsize = re.search(r"maxsize=(\d+)", row["flags"])
        if maxsize:
            attributes += ' maxsize="%s"' % maxsize.group(1)
        kind, _, parents = row["parents"].partition("=")
        if kind:
            body += "    <%s>%s</%s>\n" % (kind, parents.replace(",", ", "), kind)
        if row["category"]:
            body += "    <category>%s</category>\n" % row["category"]
        if row["decoded_as"]:
            body += "    <decoded_as>%s</decoded_as>\n" % row["decoded_as"]
        for condition in filter(None, row["conditions"].split(",")):
            if condition in self.ELEMENT:
                values = self.field_values(condition, row, samples)
                if condition == "action":
                    pattern = "|".join(escape(v) for v in values[:1])
                else:
                    pattern = "|".join("^" + quote(v) + ("$" if condition == "id_pcre2" else "") for v in values)
                body += "    <%s>%s</%s>\n" % (condition, escape(pattern), condition)
                texts.append(condition)
            elif condition in self.FLAGS:
                body += "    <%s />\n" % condition
            elif condition in ("pcre2", "match", "regex", "compiled_rule"):
                pattern = "|".join(self.texts_for(row, samples))
                body += "    <pcre2>%s</pcre2>\n" % escape(pattern)
                texts.append("pcre2")
        if not kind and not row["category"] and not row["decoded_as"] and not texts:
            body += "    <pcre2>%s</pcre2>\n" % escape("|".join(self.texts_for(row, samples)))
        if "options=no_log" in row["flags"]:
            body += "    <options>no_log</options>\n"
        body += "    <description>%s: %s</description>\n" % (row["file"], escape(row["meaning"].replace("$", "")))
        group = row["groups"].strip(",")
        if group:
            body += "    <group>%s,</group>\n" % escape(group)
        return Rule(number, int(row["level"]), attributes, body, group, (kind, parents), texts)

    def padding(self, number):
        """A leaf that looks for the words of a sample under a rule that exists; every tenth counts."""
        identifier = FIRST_PAD_ID + number
        body = ("    <pcre2>%s</pcre2>\n    <description>Application %d reports a fault.</description>\n"
                % (quote("application fault %d of service" % number), number))
        return Rule(identifier, 3, "", body, "", ("", ""), ["pcre2"])


PATTERNS = ("pcre2", "match", "regex", "id_pcre2", "id", "status_pcre2", "url_pcre2", "extra_data_pcre2", "action",
            "program_name_pcre2", "user_pcre2", "hostname_pcre2")


def neighbour(text, identifier):
    """A rule beside `text`: its parents, its first kind of pattern, a text that nobody writes. Counting is for rules that
    fire, and <if_group> hangs a rule below hundreds: here each is one leaf."""
    body = re.sub(r"\s*<mitre>.*?</mitre>", "", text, flags=re.S)
    level = re.search(r"\blevel=\"(\d+)\"", text)
    lines = []
    parents = re.search(r"<if_sid>(.*?)</if_sid>", body) or re.search(r"<if_matched_sid>(.*?)</if_matched_sid>", body)
    decoder = re.search(r"<decoded_as>.*?</decoded_as>", body)
    if parents:
        lines.append("<if_sid>%s</if_sid>" % parents.group(1))
    if decoder:
        lines.append(decoder.group(0))
    name, pattern = next(((name, found.group(1)) for name in PATTERNS for found in
                          [re.search(r"<%s>(.*?)</%s>" % (name, name), body, flags=re.S)] if found),
                         ("pcre2", "unheard of"))
    lines.append("<%s>%s</%s>" % (name, strange(pattern, identifier, name), name))
    lines.append("<description>Neighbour.</description>")
    return '  <rule id="%d" level="%s">\n    %s\n  </rule>\n' % (
        identifier, level.group(1) if level else "3", "\n    ".join(lines))


def neighbours(rules, shipped_rules, times):
    """(times - 1) of them for each rule that exists."""
    texts = [rule.xml() for rule in rules] + shipped_rules
    identifiers = itertools.count(FIRST_NEIGHBOUR_ID)
    return [neighbour(text, next(identifiers)) for _ in range(1, times) for text in texts]


def strange(pattern, number, name):
    """A text of the same length and first letters, which no line holds."""
    words = words_of(re.sub(r"\\.|&\w+;|\[[^\]]*\]", " ", pattern))[:3]
    if name in ("id_pcre2", "id"):
        return "^9%07d$" % number
    text = " ".join([*words, "zq%dx" % number])
    return "^" + text if pattern.startswith("^") and name != "action" else text


def write_configuration(out, shipped, generated):
    text = re.sub(r"  <localfile>.*?</localfile>\n\n?", "", shipped.configuration, flags=re.S)
    text = re.sub(r"  <!--(?:(?!-->).)*<localfile>.*?-->\n", "", text, flags=re.S)
    last = "    <include>local_rules.xml</include>"
    if last not in text:
        sys.exit("make_ruleset.py: etc/ospatrol-local.conf does not include local_rules.xml")
    lines = "".join("    <include>%s</include>\n" % name for name in generated)
    with open(os.path.join(out, "etc/ospatrol.conf"), "w", encoding="utf-8") as f:
        f.write(text.replace(last, lines + last))


def main():
    global SOURCE
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--rules", type=int, default=1300)
    parser.add_argument("--decoders", type=int, default=340)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--shipped", default=SOURCE)
    options = parser.parse_args()
    SOURCE = options.shipped

    families, shipped = Families(), Shipped(options.out)
    decoders = Decoders(families, shipped)
    decoders.make(max(0, options.decoders - sum(shipped.decoders.values())))
    for path, text in decoders.made:
        with open(os.path.join(options.out, "decoders", path), "w", encoding="utf-8") as f:
            f.write(text)

    rules = Rules(families, shipped, decoders)
    rules.make(max(0, options.rules - len(shipped.rules)))
    files = []

    def write(name, texts):
        files.append(name)
        with open(os.path.join(options.out, "rules", name), "w", encoding="utf-8") as f:
            f.write('<group name="%s,">\n%s</group>\n' % (GENERATED, "".join(texts)))

    if rules.made:
        write("%s_rules.xml" % GENERATED, [rule.xml() for rule in rules.made])
    added = neighbours(rules.made, shipped.rule_texts, options.times)
    if added:
        write("%s_neighbours.xml" % GENERATED, added)
    write_configuration(options.out, shipped, files)
    print("%s: %d decoders (%d shipped), %d rules (%d shipped, %d neighbours)" % (
        options.out, sum(shipped.decoders.values()) + len(decoders.made), sum(shipped.decoders.values()),
        len(shipped.rules) + len(rules.made) + len(added), len(shipped.rules), len(added)))


if __name__ == "__main__":
    main()
