#!/bin/sh
# SPDX-License-Identifier: ISC
#
# For a person with a BSD host: runs dsrd there and prints a report to paste into an issue. As root:
#
#     sh tests/bsd/report.sh [-n] BUILD                          a network inside this machine: OpenBSD, FreeBSD
#     sh tests/bsd/report.sh [-n] BUILD INTERFACE VIP SERVER     a real network: any BSD
#
# BUILD is where dsrd was built. -n prints what would be done, and does nothing.
#
# OpenBSD: pair(4) interfaces in routing domains 11 (client), 12 and 13 (servers), on a bridge(4); the director is the
# machine
# itself. FreeBSD: the integration tests, whose hosts are vnet jails with epair(4). NetBSD has no second network stack
# in one
# kernel, so it needs a real network: VIP is a free address of INTERFACE's network, SERVER a host there that serves HTTP
# and has
# the VIP on its loopback (dsr-realserver(8)). All that is created is removed at the end, also after a failure or
# Ctrl-C; of
# OpenBSD's domains the loopbacks lo11 to lo13 stay until the next boot.

set -u

usage() {
	echo "usage: report.sh [-n] BUILD [INTERFACE VIP SERVER]" >&2
	exit 64
}

dry=no
if [ "${1:-}" = -n ]; then
	dry=yes
	shift
fi
[ $# -eq 1 ] || [ $# -eq 4 ] || usage
build=$1 interface=${2:-pair1} vip=${3:-192.0.2.10} server=${4:-}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
system=$(uname -s)
if [ ! -x "$build/dsrd" ] || [ ! -x "$build/dsrctl" ]; then
	echo "$build has no dsrd and dsrctl: build them there first" >&2
	exit 66
fi
[ "$dry" = yes ] || [ "$(id -u)" = 0 ] || {
	echo "only root can create interfaces and open bpf: su root -c 'sh $0 $*'" >&2
	exit 77
}
work=$(mktemp -d "${TMPDIR:-/tmp}/dsrd-report.XXXXXX") || exit 71
chmod 755 "$work"
undo=$work/undo
: >"$undo"
failures=0

# --- doing and undoing -----------------------------------------------------------------------------------------------

heading() {
	printf '\n### %s\n' "$*"
}

# Runs a command that the network needs. The script ends when it fails.
must() {
	echo "+ $*"
	[ "$dry" = no ] || return 0
	"$@" || {
		echo "FAILED: $*"
		exit 1
	}
}

# At the end, newest first.
undo_by() {
	{ echo "$*"; cat "$undo"; } >"$undo.new"
	mv "$undo.new" "$undo"
}

# Something to see in the report. What it ends with does not matter.
show() {
	echo "\$ $*"
	[ "$dry" = yes ] || "$@" 2>&1 || echo "(exit status $?)"
}

# One expectation, that a command succeeds; a line of the report.
expect() { # TEXT CMD...
	expect_text=$1
	shift
	if [ "$dry" = yes ]; then
		echo "? $expect_text: $*"
	elif "$@" >"$work/said" 2>&1; then
		echo "ok     $expect_text"
	else
		echo "NOT OK $expect_text: $*"
		sed 's/^/       /' "$work/said"
		failures=$((failures + 1))
	fi
}

wait_for() { # SECONDS CMD...
	wait_left=$1
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$wait_left" -gt 0 ] || return 1
		wait_left=$((wait_left - 1))
		sleep 1
	done
}

# shellcheck disable=SC2317 # called by the traps
finish() {
	trap - EXIT
	trap '' INT TERM HUP
	heading "removing what was created"
	while IFS= read -r line; do
		echo "+ $line"
		[ "$dry" = yes ] || sh -c "$line" || echo "FAILED: $line"
	done <"$undo"
	if [ -f "$work/dsrd.log" ]; then
		heading "dsrd's log"
		cat "$work/dsrd.log"
	fi
	rm -rf "$work"
	echo
	echo "----- end of the report: $failures expectations failed -----"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- the director ----------------------------------------------------------------------------------------------------

write_conf() { # SERVER...
	cat <<-END
	[dsrd]
	interface = $interface
	control = $work/dsrd.sock
	state = $work/state
	log = stderr
	user = nobody
	END
	# With forwarding on, which OpenBSD's real servers need, the director's own kernel would forward too.
	[ "$system" != OpenBSD ] || echo "withhold = yes"
	printf '\n[service web]\nlisten = %s tcp/80\nscheduler = rr\ncheck = tcp\n' "$vip"
	for conf_server; do
		echo "server = ${conf_server%=*} ${conf_server#*=}"
	done
}

start_dsrd() {
	echo "+ $build/dsrd -d -v -f $work/dsrd.conf &"
	[ "$dry" = no ] || return 0
	"$build/dsrd" -d -v -f "$work/dsrd.conf" >"$work/dsrd.log" 2>&1 </dev/null &
	dsrd=$!
	undo_by "kill $dsrd 2>/dev/null || true"
}

logged() { # PATTERN
	grep -q -e "$1" "$work/dsrd.log"
}

is_clean() {
	! grep -e 'result=failed' "$work/dsrd.log"
}

stops_well() {
	kill "$dsrd"
	wait "$dsrd"
}

ctl() {
	"$build/dsrctl" -s "$work/dsrd.sock" "$@"
}

examine() { # SERVER...
	expect "dsrd is ready" wait_for 15 logged ' ready '
	for examined; do
		expect "${examined%=*} is up" wait_for 15 logged "server-state server=web/${examined%=*} .*to=up"
	done
	expect "nothing failed" is_clean
	show ctl show
	show ctl doctor
}

# --- the network of each system --------------------------------------------------------------------------------------

# A host of OpenBSD: pairN in routing domain N, whose other end is a port of the bridge.
pair_add() { # NUMBER DOMAIN ADDRESS
	must ifconfig "pair$1" create rdomain "$2"
	undo_by "ifconfig pair$1 destroy"
	must ifconfig "pair10$1" create patch "pair$1" up
	undo_by "ifconfig pair10$1 destroy"
	must ifconfig "pair$1" inet "$3" netmask 255.255.255.0 up
	must ifconfig bridge9 add "pair10$1"
}

# A web server of base programs: one answer for each connection.
answer() { # DOMAIN NAME
	printf 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n%s\n' "$2" >"$work/$2"
	echo "+ route -T $1 exec nc -N -l 0.0.0.0 80 <$2, again and again &"
	[ "$dry" = no ] || return 0
	(
		trap 'kill "$nc" 2>/dev/null; exit 0' TERM
		while :; do
			route -T "$1" exec nc -N -l 0.0.0.0 80 <"$work/$2" >/dev/null 2>&1 &
			nc=$!
			wait "$nc"
		done
	) &
	undo_by "kill $! 2>/dev/null || true"
}

page() {
	printf 'GET / HTTP/1.0\r\n\r\n' | route -T 11 exec nc -w 3 "$vip" 80 | tail -n 1
}

pages_of_both() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		page
		sleep 1
	done | sort | uniq -c >"$work/pages"
	cat "$work/pages"
	grep -q web1 "$work/pages" && grep -q web2 "$work/pages"
}

openbsd_network() {
	must ifconfig bridge9 create
	undo_by "ifconfig bridge9 destroy"
	pair_add 1 0 192.0.2.1
	pair_add 2 11 192.0.2.100
	pair_add 3 12 192.0.2.11
	pair_add 4 13 192.0.2.12
	must ifconfig bridge9 up
	for domain in 12 13; do
		must ifconfig "lo$domain" inet alias "$vip" netmask 255.255.255.255
		undo_by "ifconfig lo$domain inet $vip delete"
	done
	# Since 6.6 a host that does not forward drops packets for an address of another interface.
	before=$(sysctl -n net.inet.ip.forwarding)
	must sysctl net.inet.ip.forwarding=1
	undo_by "sysctl net.inet.ip.forwarding=$before"
	answer 12 web1
	answer 13 web2
}

openbsd() {
	openbsd_network
	write_conf web1=192.0.2.11 web2=192.0.2.12 >"$work/dsrd.conf"
	start_dsrd
	examine web1=192.0.2.11 web2=192.0.2.12
	expect "pages from both servers through the VIP" pages_of_both
	show arp -V 11 -n -a
	expect "a reload" ctl reload
	must ifconfig pair1 down
	expect "it notices that its interface is down" wait_for 10 logged 'interface-down problem=begin'
	must ifconfig pair1 up
	expect "and up again" wait_for 10 logged 'interface-down problem=end'
	expect "pages again" wait_for 20 pages_of_both
	expect "it stops with status 0" stops_well
}

freebsd() {
	must kldload -nq if_epair if_bridge
	for test in arp wrr two_arm reload persist link vip_check health; do
		show sh "$here/../integration/run.sh" "$build" "$test"
	done
}

real_network() {
	write_conf "web1=$server" >"$work/dsrd.conf"
	start_dsrd
	examine "web1=$server"
	show ctl doctor --all
	echo "Now, from a third machine of the network: arping $vip; curl http://$vip/. Then press Enter."
	[ "$dry" = yes ] || IFS= read -r _ || true
	show ctl show
	expect "it stops with status 0" stops_well
}

# --- the report ------------------------------------------------------------------------------------------------------

echo "----- report of dsrd on $system -----"
heading "the system"
show uname -a
show "$build/dsrd" -V
show ifconfig -a
show tail -n 15 "$build/test-suite.log"
heading "forwarding"
case $#,$system in
4,*) real_network ;;
1,OpenBSD) openbsd ;;
1,FreeBSD) freebsd ;;
*)
	echo "$system has no network inside one machine that this script can create. Give it a real one:"
	echo "    sh $0 BUILD INTERFACE VIP SERVER"
	failures=1
	;;
esac
[ "$failures" -eq 0 ]
