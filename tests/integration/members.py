#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""
Is every member of an answer explained where its command is?

    members.py dsrd-json.7.in COMMAND   the answer, one JSON object a line, on standard input

Status 1, and the members that the command's section of the manual page lacks.
"""
import json
import re
import sys


def explained(page, command):
    """The words marked as literal in the section whose title has the command."""
    words, inside = {"schema"}, False
    with open(page, encoding="ascii") as lines:
        for line in lines:
            if line.startswith((".Ss ", ".Sh ")):
                inside = command in line[4:].strip().split(", ")
            elif inside and re.match(r"\.(It |Pq |Po )?Li ", line):
                words.update(line.split())
    return words


def members(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from members(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from members(inner)


def main():
    page, command = sys.argv[1:]
    words, answers = explained(page, command), [json.loads(line) for line in sys.stdin]
    names = {name for answer in answers for name in members(answer)}
    if not names:
        sys.exit(f"{command}: there is no answer")
    if names - words:
        sys.exit(f"{command}: {page} does not explain {', '.join(sorted(names - words))}")


main()
