#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The shape of the source in numbers: sizes, lengths of functions, fragmentation, words.

    python3 tests/lint/measure.py [DIRECTORY]      DIRECTORY/src and DIRECTORY/tests; default: this tree

Needs Universal Ctags. Prints a table; judges nothing. Compare two checkouts to see what a change did.
"""
import json
import os
import re
import statistics
import subprocess
import sys

# Words that mark sentences to rewrite: plain technical English has shorter ones.
WORDS = ("nobody", "somebody", "told", "mend", "anew", "whoever")
PLATFORM = ("src/os/", "src/compat/")


def files(top, folder, endings):
    found = []
    for directory, _, names in os.walk(os.path.join(top, folder)):
        found += [os.path.join(directory, name) for name in names if name.endswith(endings)]
    return sorted(found)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)


def code_lines(text):
    return sum(1 for line in without_comments(text).split("\n") if line.strip())


def functions(paths):
    out = subprocess.run(
        ["ctags", "--languages=C", "--kinds-C=f", "--fields=+neS", "--output-format=json", "-f", "-", *paths],
        check=True, capture_output=True, text=True).stdout
    tags = [json.loads(line) for line in out.splitlines()]
    return [(tag["end"] - tag["line"] + 1, tag["path"], tag["line"], tag["name"]) for tag in tags if "end" in tag]


def body_lines(lines, start, end):
    """Lines between the braces of the function that ctags found at start..end (from 1)."""
    opened = next((i for i in range(start - 1, end) if lines[i].startswith("{")), start)
    return end - opened - 2


def share(part, whole):
    return f"{part} ({100 * part / whole:.1f} %)"


def measure(top):
    paths = [p for p in files(top, "src", (".c", ".h")) if "/* Generated" not in read(p)[:200]]
    texts = {p: read(p) for p in paths}
    code = sum(code_lines(t) for t in texts.values())
    found = [f for f in functions(paths)]
    lengths = sorted(f[0] for f in found)
    small = 0
    for _, path, line, _ in found:
        lines = texts[path].split("\n")
        if line >= 2 and "static" in lines[line - 2]:
            end = next(f for f in found if f[1] == path and f[2] == line)
            small += body_lines(lines, line, line + end[0] - 1) <= 3
    sizes = [t.count("\n") for t in texts.values()]
    outside = {p: t for p, t in texts.items() if not os.path.relpath(p, top).startswith(PLATFORM)}
    conditions = sum(len(re.findall(r"^[ \t]*#[ \t]*(?:if|elif)(?!ndef \w+_H$)", t, flags=re.M))
                     for t in outside.values())
    owners = sum(bool(re.search(r"struct dsrd \*", t)) for t in texts.values())
    tests = sum(read(p).count("\n") for p in files(top, "tests", (".c", ".h", ".sh", ".py")))
    rows = [
        (".c / .h files", f"{sum(p.endswith('.c') for p in paths)} / {sum(p.endswith('.h') for p in paths)}"),
        ("lines (all) / code lines", f"{sum(sizes)} / {code}"),
        ("functions", str(len(found))),
        ("functions per 1000 code lines", f"{1000 * len(found) / code:.1f}"),
        ("function length median / p95 / max",
         f"{statistics.median(lengths):.0f} / {lengths[int(len(lengths) * .95)]} / {lengths[-1]}"),
        ("functions over 60 lines", str(sum(n > 60 for n in lengths))),
        ("static functions of 3 body lines or fewer", share(small, len(found))),
        ("files of 60 lines or fewer", share(sum(s <= 60 for s in sizes), len(sizes))),
        ("files over 500 / 600 lines", f"{sum(s > 500 for s in sizes)} / {sum(s > 600 for s in sizes)}"),
        ("#if outside platform files", str(conditions)),
        ("files that know struct dsrd *", str(owners)),
        ("test lines / source lines", f"{tests / sum(sizes):.2f}"),
    ]
    prose = "\n".join(texts.values())
    rows.append(("words in src", ", ".join(f"{w} {len(re.findall(w, prose, flags=re.I))}" for w in WORDS)))
    return rows


def main():
    top = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    for name, value in measure(top):
        print(f"{name:44} {value}")


main()
