#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Parses the scripts for Windows, which nothing here can run: every node that the grammar cannot place is an error.

    windows.py SCRIPT...        needs tree-sitter, tree-sitter-powershell and tree-sitter-batch from PyPI
    windows.py --selftest       a script that is wrong must be seen to be wrong
"""

import sys

import tree_sitter
import tree_sitter_batch
import tree_sitter_powershell

GRAMMARS = {".ps1": tree_sitter_powershell, ".cmd": tree_sitter_batch}


def faults(node):
    """The places, as (line, what), that are no part of the language."""
    if node.is_missing:
        yield node.start_point[0] + 1, "missing " + node.type
    elif node.type == "ERROR":
        yield node.start_point[0] + 1, "not understood"
    else:
        for child in node.children:
            yield from faults(child)


def check(name, text):
    grammar = GRAMMARS[name[-4:]]
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    found = list(faults(parser.parse(text).root_node))
    for line, what in found:
        print(f"{name}:{line}: {what}")
    return len(found)


def selftest():
    wrong = check("wrong.ps1", b"function f { if ($x -eq 1) { Get-Item }\n")
    right = check("right.ps1", b"function f { if ($x -eq 1) { Get-Item } }\n")
    return 0 if wrong > 0 and right == 0 else 1


def main():
    if sys.argv[1:] == ["--selftest"]:
        return selftest()
    bad = 0
    for name in sys.argv[1:]:
        with open(name, "rb") as script:
            bad += check(name, script.read())
    return 1 if bad or len(sys.argv) < 2 else 0


sys.exit(main())
