# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154 # the files that are sourced together share names
#
# The benchmarks' network and what is sent through it; run.sh sources this file after ../integration/net.sh.
#
# The generator stands at the switch and sends straight out of the port that leads to the director, on processor 0. From
# the director's interface on everything happens on processor 1: receiving, forwarding, sending, the switch, and the
# servers. So forwarders in the kernel and in user space are paid for by the same processor, and more is offered than it
# can take.

BENCH_NET=198.18.0.0/15 # where the generator's flows come from (RFC 2544)
BENCH_PORT=53
GENERATOR_CPU=0
DIRECTOR_CPU=1

# Receiving happens on the director's processor from this interface on.
receive_there() { # HOST
	# shellcheck disable=SC2016 # the inner shell's
	run_in "$1" sh -c 'for queue in /sys/class/net/eth0/queues/rx-*; do echo "$1" >"$queue/rps_cpus" || exit 1; done' sh \
	    $((1 << DIRECTOR_CPU)) || skip "receiving cannot be moved to another processor: /sys is not writable"
}

# The generator's frames are counted at the servers, by a rule that looks whether they are the right ones, and dropped
# there. Everything else has a real host to go to: health checks, questions for the echo.
sink_up() { # SERVER
	run_in "$1" nft -f - <<-END
	table netdev sink {
		counter vip { }
		chain in {
			type filter hook ingress device eth0 priority 0;
			meta pkttype host ip saddr $BENCH_NET ip daddr $VIP udp dport $BENCH_PORT counter name vip drop
		}
	}
	END
	start_in "$1" "$1-echo" taskset -c "$DIRECTOR_CPU" "$BUILD_DIR/tests/bench/echo" serve "$VIP" "$BENCH_PORT"
}

switch_knows() { # HOST MAC
	run_in switch bridge fdb replace "$2" dev "$1-eth0" master static
}

bench_up() {
	net_up 2
	for bench_host in web1 web2; do
		sink_up "$bench_host"
	done
	# Nobody's address is ever forgotten by the switch, which would send frames for it everywhere.
	switch_knows client "$CLIENT_MAC"
	switch_knows director "$DIRECTOR_MAC"
	switch_knows web1 "$(server_mac 1)"
	switch_knows web2 "$(server_mac 2)"
	# web1 too, for the generator's own ceiling.
	receive_there director
	receive_there web1
}

# Frames of the generator that arrived at the servers so far.
arrived() {
	for bench_host in web1 web2; do
		run_in "$bench_host" nft list counter netdev sink vip
	done | awk '$1 == "packets" { all += $2 } END { printf "%d\n", all }'
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
	echo taskset -c "$GENERATOR_CPU" "$BUILD_DIR/tests/bench/blast" "$@" "$FORWARDER_PORT" "$CLIENT_MAC" "$FORWARDER_MAC" \
	    "$VIP" "$BENCH_PORT"
}

# shellcheck disable=SC2046 # words
blast() { # OPTION...
	run_in switch $(blast_words "$@")
}

# shellcheck disable=SC2046
start_blast() { # OPTION...
	start_in switch blast $(blast_words "$@" -t 60)
}

# Frames that left the switch for the forwarder.
offered() {
	run_in switch cat "/sys/class/net/$FORWARDER_PORT/statistics/tx_packets"
}

stop_blast() {
	is_running blast || fail "the generator ended: $(cat "$NET_DIR/blast.log")"
	kill "$(pid_of blast)"
	wait "$(pid_of blast)" 2>/dev/null || true
}

LOAD_STEP=0

# Sends for a while, and leaves in `tried` how many frames a second left the switch, in `rate` how many arrived, in
# `lost_before` and `lost_ring` what the kernel dropped before the forwarder, at the backlog and at the forwarder's ring.
try_load() { # LOAD SECONDS [GENERATOR-OPTION...]
	try_seconds=$2
	LOAD_STEP=$((LOAD_STEP + 1))
	try_options=$(load_options "$1")
	shift 2
	# shellcheck disable=SC2086 # words
	start_blast $try_options "$@"
	sleep "$WARMUP"
	lost_ring=$(forwarder_lost) lost_before=$(backlog_drops)
	begin=$(nanoseconds) tried=$(offered) rate=$(arrived)
	sleep "$try_seconds"
	took=$((($(nanoseconds) - begin) / 1000)) tried=$(($(offered) - tried)) rate=$(($(arrived) - rate))
	lost_before=$(($(backlog_drops) - lost_before)) lost_ring=$(($(forwarder_lost) - lost_ring))
	stop_blast
	rate=$((rate * 1000000 / took)) tried=$((tried * 1000000 / took))
}

# In `peak` the most that arrives a second at any rate offered, in `tried` that rate, and in `flooded` what arrives when
# much more is offered, which can be less: the processor is then busy with receiving what nobody fetches.
find_peak() { # LOAD
	try_load "$1" "$WINDOW"
	peak=$rate flooded=$rate peak_tried=$tried flood_before=$lost_before flood_ring=$lost_ring most=$tried
	step_rate=$((rate * 5 / 4))
	# All that was sent arrived, or nearly: no more can be offered.
	[ $((rate * 100)) -lt $((tried * 97)) ] || return 0
	while [ "$step_rate" -lt "$most" ]; do
		try_load "$1" "$STEP_WINDOW" -r "$step_rate"
		[ "$rate" -le "$peak" ] || peak=$rate peak_tried=$tried
		[ $((rate * 100)) -ge $((step_rate * 90)) ] || break
		step_rate=$((step_rate * STEP_GROWTH / 100))
	done
}

# Lets the forwarder see every flow of a load, at a rate that it can bear.
teach() { # LOAD FRAMES RATE
	LOAD_STEP=$((LOAD_STEP + 1))
	# shellcheck disable=SC2046 # words
	blast $(load_options "$1") -r "$3" -n "$2" -t 20 >/dev/null
}

# Sends at a bounded rate, and leaves in `sent` and `came` how many frames went and how many arrived.
offer() { # LOAD RATE SECONDS
	wait_until 5 nothing_under_way || true
	lost_ring=$(forwarder_lost) lost_before=$(backlog_drops) came=$(arrived)
	# shellcheck disable=SC2046 # words
	sent=$(blast $(load_options "$1") -r "$2" -t "$3" | sed -n 's/^sent=\([0-9]*\) .*/\1/p')
	[ -n "$sent" ] || fail "the generator failed"
	wait_until 2 nothing_under_way || true
	came=$(($(arrived) - came))
	lost_before=$(($(backlog_drops) - lost_before)) lost_ring=$(($(forwarder_lost) - lost_ring))
}

nothing_under_way() {
	bench_count=$(arrived)
	sleep 0.1
	[ "$(arrived)" = "$bench_count" ]
}
