#!/bin/sh
# SPDX-License-Identifier: ISC
#
# One director for a long time, with everything that may happen to it: load, reloads, bad configurations, failures of
# servers and cables, floods, clients that read nothing, steps of the clock, a full disk, and limits of memory and
# descriptors. Its memory and descriptors stay flat, it never ends, and no request fails but those to a server that has
# just
# died.
#
#   sudo tests/soak/run.sh [--minutes N] BUILD_DIR       default: 30 minutes
#
# SOAK_EVENTS limits a run to some of its events (their functions below), to find out which of them makes something
# grow.
#
# Started by hand, as root, on Linux. A round takes about a minute; it prints a line for each and figures at the end.
# The
# host's clock is not touched: the director's own is (clock.c).

usage() {
	echo "usage: run.sh [--minutes N] BUILD_DIR" >&2
	exit 64 # EX_USAGE, sysexits(3)
}

minutes=30
if [ "${1:-}" = --minutes ]; then
	[ $# -ge 2 ] || usage
	minutes=$2
	shift 2
fi
case $minutes in
'' | *[!0-9]* | 0) usage ;;
esac
if [ $# -ne 1 ] || [ ! -x "$1/dsrd" ]; then
	usage
fi
BUILD_DIR=$(CDPATH='' cd -- "$1" && pwd)
export BUILD_DIR
soak=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

# shellcheck source-path=SCRIPTDIR source=../integration/net.sh disable=SC2119
. "$soak/../integration/net.sh"
# shellcheck source-path=SCRIPTDIR source=../integration/ctl.sh
. "$soak/../integration/ctl.sh"
[ "$net_os" = linux ] || skip "namespaces, prlimit and LD_PRELOAD are Linux's"
net_require nginx curl python3 prlimit cc
FLOOD=$BUILD_DIR/tests/integration/flood
[ -x "$FLOOD" ] || fail "there is no $FLOOD: type make"

CLIENTS=4        # each a request every 10 ms or so
FLOOD_RATE=20000 # a second: what a busy machine with two processors still takes
GROWTH=2048      # KiB that the director may grow after the first rounds; its history of events takes up to 1200
SPARE=8          # descriptors that may be open for a moment

# --- what is measured
# --------------------------------------------------------------------------------------------------

resident() { # PID: KiB
	sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}
descriptors() { # PID
	find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l
}
# The director and its helper processes.
family() {
	echo "$(pid_of dsrd) $(cat "/proc/$(pid_of dsrd)/task/$(pid_of dsrd)/children")"
}
family_resident() {
	total=0
	for pid in $(family); do
		total=$((total + $(resident "$pid" || echo 0)))
	done
	echo "$total"
}
family_descriptors() {
	total=0
	for pid in $(family); do
		total=$((total + $(descriptors "$pid")))
	done
	echo "$total"
}

# --- what happens
# ------------------------------------------------------------------------------------------------------

# From here requests may fail, until the server is known to be down: its own answers, or silence.
outage_begins() {
	date +%s >>"$NET_DIR/outages"
}
outage_ends() {
	date +%s >>"$NET_DIR/outages"
}

write_conf() { # WEIGHT
	{
		CONF_USER=${CONF_USER:-root} conf_head | sed "s|^state = .*|state = $NET_DIR/small/dsrd.state|
			s/^log = stderr/&\\nconnections = 32768\\nhttp = 127.0.0.1:9190/"
		cat <<-END

		[service web]
		listen = $VIP tcp/80
		scheduler = wlc
		server = web1 $(server_ip 1) weight=$1
		server = web2 $(server_ip 2)
		server = web3 $(server_ip 3)

		[service datagrams]
		listen = $VIP udp/80
		check = none
		scheduler = wlc
		server = web1 $(server_ip 1)
		server = web2 $(server_ip 2)

		[service other]
		listen = $VIP tcp/8080
		check = script $NET_DIR/check
		persist = 60s
		server = web1 $(server_ip 1)
		server = web2 $(server_ip 2)
		END
	} >"$NET_DIR/dsrd.conf"
}

reloads() {
	for weight in 2 1; do
		write_conf "$weight"
		ctl 0 reload
	done
	echo "shceduler = rr" >>"$NET_DIR/dsrd.conf"
	ctl 1 reload
	write_conf 1
	signal_dsrd HUP
	ctl 0 reload --plan
	ctl 0 show
}

a_server_dies() {
	outage_begins
	stop_nginx web3
	wait_server down web/web3
	outage_ends
	start_nginx web3
	wait_server up web/web3
}

a_cable_is_pulled() {
	outage_begins
	link_set web2 eth0 down
	wait_server down web/web2
	outage_ends
	link_set web2 eth0 up
	wait_server up web/web2
}

drains() {
	ctl 0 drain web/web1
	ctl 0 weight web/web2 0
	ctl 0 weight web/web2 1
	ctl 0 enable web/web1
}

a_flood() {
	run_in client "$FLOOD" eth0 "$DIRECTOR_MAC" "$VIP" 80 $((FLOOD_RATE * 5)) "$FLOOD_RATE" sau >>"$NET_DIR/floods"
}

greedy_clients() {
	start_in director holders python3 "$soak/../integration/hold.py" 127.0.0.1 9190 60
	wait_until 15 grep -q holding "$NET_DIR/holders.log" || fail "no client holds connections"
	for _ in 1 2 3 4 5; do
		ctl 0 show
		run_in director curl -sf --max-time 5 -o /dev/null http://127.0.0.1:9190/metrics || true
	done
	stop holders
}

set_clock() { # SECONDS beyond the host's
	python3 -c 'import struct, sys; open(sys.argv[1], "r+b").write(struct.pack("=q", int(sys.argv[2])))' \
	    "$NET_DIR/clock" "$1"
}

steps_of_the_clock() {
	for seconds in 86400 -86400 -1500000000 0; do
		set_clock "$seconds"
		ctl 0 events
		ctl 0 show
	done
}

a_full_disk() {
	dd if=/dev/zero of="$NET_DIR/small/filler" bs=64k 2>/dev/null || true
	ctl 0 drain web/web2
	ctl 0 reload
	ctl 0 enable web/web2
	ctl 0 show
	rm "$NET_DIR/small/filler"
	ctl 0 reload
}

# No more descriptors than it has, and no more memory than it takes; both come back.
limits() {
	dsrd=$(pid_of dsrd)
	prlimit --pid "$dsrd" --nofile=$(($(descriptors "$dsrd") + 2)):
	for _ in 1 2 3; do
		"$DSRCTL" -s "$SOCKET" show >/dev/null 2>&1 || true
		run_in director curl -s --max-time 2 -o /dev/null http://127.0.0.1:9190/metrics || true
	done
	prlimit --pid "$dsrd" --nofile=1024:
	prlimit --pid "$dsrd" --as=$(($(sed -n 's/^VmSize:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$dsrd/status") * 1024 + 65536)):
	for _ in 1 2 3; do
		"$DSRCTL" -s "$SOCKET" reload >/dev/null 2>&1 || true
	done
	prlimit --pid "$dsrd" --as=unlimited:
	ctl 0 reload
	ctl 0 show
}

EVENTS="reloads a_server_dies drains a_flood greedy_clients steps_of_the_clock a_cable_is_pulled a_full_disk limits"

# --- the run
# -----------------------------------------------------------------------------------------------------------

net_up 3
for server in web1 web2 web3; do
	start_nginx "$server"
done
mkdir "$NET_DIR/small"
mount -t tmpfs -o size=16m,mode=755 soak "$NET_DIR/small"
soak_exit() {
	soak_status=$?
	set +e # or the failed status below would end this before the network is removed
	umount -l "$NET_DIR/small"
	(exit "$soak_status")
	net_exit
}
trap soak_exit EXIT
printf '#!/bin/sh\nexit 0\n' >"$NET_DIR/check"
chmod 755 "$NET_DIR/check"
write_conf 1
head -c 8 /dev/zero >"$NET_DIR/clock"
cc -shared -fPIC -O2 -o "$NET_DIR/clock.so" "$soak/clock.c"
: >"$NET_DIR/outages"
: >"$NET_DIR/failures"
start_in director dsrd env LD_PRELOAD="$NET_DIR/clock.so" SOAK_CLOCK="$NET_DIR/clock" "$DSRD" -d -f "$NET_DIR/dsrd.conf"
wait_until 15 dsrd_settled || fail "the director is not ready"
wait_servers_up web web1 web2 web3
start_in client clients python3 "$soak/clients.py" "$VIP" 80 "$CLIENTS" 10 "$NET_DIR/failures"
hold_download begun_first

began=$(date +%s)
end=$((began + 60 * minutes))
round=0
printf '%5s %8s %12s %12s %10s\n' ROUND SECOND "MEMORY KiB" DESCRIPTORS FAILED
while [ "$(date +%s)" -lt "$end" ]; do
	round=$((round + 1))
	for event in ${SOAK_EVENTS:-$EVENTS}; do
		echo "$(date +%s) $event" >>"$NET_DIR/timeline"
		$event
		is_running dsrd || fail "the director ended: $event"
		is_running clients || fail "the clients ended: $event"
		[ "$(date +%s)" -lt "$end" ] || break
	done
	# What a round began has ended: connections of dsrctl, checks, held requests.
	sleep 3
	memory=$(family_resident) open=$(family_descriptors)
	[ $round -ne 2 ] || { first_memory=$memory first_open=$open; }
	printf '%5d %8d %12d %12d %10d\n' $round $(($(date +%s) - began)) "$memory" "$open" \
	    "$(wc -l <"$NET_DIR/failures")"
done
stop clients
dump_dsrd

# --- the figures
# -------------------------------------------------------------------------------------------------------

# A request may fail that began while a server was dying, give or take what checks and clocks need.
unexplained=$(awk '
	FILENAME ~ /outages$/ { at[++count] = $1; next }
	FILENAME ~ /timeline$/ { time[++events] = $1; event[events] = $2; next }
	{
		for (i = 1; i < count; i += 2)
			if ($1 >= at[i] - 2 && $1 <= at[i + 1] + 2)
				next
		for (i = events; i > 1 && time[i] > $1; i--)
			;
		print "at " $1 ", " int($1 - time[i]) " s after " event[i] " began: " $0
	}' "$NET_DIR/outages" "$NET_DIR/timeline" "$NET_DIR/failures")
cat "$NET_DIR/clients.log"
echo "frames: $(counter frames) seen, $(counter forwarded) forwarded, $(counter by_hash) by hash, $(counter unproven_evicted) unproven flows evicted"
echo "floods: $(wc -l <"$NET_DIR/floods") of $((FLOOD_RATE * 5)) packets; reloads: $(log_count 'reload result=ok') applied, $(log_count 'reload-failed problem=begin') refused"
echo "memory: $first_memory KiB after the second round, $memory KiB at the end; descriptors: $first_open, $open"
[ "$round" -ge 3 ] || fail "three rounds are needed to see whether anything grows: take more --minutes"
if [ -n "$unexplained" ]; then
	# Each with what became of servers in the seconds around it: it lasts until the log says otherwise.
	around=$(echo "$unexplained" | sed 's/^at \([0-9]*\).*/\1/' | while read -r second; do
		seq $((second - 2)) $((second + 2))
	done | sort -u | while read -r second; do
		date -u -d "@$second" +%Y-%m-%dT%H:%M:%S
	done)
	grep -F "$around" "$NET_DIR/dsrd.log" | grep -E 'server-state|vip-check|conflict|neighbor|capture' >&2 || true
	fail "requests failed while no server did: $unexplained"
fi
assert_at_most "KiB of memory grown since the second round" "$GROWTH" $((memory - first_memory))
assert_at_most "descriptors opened since the second round" "$SPARE" $((open - first_open))
stop_dsrd
echo "soak: $round rounds in $((($(date +%s) - began) / 60)) minutes, nothing grew"
