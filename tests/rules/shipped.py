#!/usr/bin/python3
"""The shipped rules as tests use them: which files the configuration includes, which are optional, and a tree to try
them in.

usage: shipped.py ROOT FOLDER [--optional]   lay out etc/, rules/ and decoders/ of the source tree ROOT in FOLDER with
                                             the shipped configuration; --optional: with the optional files included
"""

import pathlib
import re
import shutil
import sys

FOLDERS = ("etc", "rules", "decoders")


def configuration(root):
    return (pathlib.Path(root) / "etc/ospatrol-local.conf").read_text(encoding="utf-8")


def without_comments(text):
    return re.sub(r"<!--.*?-->", "", text, flags=re.S)


def includes(root):
    """Files of rules/ in the order of the shipped configuration."""
    return re.findall(r"<include>([^<]+)</include>", without_comments(configuration(root)))


def optional(root):
    """Files of rules/ that ship but are not included, sorted."""
    return sorted({path.name for path in (pathlib.Path(root) / "rules").glob("*.xml")} - set(includes(root)))


def with_optional(root):
    """The shipped configuration with the optional files before the rules that count the events of all others."""
    lines = "".join(f"    <include>{name}</include>\n" for name in optional(root))
    return configuration(root).replace("    <include>attack_rules.xml</include>\n",
                                       lines + "    <include>attack_rules.xml</include>\n", 1)


def lay_out(root, folder, all_files=False):
    folder = pathlib.Path(folder)
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(pathlib.Path(root) / name, folder / name)
    for name in ("logs", "queue"):
        (folder / name).mkdir(exist_ok=True)
    text = with_optional(root) if all_files else configuration(root)
    (folder / "etc/ospatrol.conf").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    pathlib.Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
    lay_out(sys.argv[1], sys.argv[2], "--optional" in sys.argv[3:])
