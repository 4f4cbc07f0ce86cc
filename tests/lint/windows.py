#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Reads the scripts for Windows without running them.

    windows.py SCRIPT...        needs tree-sitter, tree-sitter-powershell and tree-sitter-batch from PyPI
    windows.py --selftest       each check must find a script that is wrong

.ps1 and .cmd   every node is part of the language, by its grammar.
.cmd            every line ends in CR LF: cmd.exe misses labels otherwise.
.ps1            every call of a command that reads or changes the network has -ErrorAction, since $ErrorActionPreference of the
                script does not reach the functions of modules, and has only parameters that it has on every Windows Server from
                2012 to 2025.
"""

import sys

import tree_sitter
import tree_sitter_batch
import tree_sitter_powershell

GRAMMARS = {".ps1": tree_sitter_powershell, ".cmd": tree_sitter_batch}

# Microsoft's reference of the modules NetTCPIP, NetAdapter, NetSecurity and DnsClient, as far as the script uses them.
PARAMETERS = {
    "Get-NetIPInterface": {"InterfaceAlias", "InterfaceIndex", "AddressFamily"},
    "Set-NetIPInterface": {"InterfaceAlias", "InterfaceIndex", "AddressFamily", "WeakHostReceive", "WeakHostSend", "Dhcp"},
    "Get-NetIPAddress": {"IPAddress", "InterfaceAlias", "InterfaceIndex", "AddressFamily"},
    "New-NetIPAddress": {"IPAddress", "InterfaceAlias", "InterfaceIndex", "AddressFamily", "PrefixLength", "SkipAsSource"},
    "Set-NetIPAddress": {"IPAddress", "InterfaceAlias", "InterfaceIndex", "AddressFamily", "PrefixLength", "SkipAsSource"},
    "Remove-NetIPAddress": {"IPAddress", "InterfaceAlias", "InterfaceIndex", "AddressFamily", "Confirm"},
    "Get-NetRoute": {"DestinationPrefix", "InterfaceAlias", "InterfaceIndex", "AddressFamily"},
    "Get-NetAdapter": {"Name", "InterfaceDescription", "InterfaceIndex"},
    "Get-NetAdapterBinding": {"Name", "ComponentID"},
    "Enable-NetAdapterBinding": {"Name", "ComponentID", "Confirm"},
    "Disable-NetAdapterBinding": {"Name", "ComponentID", "Confirm"},
    "Get-DnsClient": {"InterfaceAlias", "InterfaceIndex"},
    "Set-DnsClient": {"InterfaceAlias", "InterfaceIndex", "RegisterThisConnectionsAddress"},
    "Get-NetFirewallRule": {"Name", "DisplayName"},
    "New-NetFirewallRule": {"Name", "DisplayName", "Direction", "Action", "Profile", "Protocol", "LocalAddress", "LocalPort"},
    "Remove-NetFirewallRule": {"Name", "DisplayName"},
    "Get-NetFirewallAddressFilter": set(),
    "Get-NetFirewallPortFilter": set(),
}
# How the names of commands of those modules differ from those of PowerShell itself, whose errors do reach the script.
MODULE_NOUNS = ("-Net", "-Dns")


def walk(node, kind):
    if node.type == kind:
        yield node
    for child in node.children:
        yield from walk(child, kind)


def text(node):
    return node.text.decode("utf-8", "replace")


def line(node):
    return node.start_point[0] + 1


def syntax_faults(node):
    """The places, as (line, what), that are no part of the language."""
    if node.is_missing:
        yield line(node), "missing " + node.type
    elif node.type == "ERROR":
        yield line(node), "not understood"
    else:
        for child in node.children:
            yield from syntax_faults(child)


def line_faults(script):
    for number, one in enumerate(script.split(b"\n")[:-1], 1):
        if not one.endswith(b"\r"):
            yield number, "the line does not end in CR LF"
    if not script.endswith(b"\n"):
        yield script.count(b"\n") + 1, "the last line has no end"


def parameters(command):
    """The names of the parameters of a call, without those of commands in its arguments."""
    for element in command.children:
        if element.type == "command_elements":
            for child in element.children:
                if child.type == "command_parameter":
                    yield text(child).lstrip("-").rstrip(":")


def unknown_faults(node, command, names):
    for name in names:
        if name not in PARAMETERS[command] and name not in ("ErrorAction",):
            yield line(node), f"{command} has no parameter {name} on every Windows Server from 2012 to 2025"


def hash_names(node):
    for key in walk(node, "key_expression"):
        yield text(key)


def call_faults(root):
    functions = {text(f.children[1]): f for f in walk(root, "function_statement")}
    for call in walk(root, "command"):
        name = text(call.child_by_field_name("command_name"))
        indirect = call.children[0].type == "command_invokation_operator"
        watched = name not in functions and any(noun in name for noun in MODULE_NOUNS)
        if (indirect or watched) and "ErrorAction" not in parameters(call):
            yield line(call), f"{name} without -ErrorAction: a failure is not noticed"
        if watched and name not in PARAMETERS:
            yield line(call), f"{name} is not in the table of commands that every Windows Server from 2012 to 2025 has"
        elif watched:
            yield from unknown_faults(call, name, parameters(call))
        if name in ("Invoke-Change", "Format-Command"):
            yield from described_faults(call, functions)


def described_faults(call, functions):
    """Invoke-Change 'COMMAND' ([ordered] @{ PARAMETER = ... }) or (Get-...Arguments ...), whose function has the parameters."""
    literals = [text(node).strip("'") for node in walk(call, "string_literal")]
    if not literals or "-" not in literals[0]:
        return
    command = literals[0]
    if command not in PARAMETERS:
        yield line(call), f"{command} is not in the table of commands that every Windows Server from 2012 to 2025 has"
        return
    yield from unknown_faults(call, command, hash_names(call))
    for inner in walk(call, "command"):
        made_by = text(inner.child_by_field_name("command_name"))
        if inner is not call and made_by.endswith("Arguments") and made_by in functions:
            yield from unknown_faults(functions[made_by], command, hash_names(functions[made_by]))


def faults(name, script):
    kind = name[-4:]
    root = tree_sitter.Parser(tree_sitter.Language(GRAMMARS[kind].language())).parse(script).root_node
    yield from syntax_faults(root)
    if kind == ".cmd":
        yield from line_faults(script)
    else:
        yield from call_faults(root)


def check(name, script):
    found = sorted(set(faults(name, script)))
    for number, what in found:
        print(f"{name}:{number}: {what}")
    return len(found)


def selftest():
    wrong = [
        ("brace.ps1", b"function f { if ($x -eq 1) { Get-Item }\n"),
        ("action.ps1", b"Set-NetIPInterface -InterfaceIndex 1 -WeakHostSend Enabled\n"),
        ("indirect.ps1", b"[void] (& $Name @Arguments)\n"),
        ("parameter.ps1", b"Set-NetIPInterface -InterfaceIndex 1 -WeakHost Enabled -ErrorAction Stop\n"),
        ("command.ps1", b"Set-NetNothing -ErrorAction Stop\n"),
        ("described.ps1", b"Invoke-Change 'Set-DnsClient' ([ordered] @{ Index = 1 })\n"),
        ("made.ps1", b"function Get-XArguments { return @{ Index = 1 } }\nInvoke-Change 'Set-DnsClient' (Get-XArguments 1)\n"),
        ("unknown.ps1", b"Invoke-Change 'Set-DnsNothing' ([ordered] @{ Index = 1 })\n"),
        ("lines.cmd", b"@echo off\nexit /b 0\n"),
        ("oneline.cmd", b"@echo off\r\nexit /b 0\nrem\r\n"),
        ("end.cmd", b"@echo off\r\nexit /b 0"),
    ]
    right = [
        ("right.ps1", b"function f { if ($x -eq 1) { Get-Item } }\n"),
        ("call.ps1", b"[void] (& $Name @Arguments -ErrorAction Stop)\n@(Get-NetAdapter -ErrorAction Stop | Sort-Object Name)\n"),
        ("own.ps1", b"function Find-Network { return 1 }\nFind-Network\n"),
        ("described.ps1", b"Invoke-Change 'Set-DnsClient' ([ordered] @{ InterfaceIndex = 1 })\n"),
        ("right.cmd", b"@echo off\r\nexit /b 0\r\n"),
    ]
    missed = [name for name, script in wrong if check(name, script) == 0]
    accused = [name for name, script in right if check(name, script) > 0]
    if missed or accused:
        print("selftest: not found:", missed, "found though right:", accused)
    return 1 if missed or accused else 0


def main():
    if sys.argv[1:] == ["--selftest"]:
        return selftest()
    bad = 0
    for name in sys.argv[1:]:
        with open(name, "rb") as script:
            bad += check(name, script.read())
    return 1 if bad or len(sys.argv) < 2 else 0


sys.exit(main())
