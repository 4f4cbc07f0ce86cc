#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Runs dsr-realserver.cmd in Wine's cmd.exe against programs that imitate Windows 2000 to 2008 R2 (pretend.c). A failed
# line is a
# defect of the script. It proves what the script does with such output, not that Windows behaves so.
#     test.sh [SCRIPT]    needs wine64 and a MinGW compiler; status 77 without them

set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
script=${1:-$here/../../../contrib/realserver/dsr-realserver.cmd}
compiler=x86_64-w64-mingw32-gcc
for needed in wine wineserver $compiler; do
	command -v "$needed" >/dev/null 2>&1 || {
		echo "skipped: there is no $needed"
		exit 77
	}
done
work=$(mktemp -d "${TMPDIR:-/tmp}/dsr-cmd.XXXXXX") || exit 71
trap 'wineserver -k 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkdir "$work/bin" "$work/run" "$work/home"
$compiler -O1 -Wall -Wno-unused-result -o "$work/bin/netsh.exe" "$here/pretend.c" || exit 1
cp "$work/bin/netsh.exe" "$work/bin/route.exe"
cp "$work/bin/netsh.exe" "$work/bin/findstr.exe"

HOME=$work/home
WINEPREFIX=$work/wine
WINEDEBUG=-all
WINEDLLOVERRIDES='mscoree=;mshtml='
WINEPATH=Z:$work/bin
PRETEND_STATE="Z:$work/state"
PRETEND_CALLS="Z:$work/calls"
PRETEND_KILLED="Z:$work/killed"
export HOME WINEPREFIX WINEDEBUG WINEDLLOVERRIDES WINEPATH PRETEND_STATE PRETEND_CALLS PRETEND_KILLED
directory=$WINEPREFIX/drive_c/ProgramData/dsr-realserver
passed=0 failed=0 status=0
NAMES='"loopback" "net"'
wine wineboot -i >/dev/null 2>&1
wineserver -p

# system VERSION: which Windows is imitated. Wine has no 2000 and 2003 of 64 bits but this one.
system() {
	PRETEND_WINDOWS=$1
	export PRETEND_WINDOWS
	case $1 in
	2008*) like=win7 ;;
	*) like=winxp64 ;;
	esac
	wine reg add 'HKCU\Software\Wine' /v Version /d $like /f >/dev/null 2>&1
	case $1 in
	2008*) directory=$WINEPREFIX/drive_c/ProgramData/dsr-realserver ;;
	esac
}

# new [NAME OF THE LOOPBACK]: a machine without a VIP.
new() {
	unset PRETEND_FAIL PRETEND_KILL
	rm -rf "$directory"
	for family in ipv4 ipv6; do
		echo "if $family net|disabled|disabled|12"
		echo "if $family ${1:-loopback}|disabled|disabled|20"
		echo "if $family Loopback Pseudo-Interface 1|disabled|disabled|1"
	done >"$work/state"
	cat >>"$work/state" <<-END
		addr ipv4 net|192.0.2.11|255.255.255.0|false
		gateway 192.0.2.11
		dns net|192.0.2.53|primary|static
		dns ${1:-loopback}|None|primary|static
	END
	cp "$work/state" "$work/before"
}

# run WORD...: the status is the script's, also of one that was killed.
run() {
	cp "$script" "$work/run/dsr-realserver.cmd"
	# A file, so that cmd.exe and no other program reads the words. Without "call", which makes a 1 of every status
	# in Wine 8.
	printf '@echo off\r\ndsr-realserver.cmd %s\r\n' "$*" >"$work/run/run.cmd"
	(cd "$work/run" && timeout 100 wine cmd.exe /c run.cmd) >"$work/said" 2>&1 </dev/null
	status=$?
}

# ok WHAT CONDITION...
ok() {
	ok_what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		[ -z "${VERBOSE:-}" ] || echo "ok      $PRETEND_WINDOWS: $ok_what"
	else
		failed=$((failed + 1))
		echo "FAILED  $PRETEND_WINDOWS: $ok_what (exit status $status)"
		{ tr -d '\r' <"$work/said"; cat "$work/state"; } | sed 's/^/        | /' | head -n 30
	fi
}

is() { [ "$status" -eq "$1" ]; }
not() { ! "$@"; }
said() { tr -d '\r' <"$work/said" | grep -q -e "$1"; }
has() { grep -q -e "$1" "$work/state"; }
same() { sort "$work/state" | cmp -s - "$work/sorted"; }
clean() { [ ! -e "$directory" ] && sort "$work/before" >"$work/sorted" && same; }
# documented: each command that was printed is in the document.
documented() {
	tr -d '\r' <"$work/said" | grep '^netsh ' >"$work/printed" || return 1
	while IFS= read -r line; do
		sed 's/^ *//' "$here/../../../doc/real-servers.md" | grep -qxF -e "$line" || {
			echo "        not in the document: $line"
			return 1
		}
	done <"$work/printed"
}
all_crlf() { [ "$(grep -c "$(printf '\r')\$" "$script")" -eq "$(wc -l <"$script")" ]; }

strong_hosts() {
	system 2008r2
	: >"$work/said"
	new
	ok 'every line of the script ends in CR LF' all_crlf
	run apply 192.0.2.10 "$NAMES" /port 80 /dry-run
	ok 'the document has the commands' documented
	run apply 192.0.2.10 "$NAMES"
	ok 'apply' is 0
	ok 'the address is on the loopback, /32, not as source' has 'addr ipv4 loopback|192.0.2.10|255.255.255.255|true'
	ok 'weak host receive on net' has 'if ipv4 net|enabled|disabled'
	ok 'weak host receive and send on the loopback' has 'if ipv4 loopback|enabled|enabled'
	ok 'the loopback does not register in DNS' has 'dns loopback|None|none'
	cp "$work/state" "$work/applied"
	run check 192.0.2.10 "$NAMES"
	ok 'check after apply' is 0
	run apply 192.0.2.10 "$NAMES"
	ok 'a second apply' is 0
	ok 'a second apply changes nothing' cmp -s "$work/state" "$work/applied"
	PRETEND_FAIL=delete
	export PRETEND_FAIL
	run undo
	ok 'undo with a refused command: status' is 71
	ok 'undo with a refused command: its message is shown' said 'requires elevation'
	ok 'undo with a refused command: the journal stays' test -s "$directory/journal.txt"
	unset PRETEND_FAIL
	run undo /dry-run
	ok 'undo /dry-run shows the commands' said 'netsh interface ipv4 delete address "loopback" 192.0.2.10'
	ok 'undo /dry-run changes nothing' has 'addr ipv4 loopback|192.0.2.10'
	run undo
	ok 'undo repeated: exactly as before' clean

	run apply 2001:db8::10 "$NAMES"
	ok 'IPv6: /128 and not as source' has 'addr ipv6 loopback|2001:db8::10|/128|true'
	run check 2001:db8::10 "$NAMES"
	ok 'IPv6: check' is 0
	run undo
	ok 'IPv6: undo, exactly as before' clean
}

arguments() {
	new
	run apply 192.0.2.10 "$NAMES" /port 80,443 /dry-run
	ok '/port 80,443 /dry-run changes nothing' clean
	ok '/port 80,443 /dry-run shows both ports' said 'localport=80,443'
	run apply 192.0.2.10 "$NAMES" /dry-run /port 80
	ok '/dry-run before /port changes nothing' clean
	for words in '/prot 80' '/port' '/port /dry-run' '80'; do
		run apply 192.0.2.10 "$NAMES" "$words"
		ok "'$words' is refused" is 64
	done
	run undo now
	ok "'undo now' is refused" is 64
	for address in abc 192.0.2.10/24 1234; do
		run apply $address "$NAMES"
		ok "$address is no address" is 64
	done
	run apply 192.0.2.10 '"net" "net"'
	ok 'one connection for both is refused' is 64
	ok 'what was refused changed nothing' clean
}

places() {
	new
	run apply 192.0.2.10 '"net" "loopback"'
	ok 'exchanged names are refused' is 1
	ok 'exchanged names: nothing was done' clean
	echo 'addr ipv4 net|192.0.2.10|255.255.255.0|false' >>"$work/state"
	cp "$work/state" "$work/before"
	run check 192.0.2.10 "$NAMES"
	ok 'VIP on the network interface: check' said 'wrong  192.0.2.10 is not on "loopback" but on'
	run apply 192.0.2.10 "$NAMES"
	ok 'VIP on the network interface: apply refuses' is 1
	ok 'VIP on the network interface: nothing was done' clean
	new
	run apply 192.0.2.10 '"Loopback Pseudo-Interface 1" "net"'
	run check 192.0.2.10 '"Loopback Pseudo-Interface 1" "net"'
	ok 'Loopback Pseudo-Interface 1' is 0
	new
	run apply 192.0.2.10 20 12
	run check 192.0.2.10 20 12
	ok 'by index: check after apply' is 0
	run undo
	ok 'by index: undo, exactly as before' clean
	new 'loop, back & (2)'
	run apply 192.0.2.10 '"loop, back & (2)" "net"'
	ok 'a name with a comma and signs' has 'if ipv4 loop, back & (2)|enabled|enabled'
	run undo
	ok 'a name with a comma and signs: undo' clean
}

firewall() {
	new
	run apply 192.0.2.10 "$NAMES" /port 80,443
	ok '/port 80,443 opens both, for the VIP only' has \
	    'rule dsr-realserver 192.0.2.10|.*localip=192.0.2.10 localport=80,443 '
	run apply 192.0.2.10 "$NAMES" /port 8080
	ok 'other ports in a second apply' has 'localport=8080 '
	ok 'one rule only' test "$(grep -c '^rule' "$work/state")" -eq 1
	run undo
	ok 'undo with a rule, exactly as before' clean
	echo 'rule dsr-realserver 192.0.2.10|localport=22' >>"$work/state"
	cp "$work/state" "$work/before"
	run apply 192.0.2.10 "$NAMES" /port 80
	ok "another program's rule is not touched" is 1
	ok "another program's rule: nothing was done" clean
}

failures() {
	new
	PRETEND_FAIL=weakhost
	export PRETEND_FAIL
	run apply 192.0.2.10 "$NAMES"
	ok 'refused settings: status' is 71
	ok 'refused settings: its message is shown' said 'requires elevation'
	unset PRETEND_FAIL
	run undo
	ok 'refused settings: undo' clean
	mkdir -p "$directory/journal.txt"
	run apply 192.0.2.10 "$NAMES"
	ok 'a journal that cannot be written: status' is 71
	rm -rf "$directory"
	ok 'a journal that cannot be written: nothing was done' clean
	mkdir -p "$directory"
	printf 'address ipv4 192.0.2.10 loopb' >"$directory/journal.txt"
	run apply 192.0.2.10 "$NAMES"
	ok 'a line cut short by a full disk: apply' is 0
	run undo
	ok 'a line cut short by a full disk: undo' clean
	mkdir -p "$directory/lock"
	run apply 192.0.2.10 "$NAMES"
	ok 'two at once: the second is refused' is 71
	ok 'two at once: says what to type' said 'rmdir ".*dsr-realserver.lock"'
	rm -rf "$directory"
	ok 'two at once: nothing was done' clean
}

# A kill after each change of apply, and at some of undo: with the lock away, undo gives back what was.
kills() {
	for action in apply undo; do
		killed=0
		for at in $([ $action = undo ] && echo 1 4 || echo 1 2 3 4 5 6 7 8 9); do
			new
			[ $action = apply ] || run apply 192.0.2.10 "$NAMES" /port 80
			rm -f "$work/calls" "$work/killed"
			PRETEND_KILL=$at
			export PRETEND_KILL
			case $action in
			apply) run apply 192.0.2.10 "$NAMES" /port 80 ;;
			undo) run undo ;;
			esac
			unset PRETEND_KILL
			calls=0
			[ ! -s "$work/calls" ] || read -r calls _ <"$work/calls"
			[ "$calls" -ge "$at" ] || break
			tries=0
			until [ -s "$work/killed" ] || [ $tries -ge 100 ]; do
				sleep 0.1
				tries=$((tries + 1))
			done
			ok "$action killed after change $at: status" not is 0
			rmdir "$directory/lock" 2>/dev/null
			run undo
			ok "$action killed after change $at: undo" clean
			killed=$at
		done
		ok "$action was killed at all its changes" test "$killed" -ge 4
	done
}

weak_hosts() {
	system 2008
	new
	run apply 192.0.2.10 "$NAMES"
	ok 'apply without skipassource' is 0
	ok 'the address is there' has 'addr ipv4 loopback|192.0.2.10|255.255.255.255|false'
	run undo
	ok 'undo, exactly as before' clean
	system 2003sp1
	new
	directory=$(cd "$WINEPREFIX/drive_c" && echo "$PWD")/ProgramData/dsr-realserver
	run apply 192.0.2.10 "$NAMES" /port 80 /dry-run
	ok 'the document has the commands' documented
	run apply 192.0.2.10 "$NAMES" /port 80,443
	ok 'apply' is 0
	ok 'the address is there' has 'addr ipv4 loopback|192.0.2.10|255.255.255.255'
	ok 'the firewall is open on the loopback' has 'port TCP|443|loopback'
	ok 'says to set the metric' said 'write 254 as the interface metric'
	run check 192.0.2.10 "$NAMES"
	ok 'check' is 0
	run undo
	ok 'undo, exactly as before' clean
	echo 'dhcp loopback' >>"$work/state"
	cp "$work/state" "$work/before"
	run apply 192.0.2.10 "$NAMES"
	ok 'an adapter on DHCP: the address is there' has 'addr ipv4 loopback|192.0.2.10|255.255.255.255'
	run undo
	ok 'an adapter on DHCP: undo, exactly as before' clean
	run apply 2001:db8::10 "$NAMES"
	ok 'IPv6 is refused' is 71
	system 2000
	new
	run apply 192.0.2.10 "$NAMES" /port 80
	ok 'apply' is 0
	ok 'says that there is no firewall' said 'note   this Windows has no firewall'
	ok 'DNS is left to the operator' said 'clear "Register this connection'
	run undo
	ok 'undo, exactly as before' clean
}

strong_hosts
arguments
places
firewall
failures
kills
weak_hosts
echo "dsr-realserver.cmd: $passed passed, $failed failed"
[ $failed -eq 0 ]
