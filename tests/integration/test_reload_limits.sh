#!/bin/sh
# SPDX-License-Identifier: ISC
# A reload that is large, too large, or lacks memory never ends the director: it takes effect or changes nothing.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"

net_require nginx curl prlimit
net_up 1
start_nginx web1

small() {
	conf_head
	cat <<-END
	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	server = web1 $(server_ip 1)
	END
}

served() { # WHEN
	is_running dsrd || fail "$1: the director has ended"
	[ "$(fetch)" = web1 ] || fail "$1: no page"
}

small >"$NET_DIR/dsrd.conf"
# As OpenBSD's class `daemon` has it: dsrd raises it.
# shellcheck disable=SC3045 # dash, the sh of these tests, has -S
ulimit -S -n 128
start_dsrd
wait_servers_up web web1
served "at first"

step "more simultaneous checks than the soft limit of descriptors allows"
# No host has these addresses, so each check waits with its socket open.
{ small; awk -v prefix="$SERVER_PREFIX" 'BEGIN {
	print "[service many]\nlisten = 10.9.200.1 tcp/80\ninterval = 2s\ntimeout = 2s"
	for (i = 40; i < 240; i++) print "server = a" i " " prefix "." i
}'; } >"$NET_DIR/dsrd.conf"
ctl 0 reload
checker() { # the process that checks, or the director, where there is none
	ctl 0 -j show process
	python3 -c 'import json, sys
processes = {process["name"]: process["pid"] for process in json.load(sys.stdin)["processes"]}
print(processes.get("checker", processes["director"]))' <"$NET_DIR/said"
}
holds_many() {
	[ "$(find "/proc/$(checker)/fd" -mindepth 1 | wc -l)" -gt 128 ]
}
wait_until 15 holds_many || fail "dsrd does not go beyond 128 descriptors"
all_down() {
	[ "$(grep -c 'server-state server=many/.* to=down' "$NET_DIR/dsrd.log")" -ge 200 ]
}
wait_until 15 all_down || fail "not all of 200 servers were checked"
! grep -q check-trouble "$NET_DIR/dsrd.log" || fail "checks lack descriptors"
served "with 200 servers"

# Services on further VIPs, all on one server.
more() { # SERVICES PORTS-A-SERVICE
	awk -v services="$1" -v ports="$2" -v server="$(server_ip 1)" 'BEGIN {
		for (i = 0; i < services; i++) {
			printf "[service more%d]\ncheck = none\nscheduler = rr\nserver = a %s", i, server
			for (port = 1; port <= ports; port++)
				printf "%s%d", port % 25 == 1 ? "\nlisten = 10.9." int(i / 250) "." i % 250 + 1 " tcp/" : ",", port
			print ""
		}
	}'
}

step "three VIPs with 22 000 ports each"
{ small; more 3 22000; } >"$NET_DIR/dsrd.conf"
ctl 0 reload
served "with 66 000 ports"

step "more VIPs than there can be"
{ small; awk 'BEGIN { for (i = 0; i < 32767; i++) print "listen = 10.8." int(i / 250) "." i % 250 + 1 " tcp/80" }'; } \
    >"$NET_DIR/dsrd.conf"
ctl 1 reload
complained 'dsrd.conf:[0-9]*: too many VIPs in all services together: 32768, at most 32767'
"$DSRD" -n -f "$NET_DIR/dsrd.conf" >"$NET_DIR/said" 2>&1 && fail "dsrd -n finds nothing"
said 'too many VIPs.*32768, at most 32767'
served "with too many VIPs in the file"

step "no memory for what is new"
{ small; more 20 3000; } >"$NET_DIR/dsrd.conf"
pid=$(pid_of dsrd)
for spare in 0 1 2 3 4 6 8 12; do # MiB, so that it lacks here and there
	prlimit --pid "$pid" --as=$(($(sed -n 's/^VmSize:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status") * 1024 + spare * 1048576)):
	"$DSRCTL" -s "$SOCKET" reload >"$NET_DIR/said" 2>&1 || true
	is_running dsrd || fail "a reload with $spare MiB to spare ended the director"
	step "$spare MiB: $(head -c 100 "$NET_DIR/said" | head -n 1)"
done
prlimit --pid "$pid" --as=unlimited:
small >"$NET_DIR/dsrd.conf"
ctl 0 reload
is_served() {
	[ "$(fetch)" = web1 ]
}
wait_until 10 is_served || fail "no page after there was memory again"
stop_dsrd
