#!/usr/bin/env python3
"""Writes docs/rules.md, the page of every rule, from rules/*.xml and etc/ospatrol-local.conf.

    packaging/rules_page.py            write the page
    packaging/rules_page.py --check    exit 1 when the page is out of date

The section on real logs stays as it is; tests/rules/real_logs.py writes it.
"""

import argparse
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/rules.md"
BEGIN, END = "<!-- begin of real logs -->\n", "<!-- end of real logs -->\n"
COMPLIANCE = re.compile(r"(?:pci_dss|gdpr|gpg13|hipaa|nist_800_53|tsc)_")

HEAD = """# Rules

Every rule that ships. A rule of level 0 sorts or silences and never alerts; `email_alert_level` (7) decides what is sent
by mail. Techniques are those of MITRE ATT&CK. Groups that name a control of a standard (`pci_dss_10.2.5`,
`gdpr_IV_32.2`, `nist_800_53_AU.14`) are left out here. Generated from `rules/*.xml` by `packaging/rules_page.py`.

"""


def read_file(path):
    """(what the first comment says of the file, [(id, level, description, groups, techniques)])"""
    text = path.read_text(encoding="utf-8")
    comment = re.match(r"\s*<!--\s*(.*?)\s*(?:\n\s*\n|-->)", text, re.S)
    title = " ".join(comment[1].split()) if comment else ""
    text = re.sub(r"<!.*?(?:!>|-->)", "", text, flags=re.S).replace("&", "&amp;")
    rules = []
    for group in ElementTree.fromstring(f"<root>{text}</root>"):
        for rule in group:
            parts = (group.get("name") + "".join(g.text or "" for g in rule.findall("group"))).split(",")
            groups = [part.strip() for part in parts if part.strip() and not COMPLIANCE.match(part.strip())]
            description = " ".join("".join(d.text or "" for d in rule.findall("description")).split())
            techniques = [i.text for i in rule.findall("mitre/id")]
            rules.append((int(rule.get("id")), int(rule.get("level")), description, groups, techniques))
    return title, sorted(rules)


def cell(text):
    """Text in a Markdown table; angle brackets must not become HTML."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


def page(kept):
    configuration = re.sub(r"<!--.*?-->", "", (ROOT / "etc/ospatrol-local.conf").read_text(encoding="utf-8"), flags=re.S)
    included = re.findall(r"<include>([^<]+)</include>", configuration)
    others = sorted({path.name for path in (ROOT / "rules").glob("*.xml")} - set(included))
    files = [(name, *read_file(ROOT / "rules" / name)) for name in included + others]
    files = [file for file in files if file[2]]
    total = sum(len(rules) for _, _, rules in files)
    techniques = {t for _, _, rules in files for rule in rules for t in rule[4]}
    out = [HEAD + f"{total} rules in {len(files)} files; {len(techniques)} techniques.\n"]
    out.append("| file | rules | ids | what it knows |\n|---|---|---|---|")
    for name, title, rules in files:
        note = "" if name in included else " Not included by default."
        anchor = re.sub(r"[^\w-]", "", name.lower())
        out.append(f"| [{name}](#{anchor}) | {len(rules)} | {rules[0][0]}–{rules[-1][0]} | {cell(title)}{note} |")
    out.append("\n## Real logs\n\n" + BEGIN + kept + END)
    for name, title, rules in files:
        out.append(f"## {name}\n")
        out.append("| id | level | description | groups | MITRE |\n|---|---|---|---|---|")
        for number, level, description, groups, mitre in rules:
            out.append(f"| {number} | {level} | {cell(description)} | {', '.join(groups)} | {', '.join(mitre)} |")
        out.append("")
    return "\n".join(out)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="compare only")
    check = arguments.parse_args().check

    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else BEGIN + END
    text = page(old.split(BEGIN)[1].split(END)[0])
    if not check:
        PAGE.write_text(text, encoding="utf-8")
    elif old != text:
        print(f"{PAGE} is out of date: run packaging/rules_page.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
