#!/usr/bin/python3
"""Compares the shipped rules and decoders with the catalogue of the interface they keep.

usage: check_catalogue.py [--complete] [ROOT]      ROOT: top of the source tree; default: two levels above this file

Rules: id, level, groups, parents, decoded_as, category, frequency, timeframe, ignore, options, maxsize, noalert and
compiled rules of each id in tests/data/rules-catalogue.tsv whose file exists in rules/, that no id is there twice and
that a parent is loaded before its children. Decoders: name, parent, type and fts of those in
tests/data/decoders-catalogue.tsv that exist in decoders/; decoded_as names a decoder. Both: elements are known, patterns
do not begin with an unanchored ".*", each file says where its formats come from. With --complete also each id and each
root decoder of the catalogues that is not there at all. Groups of compliance (pci_dss_10.2.4) and <mitre> may be added.

The configuration: files of the catalogue's default set that exist are included, others are not, in the order below.

Tests: each rule is the `rule` of a section of tests/rules/*.ini (tests/rules/optional/*.ini for files that are not
included) with a line that fires it and a line that does not. Rules of level 0 that only sort need the first alone;
inert.tsv lists the rules that never fire, untested.tsv the other exceptions, each with its reason.

Prints one line for each difference and exits 1 when there is any.
"""

import collections
import configparser
import csv
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

import shipped

# Order of <include> in the shipped configuration; files that are not there are skipped. A file that the catalogue does
# not know (and that no file here waits for) may stand anywhere before attack.
LOAD_ORDER = """rules_config pam sshd telnetd syslog arpwatch symantec-av symantec-ws pix named smbd vsftpd pure-ftpd
proftpd ms_ftpd ftpd hordeimp roundcube wordpress cimserver vpopmail vmpop3d courier web web_appsec apache nginx
modsecurity php mysql postgresql ids squid firewall apparmor cisco-ios netscreenfw sonicwall postfix sendmail imapd
mailscanner dovecot ms-exchange racoon vpn_concentrator spamd msauth mcafee_av trend-osce ms-se zeus solaris_bsm vmware
ms_dhcp asterisk cpanel systemd firewalld openbsd clam_av dropbear sysmon opensmtpd exim openbsd-dhcpd dnsmasq nsd
unbound ossec attack local""".split()

# (id, column) whose value is not the catalogue's, and why.
DEVIATIONS = {
    (5600, "decoded_as"): "the program is told by its decoder; the text holds it only in lines without a header",
    (5603, "parents"): "its text is never that of 5602, below which it would hang",
    (5714, "parents"): "its text is never that of 5713, below which it would hang",
    (35095, "parents"): "inert: a composite of level 0 counts nothing",
    (35095, "frequency"): "inert: a composite of level 0 counts nothing",
    (35095, "timeframe"): "inert: a composite of level 0 counts nothing",
    (13112, "parents"): "1010 takes every such line first, so it stands below",
    (53204, "parents"): "53200 has level 0 and takes every line first, so it stands below",
    (53205, "parents"): "53200 has level 0 and takes every line first, so it stands below",
    (31401, "parents"): "also in error lines of Apache 2.4 (30301)",
    (31402, "parents"): "also in error lines of Apache 2.4 (30301)",
    (31403, "parents"): "also in error lines of Apache 2.4 (30301)",
    (51007, "parents"): "its parent 51000 is of level 0 and never counted",
    (6106, "parents"): "a failed su is never below 6103, the logins that succeeded",
    (51559, "parents"): "below 1002, which would take its text first",
    (18143, "parents"): "its ids are those of created groups, which 18114 does not have",
    (18144, "parents"): "its ids are those of deleted groups, which 18114 does not have",
    (18155, "parents"): "18102 has level 0 and is never remembered; 57808 takes the warnings that end there",
}

# Ids that are not in the catalogue but have been given out: ranges of our own, and messages of our own programs.
OWN_IDS = [(505, 508), (57000, 59999)]

# Root decoders of families that the catalogue does not have.
OWN_ROOTS = {
    "aws-cloudtrail",
    "azure-activity",
    "cyrus",
    "docker",
    "filterlog",
    "fortigate",
    "gitlab",
    "google-audit",
    "haproxy",
    "journald-json",
    "junos",
    "kea",
    "kube-audit",
    "mikrotik",
    "mongodb",
    "msexchange-receive",
    "nextcloud",
    "node",
    "openvpn",
    "oracle",
    "package-log",
    "pluto",
    "redis",
    "rspamd",
    "squid-cachelog",
    "strongswan",
    "suricata",
    "systemd-logind",
    "tomcat",
}

# Our decoders that the catalogue does not know: children that keep the name of their parent need no entry.
BUILT_IN_DECODERS = {
    "rootcheck", "syscheck_integrity_changed", "syscheck_integrity_changed_2nd", "syscheck_integrity_changed_3rd",
    "syscheck_new_entry", "syscheck_deleted", "hostinfo_new", "hostinfo_modified",
}

# Groups that name a control of a standard; rules may have them beyond those of the catalogue.
COMPLIANCE = re.compile(r"(?:pci_dss|gdpr|gpg13|hipaa|nist_800_53|tsc)_[\w.]+$")
TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?$")

PCRE2_ELEMENTS = {
    "pcre2", "match_pcre2", "program_name_pcre2", "hostname_pcre2", "user_pcre2", "id_pcre2", "url_pcre2",
    "status_pcre2", "extra_data_pcre2", "srcport_pcre2", "dstport_pcre2", "srcgeoip_pcre2", "dstgeoip_pcre2",
    "prematch_pcre2",
}
RULE_ELEMENTS = PCRE2_ELEMENTS - {"prematch_pcre2"} | {
    "decoded_as", "category", "program_name", "id", "match", "regex", "action", "url", "field", "srcip", "dstip",
    "srcport", "dstport", "user", "srcgeoip", "dstgeoip", "time", "weekday", "extra_data", "hostname", "status",
    "compiled_rule", "list", "if_fts", "check_diff", "if_sid", "if_group", "if_level", "if_matched_sid",
    "if_matched_group", "if_matched_regex", "same_source_ip", "same_id", "same_user", "same_location",
    "same_src_port", "same_dst_port", "different_url", "different_srcgeoip", "different_srcip", "description", "group",
    "info", "cve", "ignore", "check_if_ignored", "options", "mitre",
}
# What a rule may have beside its parents without asking for more than the sort of an event.
SORTING_ELEMENTS = {
    "decoded_as", "category", "program_name_pcre2", "if_sid", "if_group", "description", "group", "info", "mitre",
    "options",
}
DECODER_ELEMENTS = {
    "parent", "program_name", "program_name_pcre2", "prematch", "prematch_pcre2", "regex", "pcre2", "order", "fts",
    "ftscomment", "type", "use_own_name", "accumulate", "plugin_decoder",
}
ATTRIBUTES = {
    "rule": {"id", "level", "maxsize", "frequency", "timeframe", "ignore", "accuracy", "noalert", "overwrite"},
    "field": {"name"}, "list": {"field", "lookup", "check_value"}, "info": {"type"},
    "prematch": {"offset"}, "prematch_pcre2": {"offset"}, "regex": {"offset"}, "pcre2": {"offset"},
}
FLAG_ELEMENTS = ("compiled_rule", "time", "weekday")

differences = []


def differs(where, text):
    differences.append(f"{where}: {text}")


def read_file(path):
    """The root elements of a file. Our files need no more of the dialect than this."""
    text = path.read_text(encoding="utf-8")
    if not re.search(r"Written from:.*Sources:", text, re.S) and path.name not in ("rules_config.xml", "local_rules.xml"):
        differs(path.name, "no comment that says from which version and source it was written")
    text = re.sub(r"<!.*?(?:!>|-->)", "", text, flags=re.S).replace("&", "&amp;")
    try:
        return list(ElementTree.fromstring(f"<root>{text}</root>"))
    except ElementTree.ParseError as error:
        differs(path.name, f"not well-formed: {error}")
        return []


def words(text):
    return [word for word in re.split(r"[\s,]+", text or "") if word]


def joined(element, name):
    return "".join(child.text or "" for child in element.findall(name))


def check_elements(where, element, known):
    for child in element:
        if child.tag not in known:
            differs(where, f"unknown element <{child.tag}>")
        for attribute in child.attrib:
            if attribute not in ATTRIBUTES.get(child.tag, set()):
                differs(where, f"unknown attribute {attribute} of <{child.tag}>")
        if child.tag == "mitre":
            for part in child:
                if part.tag != "id" or part.attrib or not TECHNIQUE.match(part.text or ""):
                    differs(where, f"<mitre> holds <{part.tag}> {part.text!r} instead of ids of techniques")
        if child.tag in PCRE2_ELEMENTS and re.match(r"(?:\(\?:)?\.\*", child.text or ""):
            differs(where, f"<{child.tag}> begins with an unanchored .*")


def parents_of(rule):
    parts = []
    for name in ("if_sid", "if_group", "if_level", "if_matched_sid", "if_matched_group"):
        if rule.find(name) is not None:
            parts.append(f"{name}={','.join(words(joined(rule, name)))}")
    return " ".join(parts)


def flags_of(rule):
    flags = [f"noalert={rule.get('noalert')}"] if rule.get("noalert") else []
    if rule.get("maxsize"):
        flags.append(f"maxsize={rule.get('maxsize')}")
    options = [child.text for child in rule.findall("options")]
    if options:
        flags.append(f"options={','.join(options)}")
    for name, flag in (("ignore", "ignore_fields"), ("check_if_ignored", "check_if_ignored")):
        if rule.find(name) is not None:
            flags.append(f"{flag}={','.join(words(joined(rule, name)))}")
    for name in FLAG_ELEMENTS:
        if rule.find(name) is not None:
            flags.append(f"{name}={joined(rule, name)}")
    return ";".join(flags)


def file_of(name):
    return "rules_config.xml" if name == "rules_config" else f"{name}_rules.xml"


def read_rules(root):
    """Id -> columns, in load order."""
    folder = root / "rules"
    rules = collections.OrderedDict()
    present = {path.name: path for path in folder.glob("*.xml")}
    order = re.findall(r"<include>([^<]+)</include>", shipped.without_comments(shipped.with_optional(root)))
    for file in order:
        if file not in present:
            differs("etc/ospatrol-local.conf", f"includes {file}, which is not there")
            continue
        for group in read_file(present[file]):
            if group.tag == "var":
                continue
            if group.tag != "group" or list(group.attrib) != ["name"]:
                differs(file, f"<{group.tag}> where <group name=...> was expected")
                continue
            if not group.get("name").endswith(","):
                differs(file, f"group name {group.get('name')!r} does not end with a comma")
            for rule in group:
                number = int(rule.get("id", "0"))
                where = f"{file}: rule {number}"
                check_elements(where, rule, RULE_ELEMENTS)
                for attribute in rule.attrib:
                    if attribute not in ATTRIBUTES["rule"]:
                        differs(where, f"unknown attribute {attribute}")
                if number in rules:
                    differs(where, "id is there twice")
                if not joined(rule, "description").strip():
                    differs(where, "no description")
                if rule.find("group") is not None and not joined(rule, "group").endswith(","):
                    differs(where, "<group> does not end with a comma")
                for name in ("if_sid", "if_matched_sid"):
                    for parent in words(joined(rule, name)):
                        if int(parent) not in rules:
                            differs(where, f"<{name}> {parent} is not loaded before it")
                rules[number] = {
                    "file": file.removesuffix(".xml").removesuffix("_rules"),
                    "level": rule.get("level", ""),
                    "parents": parents_of(rule),
                    "decoded_as": joined(rule, "decoded_as"),
                    "category": joined(rule, "category"),
                    "frequency": rule.get("frequency", ""),
                    "timeframe": rule.get("timeframe", ""),
                    "ignore": rule.get("ignore", ""),
                    "flags": flags_of(rule),
                    "groups": ",".join(word for word in words(group.get("name") + joined(rule, "group"))
                                       if not COMPLIANCE.match(word)),
                    "sorts": rule.get("level") == "0" and {child.tag for child in rule} <= SORTING_ELEMENTS,
                }
    return rules


def read_decoders(folder):
    decoders = []
    for path in sorted(folder.glob("*.xml")):
        if not re.match(r"\d{4}-[\w-]+\.xml$", path.name):
            differs(path.name, "name is not NNNN-family.xml; the number decides the order")
        for decoder in read_file(path):
            where = f"{path.name}: decoder {decoder.get('name')}"
            if decoder.tag != "decoder" or list(decoder.attrib) != ["name"]:
                differs(where, f"<{decoder.tag}> where <decoder name=...> was expected")
                continue
            check_elements(where, decoder, DECODER_ELEMENTS)
            parent = joined(decoder, "parent")
            if parent and not any(known["name"] == parent and not known["parent"] for known in decoders):
                differs(where, f"parent {parent} is not a root decoder loaded before it")
            decoders.append({
                "name": decoder.get("name"), "parent": parent, "type": joined(decoder, "type") or "syslog",
                "fts": ",".join(words(joined(decoder, "fts"))),
                "order": ",".join(words(joined(decoder, "order"))), "where": where,
                "own": joined(decoder, "use_own_name") == "true",
            })
    return decoders


def check_configuration(root, catalogue):
    """What is included, against the default set, and in which order."""
    where = "etc/ospatrol-local.conf"
    in_default = {file_of(row["file"]): row["default"] != "-" for row in catalogue}
    included, present = shipped.includes(root), {path.name for path in (root / "rules").glob("*.xml")}
    for file, default in in_default.items():
        if default and file in present and file not in included:
            differs(where, f"{file} is of the default set and not included")
        if not default and file in included:
            differs(where, f"{file} is not of the default set and included")
    for file in sorted(present - set(in_default) - set(included)):
        differs(where, f"{file} is not included, and the catalogue does not call it optional")
    expected = [file_of(name) for name in LOAD_ORDER]
    known = [file for file in included if file in expected]
    for before, after in zip(known, known[1:]):
        if expected.index(before) > expected.index(after):
            differs(where, f"{before} is included before {after}")
    if included[-1] != "local_rules.xml":
        differs(where, "local_rules.xml is not the last one included")


def read_tests(folder):
    """Id -> the endings of its keys ("pass", "fail"), of all files of a folder."""
    found = collections.defaultdict(set)
    for path in sorted(folder.glob("*.ini")):
        parser = configparser.RawConfigParser(strict=False)
        parser.read(path, encoding="utf-8")
        for section in parser.sections():
            rule = parser.get(section, "rule", fallback="").strip()
            if rule.isdigit():
                found[int(rule)] |= {key.split()[-1] for key in parser.options(section) if key.startswith("log ")}
    return found


def check_tests(root, rules):
    folder = root / "tests/rules"
    excepted = {}
    for name in ("inert.tsv", "untested.tsv"):
        for row in read_table(folder / name):
            if not (row["reason"] or "").strip():
                differs(name, f"rule {row['id']}: no reason")
            if int(row["id"]) in excepted:
                differs(name, f"rule {row['id']}: is listed twice")
            if int(row["id"]) not in rules:
                differs(name, f"rule {row['id']} does not exist")
            excepted[int(row["id"])] = name
    tested, tested_optional = read_tests(folder), read_tests(folder / "optional")
    left_out = {file.removesuffix(".xml").removesuffix("_rules") for file in shipped.optional(root)}
    for number, rule in rules.items():
        endings = (tested_optional if rule["file"] in left_out else tested).get(number, set())
        if number in excepted:
            if excepted[number] == "inert.tsv" and "pass" in endings:
                differs(f"rule {number}", "is listed in inert.tsv, but a test fires it")
        elif "noalert" in rule["flags"]:
            continue  # never fires itself
        elif "pass" not in endings:
            differs(f"rule {number}", "no test fires it")
        elif "fail" not in endings and not rule["sorts"]:
            differs(f"rule {number}", "no test has a line that misses it")


def check_rules(rules, catalogue):
    files = {columns["file"] for columns in rules.values()}
    expected = {int(row["id"]): row for row in catalogue if row["file"] in files}
    for number, row in expected.items():
        if number not in rules:
            differs(f"rule {number}", f"missing ({row['file']}: {row['meaning']})")
            continue
        ours = rules[number]
        for column in ("file", "level", "parents", "decoded_as", "category", "frequency", "timeframe", "ignore",
                       "flags", "groups"):
            ours_value, their_value = ours[column], row[column]
            if column in ("groups", "flags"):
                separator = "," if column == "groups" else ";"
                ours_value, their_value = (sorted(filter(None, value.split(separator)))
                                           for value in (ours_value, their_value))
            if ours_value != their_value and (number, column) not in DEVIATIONS:
                differs(f"rule {number}", f"{column} is {ours[column]!r}, expected {row[column]!r}")
    all_ids = {int(row["id"]) for row in catalogue}
    for number in rules:
        if number not in expected and not any(first <= number <= last for first, last in OWN_IDS):
            why = "belongs to another file" if number in all_ids else "is outside the ranges for new rules"
            differs(f"rule {number}", why)


def check_decoders(decoders, catalogue, rules):
    known = collections.defaultdict(list)
    for row in catalogue:
        known[row["name"], row["parent"]].append(row)
    for decoder in decoders:
        rows = known.get((decoder["name"], decoder["parent"]))
        if not rows:
            if not decoder["parent"] and decoder["name"] not in OWN_ROOTS:
                differs(decoder["where"], "root decoder that the catalogue does not have")
            continue
        for column in ("type", "fts"):
            if decoder[column] not in {row[column] for row in rows}:
                differs(decoder["where"], f"{column} is {decoder[column]!r}, expected {rows[0][column]!r}")
    names = BUILT_IN_DECODERS | {d["name"] if d["own"] or not d["parent"] else d["parent"] for d in decoders}
    for number, rule in rules.items():
        if rule["decoded_as"] and rule["decoded_as"] not in names:
            differs(f"rule {number}", f"decoded_as names {rule['decoded_as']!r}, which no decoder reports")


def read_table(path):
    with path.open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))


def check_complete(rules, decoders, rules_catalogue, decoders_catalogue):
    for row in rules_catalogue:
        if int(row["id"]) not in rules and row["file"] != "local" and not any(
                rule["file"] == row["file"] for rule in rules.values()):
            differs(f"rule {row['id']}", f"missing with its whole file ({row['file']}: {row['meaning']})")
    present = {(decoder["name"], decoder["parent"]) for decoder in decoders}
    for row in decoders_catalogue:
        if not row["parent"] and (row["name"], "") not in present:
            differs(f"decoder {row['name']}", "missing")


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--complete"]
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parents[2]
    rules_catalogue = read_table(root / "tests/data/rules-catalogue.tsv")
    decoders_catalogue = read_table(root / "tests/data/decoders-catalogue.tsv")
    rules = read_rules(root)
    decoders = read_decoders(root / "decoders")
    check_configuration(root, rules_catalogue)
    check_rules(rules, rules_catalogue)
    check_decoders(decoders, decoders_catalogue, rules)
    check_tests(root, rules)
    if "--complete" in sys.argv[1:]:
        check_complete(rules, decoders, rules_catalogue, decoders_catalogue)
    for line in differences:
        print(line)
    print(f"{len(rules)} rules, {len(decoders)} decoders, {len(differences)} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
