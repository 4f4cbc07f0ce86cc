# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154 # the files that are sourced together share names
#
# The network and the traffic of the benchmarks. run.sh sources this file after ../integration/net.sh.
#
# Everything runs on one processor: the generator, which sends from the switch's port to the director, and the
# director's
# receiving, forwarding and sending, and the counter. Time in the kernel and in user space therefore counts equally. The
# cost
# of the generator alone is measured (`generator`) and subtracted. All run with the same real-time priority, which keeps
# other work away, and take turns: after each burst the forwarder runs until it has no more work. There are no timers
# and no
# interrupts from another processor, which cost as much as ten frames on some machines.

BENCH_NET=198.18.0.0/15 # where the generator's flows come from (RFC 2544)
BENCH_PORT=53
BENCH_CPU=1
ON_BENCH_CPU="taskset -c $BENCH_CPU chrt -f 1"

# What the forwarder sends to the servers is counted as soon as it is on the wire, at the switch's port, by a program
# that
# looks whether it is the right thing, and drops it: what a switch and servers would do with it is no director's cost.
# Everything else has a real host to go to: health checks, questions for the echo.
sink_up() { # PORT
	bpf_attach switch "$1" sink
}

bpf_attach() { # HOST INTERFACE PROGRAM
	run_in "$1" tc qdisc add dev "$2" clsact
	run_in "$1" tc filter add dev "$2" ingress bpf direct-action object-file "$BUILD_DIR/tests/bench/bench.bpf.o" \
	    section "$3"
}

switch_knows() { # HOST MAC
	run_in switch bridge fdb replace "$2" dev "$1-eth0" master static
}

bench_up() {
	net_up 2
	if ! chrt -f 1 true 2>/dev/null; then
		echo "no right to real-time priority: what else this machine does disturbs more" >&2
		ON_BENCH_CPU="taskset -c $BENCH_CPU"
	fi
	for bench_host in web1 web2; do
		# shellcheck disable=SC2086 # words
		start_in "$bench_host" "$bench_host-echo" $ON_BENCH_CPU "$BUILD_DIR/tests/bench/echo" serve "$VIP" \
		    "$BENCH_PORT"
	done
	# What comes by another method than mac.
	for bench_host in web1 web2; do
		run_in "$bench_host" tc qdisc add dev eth0 clsact
		run_in "$bench_host" tc filter add dev eth0 ingress bpf direct-action \
		    object-file "$BUILD_DIR/tests/bench/decap.bpf.o" section tc
		run_in "$bench_host" nft -f - <<-END
		table ip l3dsr {
			chain in {
				type filter hook prerouting priority -300
				ip daddr $SERVER_PREFIX.0/24 ip dscp 5 ip daddr set $VIP
			}
		}
		END
	done
	# Nobody's address is ever forgotten by the switch, which would send frames for it everywhere.
	switch_knows client "$CLIENT_MAC"
	switch_knows director "$DIRECTOR_MAC"
	switch_knows web1 "$(server_mac 1)"
	switch_knows web2 "$(server_mac 2)"
	sink_up director-eth0
	# For what the generator can do alone, with a switch that drops all, and the way without a forwarder.
	net_bridge_add nowhere
	ip -n "$NET-switch" link add wall type veth peer name beyond
	ip -n "$NET-switch" link set wall master nowhere up
	ip -n "$NET-switch" link set beyond up
	run_in switch bridge link set dev wall flood off
	sink_up client-eth0
}

# Frames of the generator that arrived so far: what the sink dropped.
arrived() {
	if [ "$SINK" = none ]; then
		offered
		return
	fi
	run_in switch tc -s qdisc show dev "$SINK" clsact | sed -n 's/.*(dropped \([0-9]*\),.*/\1/p'
}

nanoseconds() {
	date +%s%N
}

# Frames that the kernel dropped between two hosts' interfaces, on any processor: the second word of each line is how
# many found the backlog full (net/core/net-procfs.c).
backlog_drops() {
	bench_drops=0
	while read -r _ bench_word _; do
		bench_drops=$((bench_drops + 0x$bench_word))
	done </proc/net/softnet_stat
	echo "$bench_drops"
}

# The generator's options for a load. What is never to come again begins further on each time.
load_options() { # LOAD
	case $1 in
	60-10k) echo "-l 60 -f 10000" ;;
	imix-10k) echo "-l imix -f 10000" ;;
	1400-10k) echo "-l 1400 -f 10000" ;;
	60-1m) echo "-l 60 -f 1000000" ;;
	60-new) echo "-l 60 -f 1000000000 -o $((LOAD_STEP * 10000000))" ;;
	*) fail "there is no load '$1'" ;;
	esac
}

# The generator's command line, in words.
blast_words() { # OPTION...
	echo "$ON_BENCH_CPU" "$BUILD_DIR/tests/bench/blast" "$@" "$GENERATOR_PORT" "$CLIENT_MAC" "$FORWARDER_MAC" \
	    "$VIP" "$BENCH_PORT"
}

# shellcheck disable=SC2046 # words
blast() { # OPTION...
	run_in "$GENERATOR_HOST" $(blast_words "$@")
}

# shellcheck disable=SC2046
start_blast() { # OPTION...
	start_in "$GENERATOR_HOST" blast $(blast_words "$@" -t 60)
}

# Frames that the generator's interface sent so far.
offered() {
	run_in "$GENERATOR_HOST" cat "/sys/class/net/$GENERATOR_PORT/statistics/tx_packets"
}

stop_blast() {
	is_running blast || fail "the generator ended: $(cat "$NET_DIR/blast.log")"
	kill "$(pid_of blast)"
	wait "$(pid_of blast)" 2>/dev/null || true
}

LOAD_STEP=0

# In `peak` how many a second arrive when the forwarder is given as much as it takes; the rest as offer() leaves it.
find_peak() { # LOAD
	LOAD_STEP=$((LOAD_STEP + 1))
	offer "$1" "$WINDOW"
	# Of what was sent that part arrived, and so fast it was sent.
	peak=$(awk -v came="$came" -v sent="$sent" -v rate="$sent_rate" 'BEGIN { printf "%.0f\n", came / sent * rate }')
}

# Lets the forwarder see every flow of a load, at a rate that it can bear.
teach() { # LOAD FRAMES RATE [GENERATOR-OPTION...]
	LOAD_STEP=$((LOAD_STEP + 1))
	teach_options="$(load_options "$1") -r $3 -n $2 -t 60"
	shift 3
	# shellcheck disable=SC2086 # words
	blast $teach_options "$@" >/dev/null
}

# Sends, and leaves in `sent` and `came` how many frames went and how many arrived, in `sent_rate` how many went a
# second,
# in `lost_before` and `lost_ring` what the kernel dropped before the forwarder, at the backlog and at the forwarder's
# ring.
offer() { # LOAD SECONDS [GENERATOR-OPTION...]
	offer_options="$(load_options "$1") -t $2"
	shift 2
	wait_until 5 nothing_under_way || true
	lost_ring=$(forwarder_lost) lost_before=$(backlog_drops) came=$(arrived)
	# shellcheck disable=SC2086 # words
	blast $offer_options "$@" >"$NET_DIR/blast.log" || fail "the generator failed"
	sent=$(sed 's/^sent=\([0-9]*\) .*/\1/' "$NET_DIR/blast.log") \
	    sent_rate=$(sed 's/.* rate=//' "$NET_DIR/blast.log")
	wait_until 2 nothing_under_way || true
	came=$(($(arrived) - came))
	lost_before=$(($(backlog_drops) - lost_before)) lost_ring=$(($(forwarder_lost) - lost_ring))
}

nothing_under_way() {
	bench_count=$(arrived)
	sleep 0.1
	[ "$(arrived)" = "$bench_count" ]
}
