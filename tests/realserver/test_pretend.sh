#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The logic of dsr-realserver on systems other than Linux: apply, apply again, check, each setting broken, undo, with
# simulated
# system programs. It proves what the script does with their output, not that the systems behave this way.

set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
script=$here/../../contrib/realserver/dsr-realserver
PRETEND=$(mktemp -d "${TMPDIR:-/tmp}/dsr-pretend.XXXXXX") || exit 71
trap 'rm -rf "$PRETEND"' EXIT
trap 'exit 130' INT TERM
export PRETEND
export DSR_REALSERVER_STATE="$PRETEND/state"
mkdir "$PRETEND/bin"
for name in uname id sysctl ifconfig ipadm; do
	cp "$here/pretend" "$PRETEND/bin/$name"
	chmod +x "$PRETEND/bin/$name"
done

fail() {
	echo "FAILED: $system: $*" >&2
	cat "$PRETEND/said" >&2
	exit 1
}

expect() { # STATUS WORD...
	expect_status=$1
	shift
	# shellcheck disable=SC2086 # "busybox sh" is two words
	PATH=$PRETEND/bin:$PATH ${TEST_SHELL:-sh} "$script" "$@" >"$PRETEND/said" 2>&1
	expect_got=$?
	[ $expect_got -eq "$expect_status" ] || fail "$*: expected status $expect_status, got $expect_got"
}

expect_line() { # PATTERN
	grep -q -e "$1" "$PRETEND/said" || fail "no line matches '$1'"
}

edit() { # FILE SED-SCRIPT
	sed "$2" "$PRETEND/$1" >"$PRETEND/new" && cp "$PRETEND/new" "$PRETEND/$1"
}

set_key() { # KEY VALUE
	edit settings "s,^$1 .*,$1 $2,"
}

snapshot() {
	cat "$PRETEND/addresses" "$PRETEND/settings" "$PRETEND/interfaces" "$PRETEND/objects"
}

run_system() { # SYSTEM KEY GOOD BAD
	system=$1
	printf '%s\n' "$system" >"$PRETEND/system"
	printf 'em0\nlo0\n' >"$PRETEND/interfaces"
	printf 'em0 192.0.2.11 24\nem0 2001:db8::11 64\nlo0 127.0.0.1 8\nlo0 ::1 128\n' >"$PRETEND/addresses"
	printf 'lo0/v4 127.0.0.1\nlo0/v6 ::1\nem0/v4 192.0.2.11\nem0/v6 2001:db8::11\n' >"$PRETEND/objects"
	{
		printf '%s %s\n' "$2" "$4"
		case $system in
		OpenBSD) printf 'net.inet6.ip6.forwarding 0\n' ;;
		SunOS) printf 'hostmodel/ipv6 src-priority\n' ;;
		esac
	} >"$PRETEND/settings"
	snapshot >"$PRETEND/before"
	expect 1 check --vip 192.0.2.10 2001:db8::10
	expect_line '^wrong  192.0.2.10 is on no interface.*; type: \(ifconfig lo\|ipadm create-addr\)'
	expect_line "^wrong  $2 is $4: .*; type: "
	expect 0 apply --vip 192.0.2.10 2001:db8::10
	expect 0 check
	expect_line '^ok     192.0.2.10 is on lo[01] as /32$'
	expect_line '^ok     2001:db8::10 is on lo[01] as /128$'
	expect_line "^ok     $2 is $3\$"
	expect 0 apply --vip 192.0.2.10 2001:db8::10
	expect_line '^nothing to do'
	set_key "$2" "$4"
	expect 1 check
	expect_line "^wrong  $2 is $4: "
	expect 0 apply --vip 192.0.2.10
	expect 0 check
	cp "$PRETEND/addresses" "$PRETEND/kept"
	echo 'em0 192.0.2.10 24' >>"$PRETEND/addresses"
	echo 'em0/v4b 192.0.2.10' >>"$PRETEND/objects"
	expect 1 check
	expect_line '^wrong  192.0.2.10 is on em0'
	expect 1 apply --vip 192.0.2.10
	cp "$PRETEND/kept" "$PRETEND/addresses"
	edit objects '/v4b/d'
	edit addresses 's/ 192.0.2.10 32/ 192.0.2.10 24/'
	expect 1 check
	expect_line '^wrong  192.0.2.10 is on lo[01] with a short mask'
	cp "$PRETEND/kept" "$PRETEND/addresses"
	expect 0 undo
	snapshot | diff -u "$PRETEND/before" - >&2 || fail "undo did not restore what was"
	[ ! -e "$DSR_REALSERVER_STATE" ] || fail "undo left the state file"
	# A host that is right already is left alone.
	set_key "$2" "$3"
	snapshot >"$PRETEND/before"
	expect 0 apply --vip 192.0.2.10
	expect 0 undo
	snapshot | diff -u "$PRETEND/before" - >&2 || fail "undo did not restore what was good already"
}

run_system FreeBSD net.inet.ip.rfc1122_strong_es 0 1
run_system FreeBSD net.link.ether.inet.proxyall 0 1
run_system OpenBSD net.inet.ip.forwarding 1 0
run_system NetBSD net.inet.ip.checkinterface 0 1
run_system DragonFly net.inet.ip.check_interface 0 1
run_system Darwin net.inet.ip.check_interface 0 1
run_system SunOS hostmodel/ipv4 weak strong

printf 'Plan9\n' >"$PRETEND/system"
system=Plan9
expect 71 check --vip 192.0.2.10
expect_line 'Plan9 is not known here'
