#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Frames per second through dsrd, beside pen in its DSR mode, which does the same job: in one network of namespaces, in
# turns, so that what else the machine does hits both.
#
#   tests/bench/pen.sh BUILD_DIR [ROUNDS [SECONDS]]       default: 5 rounds of 3 seconds each
#
# A generator sends 60-byte UDP frames of 10 000 flows to a VIP, faster than either can forward; two real servers count
# what arrives for the VIP, over the middle of each round, and drop it. The generator has one processor (with the first
# switch and the director's interrupts on it), the forwarder another.

set -u
if [ $# -lt 1 ] || [ ! -d "$1" ]; then
	echo "usage: ${0##*/} BUILD_DIR [ROUNDS [SECONDS]]" >&2
	exit 64 # EX_USAGE, sysexits(3)
fi
BUILD_DIR=$(CDPATH='' cd -- "$1" && pwd)
rounds=${2:-5}
seconds=${3:-3}
flows=10000

# shellcheck source-path=SCRIPTDIR source=../integration/net.sh disable=SC2119
. "$(dirname -- "$0")/../integration/net.sh"
net_require pen nft taskset awk tcpdump
BLAST=$BUILD_DIR/tests/bench/blast
[ -x "$BLAST" ] || fail "there is no $BLAST: type make"
[ "$(getconf _NPROCESSORS_ONLN)" -ge 2 ] || skip "one processor only: generator and forwarder would fight for it"
servers='web1 web2'

net_up 2
for server in $servers; do
	# What arrived is counted by the interface, and again by this rule, which looks that it is the right thing.
	run_in "$server" nft -f - <<-END
	table netdev sink {
		counter vip { }
		chain in {
			type filter hook ingress device eth0 priority 0;
			ip daddr $VIP udp dport 53 counter name vip drop
		}
	}
	END
done

cat >"$NET_DIR/dsrd.conf" <<END
[dsrd]
control = off
interface = eth0
log = stderr

[service bench]
listen = $VIP udp/53
scheduler = rr
check = none
server = web1 $(server_ip 1)
server = web2 $(server_ip 2)
END

# Frames for the VIP that arrived at the servers so far.
arrived() {
	for server in $servers; do
		run_in "$server" nft list counter netdev sink vip
	done | awk '$1 == "packets" { all += $2 } END { printf "%d\n", all }'
}

nanoseconds() {
	date +%s%N
}

serves() {
	run_in client arping -q -c 1 -w 1 -I eth0 "$VIP"
}

resolved() {
	before=$(arrived)
	run_in client "$BLAST" eth0 "$CLIENT_MAC" "$DIRECTOR_MAC" "$SERVER_PREFIX.100" "$VIP" 10 1 >/dev/null
	[ "$(arrived)" -gt "$before" ]
}

start_forwarder() { # dsrd|pen
	if [ "$1" = pen ]; then
		# pen wants an interface of its own, without an address.
		ip -n "$NET-director" address flush dev eth0
		start_in director forwarder taskset -c 1 pen -f -U -r -O "dsr_if eth0" "$VIP:53" "$(server_ip 1)" "$(server_ip 2)"
	else
		ip -n "$NET-director" address replace "$SERVER_PREFIX.1/24" dev eth0
		start_in director forwarder taskset -c 1 "$DSRD" -d -f "$NET_DIR/dsrd.conf"
	fi
	wait_until 10 serves || fail "$1 does not answer ARP for the VIP"
	wait_until 20 resolved || fail "$1 forwards nothing"
}

# The forwarder's own processor time so far, in ticks of 1/100 s (proc(5), fields 14 and 15). Sending and the way through
# the switch to the servers are in it, receiving is on the generator's side.
ticks() {
	cut -d ' ' -f 14,15 "/proc/$(pid_of forwarder)/stat" | {
		read -r user system
		echo $((user + system))
	}
}

# One round: frames per second that arrived, that were offered, and what a frame cost.
measure() { # dsrd|pen
	start_forwarder "$1"
	run_in client taskset -c 0 "$BLAST" eth0 "$CLIENT_MAC" "$DIRECTOR_MAC" "$SERVER_PREFIX.100" "$VIP" "$flows" \
	    $((seconds + 2)) >"$NET_DIR/offered" &
	blast=$!
	sleep 1
	count=$(arrived) begin=$(nanoseconds) used=$(ticks)
	sleep "$seconds"
	count=$(($(arrived) - count)) took=$(($(nanoseconds) - begin)) used=$(($(ticks) - used))
	wait "$blast" || fail "the generator failed"
	is_running forwarder || fail "$1 ended under load"
	stop forwarder
	rate=$((count * 1000 / (took / 1000000)))
	offered=$(sed -n 's/.*rate=\([0-9]*\).*/\1/p' "$NET_DIR/offered")
	[ "$count" -gt 0 ] || fail "$1 forwarded nothing in the middle of the round"
	# Nanoseconds of processor time a frame: 10 000 000 in a tick.
	cost=$((used * 10000000 / count))
	echo "$1 $rate $offered $cost" >>"$NET_DIR/results"
	printf '  %-5s %9d frames/s arrived of %9d offered; %6d ns of processor time each\n' "$1" "$rate" "$offered" "$cost"
}

echo "$(uname -sr), $(getconf _NPROCESSORS_ONLN) processors, $("$DSRD" --version | sed -n 's/^libpcap version \([^ ]*\).*/libpcap \1/p')"
echo "60-byte UDP frames, $flows flows, two real servers, $rounds rounds of $seconds s each"
round=1
while [ "$round" -le "$rounds" ]; do
	echo "round $round"
	# Who begins changes from round to round.
	if [ $((round % 2)) -eq 1 ]; then
		measure pen
		measure dsrd
	else
		measure dsrd
		measure pen
	fi
	round=$((round + 1))
done

# The median, least and greatest of the numbers on standard input, one a line.
spread() { # FORMAT-OF-A-NUMBER UNIT
	sort -n | awk -v format="$1" -v unit="$2" '
		{ value[NR] = $1 }
		END {
			median = NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2
			printf "median " format "  min " format "  max " format " %s\n", median, value[1], value[NR], unit
		}'
}

column() { # NAME FIELD
	awk -v name="$1" -v field="$2" '$1 == name { print $field }' "$NET_DIR/results"
}

# Within a round both had the same weather, so it is the rounds' ratios that are compared.
ratios() { # FIELD
	awk -v field="$1" '{ value[$1] = $field } NR % 2 == 0 { print value["dsrd"] / value["pen"] }' "$NET_DIR/results"
}

echo
for name in pen dsrd; do
	printf '%-5s %s\n' "$name" "$(column "$name" 2 | spread '%9d' frames/s)"
done
echo "dsrd / pen, round by round:  $(ratios 2 | spread '%.2f' '')"
for name in pen dsrd; do
	printf '%-5s %s\n' "$name" "$(column "$name" 4 | spread '%9d' 'ns of processor time a frame')"
done
echo "dsrd / pen, round by round:  $(ratios 4 | spread '%.2f' '(less is better)')"
awk '$2 > 0.95 * $3 { saturated = 1 }
	END { if (saturated) print "In at least one round nearly all that was offered arrived: the generator was the limit." }' \
    "$NET_DIR/results"
