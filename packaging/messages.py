#!/usr/bin/env python3
"""Writes docs/messages.md, the page of every message of the log, from src/shared/log/messages.h.

    packaging/messages.py            write the page
    packaging/messages.py --check    exit 1 when the page is out of date or the table has mistakes
"""

import argparse
import pathlib
import re
import sys
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "src/shared/log/messages.h"
PAGE = ROOT / "docs/messages.md"

TOKEN = re.compile(r'\s+|//[^\n]*|(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>[\w:]+)|(?P<sign>.)')
START = re.compile(r"inline\s+constexpr\s+Message\s+(\w+)\s*(?=\{)")
LEVELS = {"kError": "ERROR", "kWarn": "WARN", "kInfo": "INFO", "kDebug": "DEBUG"}
ESCAPES = {"n": "\\n", "t": "\\t", '"': '"', "\\": "\\"}

HEAD = """# Messages of the log

Every line that a program writes to `logs/ospatrol.log` as `<program>(<number>): <LEVEL>: <text>`. `{}` stands for what
differs from line to line. Generated from `src/shared/log/messages.h` by `packaging/messages.py`.

"""


class Message(NamedTuple):
    name: str
    number: int
    level: str
    text: str
    remedy: str


def fields(source, start):
    """The comma-separated fields between the braces at `start`; adjacent string literals are joined."""
    result, current, position = [], "", start + 1
    while True:
        token = TOKEN.match(source, position)
        position = token.end()
        if token["string"]:
            current += re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[0]), token["string"][1:-1])
        elif token["word"]:
            current += token["word"]
        elif token["sign"] == ",":
            result.append(current)
            current = ""
        elif token["sign"] == "}":
            return result + ([current] if current else [])


def read_table(source):
    messages = []
    for start in START.finditer(source):
        parts = fields(source, start.end())
        if len(parts) != 4:
            sys.exit(f"{TABLE}: {start[1]}: has {len(parts)} fields instead of number, level, text, remedy")
        number, level, text, remedy = parts
        if not number.isdigit() or level.removeprefix("Level::") not in LEVELS:
            sys.exit(f"{TABLE}: {start[1]}: '{number}, {level}' is not a number and a Level")
        messages.append(Message(start[1], int(number), LEVELS[level.removeprefix("Level::")], text, remedy))
    return messages


def mistakes(messages):
    seen = {}
    for message in messages:
        if not message.text or not message.remedy:
            yield f"{message.name}: its text or its remedy is empty"
        if message.number != 0 and message.number in seen:
            yield f"{message.name}: number {message.number} is taken by {seen[message.number]}"
        seen[message.number] = message.name


def cell(text):
    """Text in a Markdown table; placeholders stay as they are, angle brackets must not become HTML."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


def section(title, messages):
    lines = [f"## {title}\n", "| number | level | text | what to do |", "|---|---|---|---|"]
    for m in messages:
        number = str(m.number) if m.number else "–"
        lines.append(f"| {number} | {m.level} | {cell(m.text)} | {cell(m.remedy)} |")
    return "\n".join(lines) + "\n"


def page(messages):
    numbered = sorted((m for m in messages if m.number), key=lambda m: m.number)
    plain = sorted((m for m in messages if not m.number), key=lambda m: m.text)
    return HEAD + section("With a number", numbered) + "\n" + section("Without a number", plain)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="compare only")
    check = arguments.parse_args().check

    messages = read_table(TABLE.read_text())
    found = list(mistakes(messages))
    for mistake in found:
        print(f"{TABLE}: {mistake}", file=sys.stderr)
    if found:
        return 1
    text = page(messages)
    if not check:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        print(f"{PAGE} is out of date: run packaging/messages.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
