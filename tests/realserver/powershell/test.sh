#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Runs dsr-realserver.ps1 in PowerShell against modules that imitate Windows Server 2012 to 2025 (common.ps1). A failed
# line is a
# defect of the script. It proves what the script does with such commands, not that Windows behaves so.
#     test.sh [SCRIPT]    needs a PowerShell of 5.0 or later as pwsh, or its path in PWSH; status 77 without one
#
# The script is called as at the prompt, in a scope of its own: its $ErrorActionPreference does not reach the functions
# of the
# modules, as on Windows.

set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
script=${1:-$here/../../../contrib/realserver/dsr-realserver.ps1}
pwsh=${PWSH:-pwsh}
command -v "$pwsh" >/dev/null 2>&1 || {
	echo "skipped: there is no $pwsh"
	exit 77
}
work=$(mktemp -d "${TMPDIR:-/tmp}/dsr-ps1.XXXXXX") || exit 71
trap 'umount "$work/data" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
ProgramData=$work/data
MOCK_WINDOWS=$work/windows.json
export ProgramData MOCK_WINDOWS
passed=0 failed=0 status=0
VIPS=192.0.2.10,2001:db8::10

powershell() {
	"$pwsh" -NoProfile -NonInteractive "$@"
}

# new [OPTION...]: a machine without a VIP; options of new-windows.ps1.
new() {
	rm -rf "$work/data" "$work"/windows.json*
	mkdir "$work/data"
	unset MOCK_FAIL
	powershell -File "$here/new-windows.ps1" "$MOCK_WINDOWS" "$@" && cp "$MOCK_WINDOWS" "$work/before.json"
}

run() {
	powershell -File "$here/run.ps1" "$script" "$@" >"$work/said" 2>&1
	status=$?
}

# run_file WORD...: as "powershell -File", where "a,b" is one word.
run_file() {
	PSModulePath=$here/modules "$pwsh" -NoProfile -NonInteractive -File "$script" "$@" >"$work/said" 2>&1
	status=$?
}

# by_hand COMMANDS: what an operator or another program does.
by_hand() {
	powershell -Command "\$env:PSModulePath = '$here/modules' + [IO.Path]::PathSeparator + \$env:PSModulePath; $1" \
	    >/dev/null
}

fault() { # CMDLET:N
	rm -f "$MOCK_WINDOWS.calls"
	MOCK_FAIL=$1
	export MOCK_FAIL
}

# ok WHAT CONDITION...
ok() {
	ok_what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED  $ok_what (exit status $status)"
		sed 's/^/        | /' "$work/said" | head -n 10
	fi
}

is() { [ "$status" -eq "$1" ]; }
not() { ! "$@"; }
said() { grep -q -e "$1" "$work/said"; }
same() { cmp -s "$MOCK_WINDOWS" "$work/before.json"; }
noted() { [ -f "$work/data/dsr-realserver/state.json" ]; }
has() { grep -q -e "$1" "$MOCK_WINDOWS"; }
rule_has() { sed -n '/"rules"/,$p' "$MOCK_WINDOWS" | grep -q -e "$1"; }

cycle() {
	new
	run apply -Vip $VIPS -Port 80,443
	ok 'apply' is 0
	run check
	ok 'check after apply' is 0
	run apply -Vip $VIPS
	ok 'apply again: nothing to do' said 'nothing to do'
	run apply -Vip $VIPS -Port 80,443
	ok 'apply again with -Port: nothing to do' said 'nothing to do'
	run undo
	ok 'undo' is 0
	ok 'undo: exactly as before' same
	ok 'undo: no journal left' not noted
	new -KmTest loopback
	run apply -Vip $VIPS
	run check
	ok 'check at once after apply on a KM-TEST adapter' is 0
	run undo
	ok 'undo on a KM-TEST adapter: exactly as before, DHCP too' same
	new
	run apply -Vip 192.0.2.10 -DryRun
	ok '-DryRun changes nothing' same
	run apply -Vip 192.0.2.10 -WhatIf
	ok '-WhatIf changes nothing' same
}

names() {
	new -Network "Bob's LAN 2" -KmTest 'my loop back'
	run apply -Vip 192.0.2.10
	ok 'names with blanks and an apostrophe' is 0
	new -Network 'LAN [1]'
	run apply -Vip 192.0.2.10
	ok 'a name with brackets' is 0
	new -KmTest 'Ethernet 2'
	run apply -Vip 192.0.2.10
	by_hand "Rename-NetAdapter 'Ethernet 2' loopback; Rename-NetAdapter Ethernet net"
	run check
	ok 'renamed adapters: check does not advise removing the VIP' not said Remove-NetIPAddress
	run undo
	ok 'renamed adapters: undo removes the VIP' not has 192.0.2.10
}

refusals() {
	new -SecondNetwork Fast
	run apply -Vip 192.0.2.10 -DryRun
	ok 'two default routes: the one with the lower sum of metrics' said Fast
	new -KmTest loopback
	run apply -Vip 192.0.2.10 -Interface nosuch
	ok 'an unknown interface: nothing is changed' same
	new -KmTest loopback -NoIPv6Route
	run apply -Vip $VIPS
	ok 'no IPv6 route: nothing is changed' same
	new
	run apply -Vip 192.0.2.10 -Loopback Ethernet
	ok 'the network interface as -Loopback: refused' is 69
	ok 'the network interface as -Loopback: nothing is changed' same
	new -KmTest loopback
	by_hand 'New-NetIPAddress -InterfaceAlias loopback -IPAddress 203.0.113.77 -PrefixLength 32'
	cp "$MOCK_WINDOWS" "$work/before.json"
	run apply -Vip 192.0.2.10
	ok "another program's loopback adapter: refused" is 69
	ok "another program's loopback adapter: nothing is changed" same
	for address in 224.0.0.1 255.255.255.255 240.0.0.1 169.254.1.1 ::ffff:192.0.2.10; do
		run apply -DryRun -Vip $address
		ok "$address cannot be a VIP" is 64
	done
	run_file apply -DryRun -Vip 192.0.2.10,192.0.2.20
	ok '-File: two VIPs with a comma' said 'IPAddress 192.0.2.20'
	run_file apply -DryRun -Vip 192.0.2.10 -Port 8,443
	ok '-File: -Port 8,443 is not 8443' not said 8443
}

failures() {
	for call in Set-NetIPInterface:1 Set-NetIPInterface:3 New-NetIPAddress:1 New-NetIPAddress:2 New-NetFirewallRule:1; do
		new
		fault $call
		run apply -Vip $VIPS -Port 80
		unset MOCK_FAIL
		ok "apply with $call failing: status" not is 0
		run undo
		ok "apply with $call failing, then undo: as before" same
	done
	for call in Set-NetIPInterface:1 Remove-NetIPAddress:1 Remove-NetFirewallRule:1; do
		new
		run apply -Vip $VIPS -Port 80
		fault $call
		run undo
		unset MOCK_FAIL
		ok "undo with $call failing: status" not is 0
		ok "undo with $call failing: the journal stays" noted
		run undo
		ok "undo again after $call failed: as before" same
	done
	new
	fault 'Set-DnsClient:*'
	run apply -Vip 192.0.2.10
	ok 'Set-DnsClient never works: apply continues' is 0
	ok 'Set-DnsClient never works: no error of the engine' not said FullyQualifiedErrorId
	run undo
	unset MOCK_FAIL
	ok 'Set-DnsClient never works: undo' not noted
}

kill_after() { # N
	rm -f "$MOCK_WINDOWS.changes"
	MOCK_KILL=$1
	export MOCK_KILL
}

# Killed after each change in turn, until a run has no such change any more.
kills() {
	for number in 1 2 3 4 5 6 7 8 9 10 11 12; do
		new
		kill_after $number
		run apply -Vip $VIPS -Port 80
		unset MOCK_KILL
		[ $status -ne 0 ] || break
		run undo
		ok "apply killed after change $number, then undo" is 0
		ok "apply killed after change $number, then undo: as before" same
		ok "apply killed after change $number, then undo: no journal left" not noted
	done
	ok 'apply was killed several times' [ "$number" -gt 3 ]
	for number in 1 2 3 4 5 6 7 8 9 10 11 12; do
		new
		run apply -Vip $VIPS -Port 80
		kill_after $number
		run undo
		unset MOCK_KILL
		[ $status -ne 0 ] || break
		run undo
		ok "undo killed after change $number, then undo" is 0
		ok "undo killed after change $number, then undo: as before" same
	done
	ok 'undo was killed several times' [ "$number" -gt 3 ]
}

# Two at once: each waits for the other.
concurrency() {
	new
	for vip in 192.0.2.10 192.0.2.20 192.0.2.30; do
		powershell -File "$here/run.ps1" "$script" apply -Vip $vip >"$work/said-$vip" 2>&1 &
		eval "pid_${vip##*.}=$!"
	done
	for number in 10 20 30; do
		status=0
		eval "wait \$pid_$number" || status=$?
		cp "$work/said-192.0.2.$number" "$work/said"
		ok "three at once: 192.0.2.$number" is 0
		ok "three at once: 192.0.2.$number is there" has "\"192.0.2.$number\""
	done
	run undo
	ok 'three at once, then undo: as before' same
}

# A disk without room for the journal: nothing may be changed that undo could not take back. Takes root, for a disk of
# its own.
full_disk() {
	new
	if ! mount -t tmpfs -o size=64k tmpfs "$work/data" 2>/dev/null; then
		echo 'a full disk: not tried, because only root can mount one'
		return
	fi
	dd if=/dev/zero of="$work/data/full" bs=1k 2>/dev/null
	run apply -Vip $VIPS -Port 80
	ok 'a full disk: apply' is 71
	ok 'a full disk: nothing is changed' same
	rm "$work/data/full"
	run apply -Vip 192.0.2.10
	cp "$work/data/dsr-realserver/state.json" "$work/journal"
	cp "$MOCK_WINDOWS" "$work/applied.json"
	dd if=/dev/zero of="$work/data/full" bs=1k 2>/dev/null
	run apply -Vip 2001:db8::10 -Port 80
	ok 'a full disk, a second apply: fails' is 71
	ok 'a full disk, a second apply: nothing is changed' cmp -s "$MOCK_WINDOWS" "$work/applied.json"
	ok 'a full disk, a second apply: the journal is whole' cmp -s "$work/data/dsr-realserver/state.json" \
	    "$work/journal"
	rm "$work/data/full"
	run undo
	ok 'room again: undo' is 0
	ok 'room again: as before' same
	umount "$work/data"
}

rules() {
	new
	run apply -Vip 192.0.2.10 -Port 80
	run apply -Vip 192.0.2.20
	ok 'a second VIP without -Port: the rule has it' rule_has 192.0.2.20
	new
	run apply -Vip 192.0.2.10 -Port 80
	by_hand 'Set-NetFirewallRule dsr-realserver-TCP -LocalPort 8080'
	run check
	ok 'a rule with other ports: check' is 1
	new
	by_hand "New-NetIPAddress -InterfaceAlias 'Loopback Pseudo-Interface 1' -IPAddress 192.0.2.10 -PrefixLength 32"
	run apply -Vip 192.0.2.10
	run check
	ok 'a VIP without SkipAsSource: apply sets it' is 0
}

: >"$work/said"
cycle
names
refusals
failures
rules
kills
concurrency
full_disk
echo "dsr-realserver.ps1: $passed passed, $failed failed"
[ $failed -eq 0 ]
